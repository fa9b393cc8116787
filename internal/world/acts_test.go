package world

import (
	"fmt"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
)

// checkActs compares what became of every act, and what is concluded of those
// that count.
func (w *World) checkActs(f *ledger.Follower, a *acts) {
	for pos, want := range a.outcomes {
		v, err := f.VerdictAt(w.ctx, pos)
		must(err, "ask for a verdict")
		if v.Outcome != want.outcome || v.New != want.lines {
			failf("the act at %d is %+v, and should be %+v", pos, v, want)
		}
	}
	w.stats.acts, w.stats.closes = len(a.outcomes), len(a.closes())
	for _, t := range []journal.Type{journal.TypeDeposit, journal.TypeKarcis, journal.TypeHandover, journal.TypeDeclaration, journal.TypeClose} {
		w.checkLines(f, a, t)
	}
	w.checkCredits(f, a)
	is, err := f.Hops(w.ctx, firstDay, lastDay)
	must(err, "ask for the hops")
	same("the hops", is, a.hops())
	w.answer("hops %+v", is)
	for month := range map[string]bool{"2026-09": true, "2026-10": true, "2026-11": true, "2026-12": true} {
		on, err := f.ClosedOn(w.ctx, month)
		must(err, "ask whether a month is closed")
		if (on != "") != a.closes()[month] {
			failf("%s is closed: %q, and should be: %v", month, on, a.closes()[month])
		}
	}
}

// same ends the run where two answers differ.
func same(what string, is, want any) {
	if x, y := fmt.Sprintf("%+v", is), fmt.Sprintf("%+v", want); x != y {
		failf("%s are\n%s\nand should be\n%s", what, x, y)
	}
}

// checkLines compares the lines of a type that count, page after page.
func (w *World) checkLines(f *ledger.Follower, a *acts, t journal.Type) {
	var is, want []string
	for after := ""; ; {
		page, next, err := f.Lines(w.ctx, ledger.LineQuery{Type: t, Limit: 7, After: after})
		must(err, "ask for lines")
		for i := range page {
			is = append(is, fmt.Sprintf("%+v undone %v", page[i].Line, page[i].Undone != 0))
		}
		if after = next; next == "" {
			break
		}
	}
	for i := range a.lines {
		if l := a.lines[i]; l.line.Type() == t {
			want = append(want, fmt.Sprintf("%+v undone %v", l.line, l.undone))
		}
	}
	same("the lines of type "+fmt.Sprint(t), strings.Join(is, "\n"), strings.Join(want, "\n"))
	w.answer("lines %d %v", t, is)
}

// checkCredits compares the deposits and declarations that hold, and what came in
// by month and by day.
func (w *World) checkCredits(f *ledger.Follower, a *acts) {
	var holds, declared []string
	realized, byDay := map[string]city.Rupiah{}, map[string]city.Rupiah{}
	for i := range a.lines {
		switch l := a.lines[i].line.(type) {
		case *journal.Deposit:
			if !a.lines[i].undone && l.Reverses == "" {
				holds = append(holds, fmt.Sprintf("%+v", l))
			}
			realized[l.CreditedOn[:7]+" "+l.Account+" "+l.Operator+" "+l.Site+" "+l.Kind] += signedNet(l)
			byDay[l.CreditedOn+" "+l.Account] += signedNet(l)
		case *journal.Declaration:
			if !a.lines[i].undone {
				declared = append(declared, fmt.Sprintf("%+v of op-01", l))
			}
		}
	}
	var is []string
	must(f.EachCredit(w.ctx, firstDay, lastDay, func(d *journal.Deposit) { is = append(is, fmt.Sprintf("%+v", d)) }), "ask for credits")
	slices.Sort(holds)
	slices.Sort(is)
	same("the deposits that hold", strings.Join(is, "\n"), strings.Join(holds, "\n"))
	is = nil
	for _, month := range []string{"2026-09", "2026-10", "2026-11", "2026-12"} {
		must(f.EachDeclaration(w.ctx, month, func(d *journal.Declaration, operator string) { is = append(is, fmt.Sprintf("%+v of %s", d, operator)) }), "ask for declarations")
	}
	slices.Sort(declared)
	slices.Sort(is)
	same("the declarations that hold", strings.Join(is, "\n"), strings.Join(declared, "\n"))
	months, days := map[string]city.Rupiah{}, map[string]city.Rupiah{}
	must(f.EachCredited(w.ctx, 2026, false, func(c *ledger.Credited) { months[c.On[:7]+" "+c.Account+" "+c.Operator+" "+c.Site+" "+c.Kind] += c.Net }), "ask for the year")
	must(f.EachCredited(w.ctx, 2026, true, func(c *ledger.Credited) { days[c.On+" "+c.Account] += c.Net }), "ask for the year's days")
	same("the credits by month", some(months), some(realized))
	same("the credits by day", some(days), some(byDay))
	w.answer("credits %+v", some(realized))
}

// some leaves out sums of nothing.
func some(sums map[string]city.Rupiah) map[string]city.Rupiah {
	out := map[string]city.Rupiah{}
	for key, sum := range sums {
		if sum != 0 {
			out[key] = sum
		}
	}
	return out
}
