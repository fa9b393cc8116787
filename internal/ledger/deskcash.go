package ledger

import (
	"database/sql"
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// karcisRow is a range of numbers of a series in a state.
type karcisRow struct {
	series, state string
	first, last   uint64
	class         city.Class
	price         int64
	n             uint64
}

func (r *karcisRow) values() []any {
	return []any{r.series, r.state, int64(r.first), int64(r.last), int64(r.class), r.price, int64(r.n)}
}

// karcis books what became of a range. A number is issued once; only what was
// issued is sold, void or returned, each once; what was returned is not sold.
// What is sold is a claim, as a receipt is, and in the sums of its day.
func (d *desk) karcis(l *journal.Karcis, e *Entry) error {
	e.Site, e.Class, e.Day = l.Site, l.Class, d.past("date", l.Date)
	if l.State == "sold" {
		e.Amount = l.Price * city.Rupiah(l.Last-l.First+1)
	}
	if s := d.siteOf(l.Site); s != nil {
		e.Kecamatan, e.Operator, e.NOPD, e.Levy = s.Kecamatan, s.Operator, s.NOPD, s.Levy
	}
	if l.Attendant != "" {
		d.attendant("attendant", l.Attendant, l.Site, l.Date)
	}
	if l.Reverses != "" {
		return d.karcisBack(l, e)
	}
	rules := map[string][]string{
		"issued": {"issued"}, "sold": {"sold", "returned"}, "returned": {"returned", "sold"}, "void": {"void"},
	}
	for _, state := range rules[l.State] {
		if taken, err := d.numbers(l.Series, state, l.First, l.Last); err != nil {
			return err
		} else if len(taken) > 0 {
			d.fault("first", fmt.Sprintf("numbers %d to %d of the series are %s already, by entry %d", taken[0].first, taken[0].last, state, taken[0].n))
			return nil
		}
	}
	if l.State != "issued" {
		issued, err := d.numbers(l.Series, "issued", l.First, l.Last)
		if err != nil {
			return err
		}
		d.covered(l, issued)
	}
	if d.faulty() {
		return nil
	}
	if err := d.effect(l, e, 1); err != nil {
		return err
	}
	r := karcisRow{l.Series, l.State, l.First, l.Last, l.Class, int64(l.Price), d.n + 1}
	v := r.values()
	return d.exec("INSERT OR REPLACE INTO karcis (series, state, first, last, class, price, n, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", append(v, sqlite.Sum("karcis", v...))...)
}

// covered tells where numbers were not issued, or as others.
func (d *desk) covered(l *journal.Karcis, issued []karcisRow) {
	next := l.First
	for _, r := range issued {
		if r.first > next {
			break
		}
		next = r.last + 1
		if r.class != l.Class || r.price != int64(l.Price) {
			d.fault("price", fmt.Sprintf("numbers %d to %d were issued for class %q at %d rupiah", r.first, r.last, r.class, r.price))
			return
		}
	}
	if next <= l.Last {
		d.fault("first", fmt.Sprintf("number %d of the series was not issued", next))
	}
}

// numbers returns the ranges of a series and state that touch a range, in order.
func (d *desk) numbers(series, state string, first, last uint64) ([]karcisRow, error) {
	rows, err := d.tx.QueryContext(d.ctx, touching, series, state, int64(last), int64(first))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return scanKarcis(rows, series, state)
}

// touching selects the ranges of a series and state that touch one, given its last
// number and its first.
const touching = "SELECT first, last, class, price, n, sum FROM karcis WHERE series = ? AND state = ? AND first <= ? AND last >= ? ORDER BY first"

func scanKarcis(rows *sql.Rows, series, state string) ([]karcisRow, error) {
	var out []karcisRow
	for rows.Next() {
		r := karcisRow{series: series, state: state}
		var sum int64
		if err := rows.Scan(&r.first, &r.last, &r.class, &r.price, &r.n, &sum); err != nil {
			return nil, err
		}
		if err := sqlite.CheckSum(sum, "karcis", r.values()...); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// karcisBack takes a range back whole; one that was issued only while nothing
// became of its numbers.
func (d *desk) karcisBack(l *journal.Karcis, e *Entry) error {
	r, err := d.undo("reverses", journal.TypeKarcis, l.Reverses)
	if err != nil || r == nil {
		return err
	}
	line, err := r.entry.line()
	if err != nil {
		return err
	}
	was, ok := line.(*journal.Karcis)
	if !ok || was.Reverses != "" {
		d.fault("reverses", "is itself one that takes back: send the range again under a new reference")
		return nil
	}
	for _, pair := range []struct {
		field   string
		is, was any
	}{
		{"state", l.State, was.State},
		{"series", l.Series, was.Series},
		{"first", l.First, was.First},
		{"last", l.Last, was.Last},
		{"class", l.Class, was.Class},
		{"price", l.Price, was.Price},
		{"site", l.Site, was.Site},
	} {
		d.same(pair.field, pair.is, pair.was)
	}
	if l.State == "issued" {
		for _, state := range KarcisStates[1:] {
			if used, err := d.numbers(l.Series, state, l.First, l.Last); err != nil {
				return err
			} else if len(used) > 0 {
				d.fault("reverses", fmt.Sprintf("numbers %d to %d are %s since: take that back first", used[0].first, used[0].last, state))
				return nil
			}
		}
	}
	negate(e, r)
	if err := d.effect(l, r.entry, -1); err != nil {
		return err
	}
	return d.exec("DELETE FROM karcis WHERE series = ? AND state = ? AND first = ?", was.Series, was.State, int64(was.First))
}

// siteOf is site for one that may be left out.
func (d *desk) siteOf(id string) *inventory.Site {
	if id == "" {
		return nil
	}
	return d.site("site", id)
}

// attendant checks that attendants.csv has someone at a site on a date; without
// a site at any.
func (d *desk) attendant(field, id, site, date string) {
	_, ok := inventory.Find(d.timeline, d.e.Pos, func(v *inventory.Version) (bool, bool) {
		for _, a := range v.Attendants {
			if a.ID == id && (site == "" || a.Site == site) && a.From <= date && (a.To == "" || date <= a.To) {
				return true, true
			}
		}
		return false, false
	})
	if !ok {
		d.fault(field, "attendants.csv has no such attendant there on "+date+": correct it or the file")
	}
}

// handover books cash that went from one hand to the next.
func (d *desk) handover(l *journal.Handover, e *Entry) error {
	e.Site, e.Amount, e.Day = l.Site, l.Amount, d.past("handed_on", l.HandedOn)
	if s := d.siteOf(l.Site); s != nil {
		e.Kecamatan, e.Operator, e.NOPD, e.Levy = s.Kecamatan, s.Operator, s.NOPD, s.Levy
	}
	if l.Hop == "collector" {
		d.attendant("from", l.From, l.Site, l.CollectedOn)
	}
	if l.Reverses == "" {
		return nil
	}
	r, err := d.undo("reverses", journal.TypeHandover, l.Reverses)
	if err != nil || r == nil {
		return err
	}
	line, err := r.entry.line()
	if err != nil {
		return err
	}
	was, ok := line.(*journal.Handover)
	if !ok || was.Reverses != "" {
		d.fault("reverses", "is itself one that takes back: send the hand-over again under a new reference")
		return nil
	}
	for _, pair := range []struct {
		field   string
		is, was any
	}{
		{"hop", l.Hop, was.Hop},
		{"from", l.From, was.From},
		{"to", l.To, was.To},
		{"site", l.Site, was.Site},
		{"collected_on", l.CollectedOn, was.CollectedOn},
		{"amount", l.Amount, was.Amount},
	} {
		d.same(pair.field, pair.is, pair.was)
	}
	negate(e, r)
	return nil
}
