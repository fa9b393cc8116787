package world

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
)

// rates are what of the recorded is due, by the site's levy.
var rates = map[string]float64{"street": 1, "special": 0.7, "pbjt": 0.1}

// books are all receipts at once, in the order of their time.
type books struct {
	counted map[uint64]bool // by journal position
	records map[uint64]*city.Reading
	rows    map[cell]*ledger.DailyRow
}

// cell is one sum: of a day, by what it is grouped by.
type cell struct{ date, group, key string }

func newBooks(m *model) *books {
	b := &books{counted: map[uint64]bool{}, records: map[uint64]*city.Reading{}, rows: map[cell]*ledger.DailyRow{}}
	type sheet struct {
		r   *city.Reading
		pos uint64
		at  int64
	}
	var sheets []sheet
	for i := range m.entries {
		e := &m.entries[i]
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
	return b
}

// add counts a receipt, or takes one away, on the day of a time.
func (b *books) add(m *model, at int64, of *city.Reading, n int64) {
	s := m.w.plan.site(m.w.plan.device(of.Device).site)
	for group, key := range map[string]string{
		"site": s.id, "operator": s.operator, "kecamatan": s.kecamatan, "method": of.Receipt.Method.String(), "class": of.Receipt.Class.String(),
	} {
		c := cell{dateOf(at), group, key}
		if b.rows[c] == nil {
			b.rows[c] = &ledger.DailyRow{Date: c.date, Key: key}
		}
		row := b.rows[c]
		row.Receipts += n
		row.Recorded += city.Rupiah(n) * of.Receipt.Amount
		if n < 0 {
			row.Voids++
		}
		if group == "site" {
			row.Due = city.Rupiah(math.Floor(float64(row.Recorded)*rates[s.levy] + 0.5))
		}
	}
}

// checkBooks compares every day's sums and every receipt.
func (w *World) checkBooks(f *ledger.Follower) {
	b := newBooks(w.model)
	for _, group := range []string{"site", "operator", "kecamatan", "method", "class"} {
		is, err := f.Daily(w.ctx, ledger.DailyQuery{FromDate: "2026-09-01", ToDate: "2027-01-01", Group: group})
		must(err, "ask for the days' sums")
		var want []ledger.DailyRow
		for c, row := range b.rows {
			if c.group == group {
				want = append(want, *row)
			}
		}
		slices.SortFunc(want, func(x, y ledger.DailyRow) int { return cmp.Or(cmp.Compare(x.Date, y.Date), cmp.Compare(x.Key, y.Key)) })
		for i := range is {
			is[i].Name = ""
			if group != "site" {
				is[i].Due = 0
			}
		}
		if text, must := fmt.Sprintf("%+v", nonzero(is)), fmt.Sprintf("%+v", nonzero(want)); text != must {
			failf("the books by %s are\n%s\nand should be\n%s", group, text, must)
		}
		w.answer("books %s %+v", group, nonzero(is))
	}
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
