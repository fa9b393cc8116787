package world

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
)

// rates are what of the recorded is due, by the site's levy.
var rates = map[string]float64{"street": 1, "special": 0.7, "pbjt": 0.1}

// base is the smallest sum: of a day.
type base struct{ date, site, class, method string }

// amounts are what a base has.
type amounts struct{ receipts, voids, amount int64 }

func (a amounts) plus(b amounts, sign int64) amounts {
	return amounts{a.receipts + sign*b.receipts, a.voids + sign*b.voids, a.amount + sign*b.amount}
}

// books are all receipts at once, in the order of their time, and what is sold of
// karcis.
type books struct {
	counted map[uint64]bool // by journal position
	records map[uint64]*city.Reading
	sums    map[base]amounts
}

func newBooks(m *model, entries []journal.Entry, sold map[base]int64) *books {
	b := &books{counted: map[uint64]bool{}, records: map[uint64]*city.Reading{}, sums: map[base]amounts{}}
	type sheet struct {
		r   *city.Reading
		pos uint64
		at  int64
	}
	var sheets []sheet
	for i := range entries {
		e := &entries[i]
		if e.Type != journal.TypeReading || e.Reading.Receipt == nil {
			continue
		}
		s := sheet{r: e.Reading, pos: e.Pos, at: e.Reading.At}
		if s.r.Receipt.Void { // a clock may have been set right since the receipt
			s.at += 5 * minute
		}
		sheets = append(sheets, s)
		b.records[e.Pos] = e.Reading
	}
	boot := func(r *city.Reading) int64 {
		if !r.HasBoot {
			return -1
		}
		return int64(r.Boot)
	}
	sort.SliceStable(sheets, func(i, j int) bool {
		x, y := sheets[i], sheets[j]
		return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(boot(x.r), boot(y.r)), cmp.Compare(x.r.Seq, y.r.Seq), cmp.Compare(x.pos, y.pos)) < 0
	})
	type head struct {
		r    *city.Reading
		void bool
	}
	heads := map[string]*head{}
	for _, s := range sheets {
		p := s.r.Receipt
		paper := fmt.Sprint(s.r.Device, " ", p.Number, " ", p.Amount)
		h := heads[paper]
		switch {
		case p.Void && (h == nil || h.void): // of what nobody knows, or void already
		case p.Void:
			h.void, b.counted[s.pos] = true, true
			b.add(m, s.r.At, h.r, -1)
		case h != nil && s.r.At-h.r.At <= 30*day: // a reprint
		default:
			heads[paper] = &head{r: s.r}
			b.counted[s.pos] = true
			b.add(m, s.r.At, s.r, 1)
		}
	}
	b.sell(sold)
	return b
}

// add counts a receipt, or takes one away, on the day of a time.
func (b *books) add(m *model, at int64, of *city.Reading, n int64) {
	c := base{dateOf(at), m.w.plan.device(of.Device).site, of.Receipt.Class.String(), of.Receipt.Method.String()}
	b.sums[c] = b.sums[c].plus(amounts{n, max(0, -n), n * int64(of.Receipt.Amount)}, 1)
}

// sell adds karcis beyond what cash receipts of the day, site and class stand for;
// then those without a class, for whatever is left.
func (b *books) sell(sold map[base]int64) {
	left := map[base]int64{}
	for c, amount := range b.sums {
		if c.method == city.Cash.String() {
			left[c] = amount.amount
		}
	}
	beyond := map[base]int64{}
	cover := func(c base, class string) {
		cash := base{c.date, c.site, class, city.Cash.String()}
		n := max(0, min(beyond[c], left[cash]))
		beyond[c] -= n
		left[cash] -= n
	}
	for c, amount := range sold {
		beyond[c] = amount
		cover(c, c.class)
	}
	for _, class := range []string{city.Car.String(), city.Motorcycle.String()} {
		for c := range sold {
			if c.class == class {
				cover(c, "")
			}
		}
	}
	for c, amount := range beyond {
		b.sums[c] = amounts{amount: amount}
	}
}

// filed is the view as filed: what changes a month after its close is taken for a
// change of the next month that is open, on the day it came or the nearest to it.
func (m *model) filed(a *acts) map[base]amounts {
	closed := map[string]bool{}
	var sold map[base]int64
	var seen []journal.Entry
	before, filed := map[base]amounts{}, map[base]amounts{}
	for i := range m.entries {
		e := &m.entries[i]
		if e.Type.IsAct() {
			sold = a.sold[e.Pos]
		} else if e.Type != journal.TypeReading || e.Reading.Receipt == nil {
			continue
		}
		seen = append(seen, *e)
		now := newBooks(m, seen, sold).sums
		for _, sums := range []map[base]amounts{now, before} {
			for c := range sums {
				change := now[c].plus(before[c], -1)
				before[c] = now[c]
				if closed[c.date[:7]] {
					c.date = filedOn(c.date, dateOf(e.Recv), closed)
				}
				filed[c] = filed[c].plus(change, 1)
			}
		}
		if e.Type.IsAct() {
			closed = a.closed[e.Pos]
		}
	}
	return filed
}

// filedOn is the day of the next open month that lies nearest to when it came.
func filedOn(date, came string, closed map[string]bool) string {
	month, err := time.ParseInLocation("2006-01", date[:7], zone)
	must(err, "parse a month")
	for closed[month.Format("2006-01")] {
		month = month.AddDate(0, 1, 0)
	}
	return min(max(came, month.Format(time.DateOnly)), month.AddDate(0, 1, -1).Format(time.DateOnly))
}

// rows are the sums by a group, without those of which nothing is left.
func (w *World) rows(group string, sums map[base]amounts) []ledger.DailyRow {
	rows := map[string]*ledger.DailyRow{}
	for c, a := range sums {
		s := w.plan.site(c.site)
		key := map[string]string{"site": s.id, "operator": s.operator, "kecamatan": s.kecamatan, "method": c.method, "class": c.class}[group]
		row := rows[c.date+key]
		if row == nil {
			row = &ledger.DailyRow{Date: c.date, Key: key}
			rows[c.date+key] = row
		}
		row.Receipts += a.receipts
		row.Voids += a.voids
		row.Recorded += city.Rupiah(a.amount)
	}
	var out []ledger.DailyRow
	for _, row := range rows {
		if group == "site" {
			row.Due = due(row.Recorded, w.plan.site(row.Key).levy)
		}
		out = append(out, *row)
	}
	slices.SortFunc(out, func(x, y ledger.DailyRow) int { return cmp.Or(cmp.Compare(x.Date, y.Date), cmp.Compare(x.Key, y.Key)) })
	return nonzero(out)
}

// due is the levy owed, rounded half up.
func due(recorded city.Rupiah, levy string) city.Rupiah {
	return city.Rupiah(math.Floor(float64(recorded)*rates[levy] + 0.5))
}

// The days that the books of a world have, and more.
const firstDay, lastDay = "2026-09-01", "2027-02-01"

// checkBooks compares every day's sums, in both views, and every receipt.
func (w *World) checkBooks(f *ledger.Follower) {
	a := foldActs(w.model.entries)
	b := newBooks(w.model, w.model.entries, a.sales())
	filed := w.model.filed(a)
	if fmt.Sprint(w.rows("site", filed)) != fmt.Sprint(w.rows("site", b.sums)) {
		w.stats.filed = 1
	}
	for view, sums := range map[bool]map[base]amounts{false: b.sums, true: filed} {
		for _, group := range []string{"site", "operator", "kecamatan", "method", "class"} {
			is, err := f.Daily(w.ctx, ledger.DailyQuery{FromDate: firstDay, ToDate: lastDay, Group: group, Filed: view})
			must(err, "ask for the days' sums")
			for i := range is {
				is[i].Name = ""
				if group != "site" {
					is[i].Due = 0
				}
			}
			if text, must := fmt.Sprintf("%+v", nonzero(is)), fmt.Sprintf("%+v", w.rows(group, sums)); text != must {
				failf("the books by %s (filed: %v) are\n%s\nand should be\n%s", group, view, text, must)
			}
			if !view {
				w.answer("books %s %+v", group, nonzero(is))
			}
		}
	}
	w.checkReceipts(f, b)
	w.checkActs(f, a)
}

// checkReceipts compares every receipt.
func (w *World) checkReceipts(f *ledger.Follower, b *books) {
	after, n := "", 0
	for {
		list, next, err := f.Receipts(w.ctx, ledger.ReceiptQuery{From: math.MinInt64 / 2, To: math.MaxInt64, Limit: 500, After: after})
		must(err, "ask for receipts")
		for i := range list {
			x := &list[i]
			r := b.records[x.Pos]
			n++
			if r == nil || x.Device != r.Device || x.Number != r.Receipt.Number || x.Amount != r.Receipt.Amount || x.At != r.At ||
				x.Void != r.Receipt.Void || x.Site != w.plan.device(r.Device).site {
				failf("receipt %+v is not the journal's %+v", x, r)
			}
			if x.Counted != b.counted[x.Pos] {
				failf("receipt %+v counts: %v, and should: %v", x, x.Counted, b.counted[x.Pos])
			}
		}
		if after = next; next == "" {
			break
		}
	}
	if n != len(b.records) {
		failf("the books have %d receipts, the journal %d", n, len(b.records))
	}
}

// nonzero leaves out days on which all was taken away again.
func nonzero(rows []ledger.DailyRow) (out []ledger.DailyRow) {
	for _, r := range rows {
		if r.Receipts != 0 || r.Recorded != 0 || r.Voids != 0 {
			out = append(out, r)
		}
	}
	return out
}
