package endtoend_test

import (
	"math"
	"sort"
	"strconv"

	"github.com/simpang-id/simpang/internal/inventory"
)

// rates are what of the recorded is due in testdata/city, by the site's levy.
var rates = map[inventory.Levy]float64{inventory.LevyStreet: 1, inventory.LevySpecial: 0.7, inventory.LevyPBJT: 0.1}

// bookRow is a row of /v1/revenue/daily.
type bookRow struct {
	Date     string `json:"date"`
	Key      string `json:"key"`
	Receipts int64  `json:"receipts"`
	Voids    int64  `json:"voids"`
	Recorded int64  `json:"recorded"`
	Due      int64  `json:"due"`
	DueKnown bool   `json:"due_known"`
}

// receipt is an item of /v1/revenue/receipts.
type receipt struct {
	ID      string `json:"id"`
	Device  string `json:"device"`
	Site    string `json:"site"`
	Account string `json:"account"`
	Receipt string `json:"receipt"`
	Amount  int64  `json:"amount"`
	Method  string `json:"method"`
	Class   string `json:"class"`
	Void    bool   `json:"void"`
	Counted bool   `json:"counted"`
}

// key tells receipts apart: ids alone do not where a meter counts no boots.
func (r receipt) key() string { return r.ID + " " + r.Receipt + " " + strconv.FormatBool(r.Void) }

// books keeps every receipt once.
type books struct {
	receipts map[string]receipt // by key
	rows     []bookRow          // Key: of the group that was asked for
}

// newBooks folds what meters delivered, grouped by site, method or class.
func newBooks(v *inventory.Version, w *world, group string) books {
	b := books{receipts: map[string]receipt{}}
	type cell struct{ date, key string }
	cells := map[cell]*bookRow{}
	bySite := map[cell]int64{} // recorded, by day and site: what is due is rounded there
	for id, f := range w.devices {
		d := v.Device(id)
		if d == nil || d.Kind != inventory.DeviceMeter {
			continue
		}
		list := append([]reading(nil), f.delivered...)
		sort.SliceStable(list, func(i, j int) bool { return list[i].At.Before(list[j].At) })
		known := map[string]int64{}
		for _, r := range list {
			if r.Kind != "receipt" {
				continue
			}
			amount, again := known[r.Receipt]
			again = again && amount == r.Amount
			item := receipt{
				ID: r.name(id), Device: id, Site: d.Site, Receipt: r.Receipt, Amount: r.Amount, Method: r.Method, Class: r.Class,
				Void: r.Void, Counted: again == r.Void,
			}
			b.receipts[item.key()] = item
			if !item.Counted {
				continue
			}
			known[r.Receipt] = r.Amount
			date := r.At.In(zone).Format("2006-01-02")
			key := map[string]string{"site": d.Site, "method": r.Method, "class": r.Class}[group]
			row := cells[cell{date, key}]
			if row == nil {
				row = &bookRow{Date: date, Key: key, DueKnown: true}
				cells[cell{date, key}] = row
			}
			n := int64(1)
			if r.Void {
				n = -1
				row.Voids++
			}
			row.Receipts += n
			row.Recorded += n * r.Amount
			bySite[cell{date, d.Site}] += n * r.Amount
		}
	}
	for c, row := range cells {
		if group == "site" {
			row.Due = int64(math.Floor(float64(bySite[c])*rates[v.Site(c.key).Levy] + 0.5))
		}
		b.rows = append(b.rows, *row)
	}
	sort.Slice(b.rows, func(i, j int) bool {
		return b.rows[i].Date+b.rows[i].Key < b.rows[j].Date+b.rows[j].Key
	})
	return b
}
