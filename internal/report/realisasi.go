package report

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/ledger"
)

// By lists the periods of Realisasi, Groups what it can group by.
var (
	By     = []string{"day", "month", "quarter", "year"}
	Groups = []string{"account", "kecamatan"}
)

// Fewest is how many taxpayers a PBJT cell must have to be shown to those who
// see totals only.
const Fewest = ledger.Fewest

// RealisasiQuery asks for a year.
type RealisasiQuery struct {
	Year   int
	By     string // of By
	Group  string // of Groups
	Budget string // murni, perubahan; "": perubahan where there is one, else murni
	Now    int64  // Unix ms
	Totals bool   // cells of fewer than three taxpayers are not told
}

// RealisasiRow is a period of an account, or of a kecamatan and account.
type RealisasiRow struct {
	Period, Kecamatan, Account, Name string
	Target                           city.Int // unset where none is set for this period
	Recorded                         city.Int
	Due                              city.Int // unset where a part has no rate
	Realized                         city.Int // credits net of fees, by the day on which they came; unset where nobody tells
	ToDate                           city.Int // realized from the year's begin
	YearTarget                       city.Int
	Suppressed                       bool
}

// Projection is what a year will bring, by its months that are over.
type Projection struct {
	Account, Of    string // of: due or realized
	Target         city.Int
	Months         int // that are over, from the first of which the books have anything
	Known          bool
	Low, Mid, High city.Rupiah // nine chances in ten, if the months to come are like those that were
}

// Realisasi is a year against its targets.
type Realisasi struct {
	Year        int
	Rows        []RealisasiRow
	Projections []Projection
}

// Realisasi compares a year with its targets, as known now.
func (r *Reporter) Realisasi(ctx context.Context, q RealisasiQuery) (*Realisasi, error) {
	from := strconv.Itoa(q.Year) + "-01-01"
	begin, err := r.day(from)
	if err != nil {
		return nil, err
	}
	to := strconv.Itoa(q.Year+1) + "-01-01"
	end, err := r.day(to)
	if err != nil {
		return nil, err
	}
	v, err := r.version(max(begin.begin+1, min(end.begin, q.Now)))
	if err != nil {
		return nil, err
	}
	y := &yearly{v: v, q: q, cells: map[cellKey]*yearCell{}, months: map[string]*[2][12]int64{}, targets: map[targetKey]city.Int{}}
	if err := r.o.Books.EachSum(ctx, from, to, y.sum); err != nil {
		return nil, err
	}
	if y.known = r.o.Treasury != nil; y.known {
		if err := r.o.Treasury.Credited(ctx, q.Year, q.By == "day", y.credit); err != nil {
			return nil, err
		}
	}
	y.fill(r.today(q.Now))
	return &Realisasi{q.Year, y.rows(), y.projections(r.today(q.Now))}, nil
}

type cellKey struct{ period, kecamatan, account string }

type yearCell struct {
	recorded, due, realized int64
	noRate                  bool
	payers, creditors       ledger.Payers // of what was recorded, and of the credits
}

// few tells that a figure is of one or two taxpayers.
func (c *yearCell) few() bool {
	return c.payers.Few() || c.creditors.Few()
}

// yearly is a year being added up.
type yearly struct {
	v      *inventory.Version
	q      RealisasiQuery
	known  bool
	cells  map[cellKey]*yearCell
	months map[string]*[2][12]int64 // by account: due, realized

	targets map[targetKey]city.Int
}

func (y *yearly) cell(date, kecamatan, account string) *yearCell {
	key := cellKey{periodOf(date, y.q.By), "", account}
	if y.q.Group == "kecamatan" {
		key.kecamatan = kecamatan
	}
	c := y.cells[key]
	if c == nil {
		c = &yearCell{payers: ledger.Payers{}, creditors: ledger.Payers{}}
		y.cells[key] = c
	}
	return c
}

// periodOf names the period of a date: 2026-03-02, 2026-03, 2026-Q1 or 2026.
func periodOf(date, by string) string {
	switch by {
	case "day":
		return date
	case "month":
		return date[:7]
	case "quarter":
		month, _ := strconv.Atoi(date[5:7])
		return date[:4] + "-Q" + strconv.Itoa((month+2)/3)
	default:
		return date[:4]
	}
}

func (y *yearly) monthly(account, date string) (due, realized *int64) {
	m := y.months[account]
	if m == nil {
		m = new([2][12]int64)
		y.months[account] = m
	}
	month, _ := strconv.Atoi(date[5:7])
	return &m[0][month-1], &m[1][month-1]
}

func (y *yearly) sum(s *ledger.Sum) error {
	c := y.cell(s.Date, s.Kecamatan, s.Account)
	c.recorded += int64(s.Amount)
	c.due += int64(s.Due)
	c.noRate = c.noRate || s.RatePPM < 0
	c.payers.Add(s.NPWPD, s.Operator, int64(s.Amount))
	due, _ := y.monthly(s.Account, s.Date)
	*due += int64(s.Due)
	return nil
}

func (y *yearly) credit(c *ledger.Credited) {
	kecamatan := ""
	if s := y.v.Site(c.Site); s != nil {
		kecamatan = s.Kecamatan
	}
	cell := y.cell(c.On, kecamatan, c.Account)
	cell.realized += int64(c.Net)
	cell.creditors.Add(c.NPWPD, c.Operator, int64(c.Net))
	_, realized := y.monthly(c.Account, c.On)
	*realized += int64(c.Net)
}

// fill makes the rows of which nothing is known but that it is nothing, of the
// periods that have begun: an account of accounts.csv without a receipt and
// credit has 0, as in the summary. By kecamatan only those with a target.
func (y *yearly) fill(today string) {
	last := min(today, strconv.Itoa(y.q.Year)+"-12-31")
	day := time.Date(y.q.Year, 1, 1, 0, 0, 0, 0, time.UTC)
	for ; day.Format(time.DateOnly) <= last; day = day.AddDate(0, 0, 1) {
		if y.q.By != "day" && day.Day() != 1 {
			continue
		}
		date := day.Format(time.DateOnly)
		for i := range y.v.Accounts {
			account := y.v.Accounts[i].Account
			if y.q.Group == "account" {
				y.cell(date, "", account)
				y.monthly(account, date)
				continue
			}
			for _, kecamatan := range y.targeted(account) {
				y.cell(date, kecamatan, account)
			}
		}
	}
}

// targeted returns the kecamatan whose sites have a target of an account.
func (y *yearly) targeted(account string) []string {
	var list []string
	for i := range y.v.Targets {
		t := &y.v.Targets[i]
		if s := y.v.Site(t.Site); s != nil && t.Account == account && t.Year == y.q.Year && !slices.Contains(list, s.Kecamatan) {
			list = append(list, s.Kecamatan)
		}
	}
	return list
}

func (y *yearly) rows() []RealisasiRow {
	keys := make([]cellKey, 0, len(y.cells))
	for key := range y.cells {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b cellKey) int {
		return strings.Compare(a.period+"\x00"+a.kecamatan+"\x00"+a.account, b.period+"\x00"+b.kecamatan+"\x00"+b.account)
	})
	hidden := y.hidden()
	toDate := map[cellKey]int64{}
	out := make([]RealisasiRow, 0, len(keys))
	for _, key := range keys {
		c := y.cells[key]
		row := RealisasiRow{Period: key.period, Kecamatan: key.kecamatan, Account: key.account, Name: accountName(y.v, key.account)}
		of := targetKey{account: key.account, period: key.period, kecamatan: key.kecamatan, city: y.q.Group == "account"}
		row.Target = y.target(of)
		of.period = strconv.Itoa(y.q.Year)
		row.YearTarget = y.target(of)
		sum := cellKey{"", key.kecamatan, key.account}
		toDate[sum] += c.realized
		if row.Suppressed = hidden[sum]; !row.Suppressed {
			row.Recorded, row.Due = city.SomeInt(c.recorded), city.Int{V: c.due, OK: !c.noRate}
			row.Realized, row.ToDate = city.Int{V: c.realized, OK: y.known}, city.Int{V: toDate[sum], OK: y.known}
		}
		out = append(out, row)
	}
	return out
}

// hidden returns the rows' series (a kecamatan's account, over the year) that
// who sees totals only is not told: those with a cell of one or two taxpayers,
// whole, since the year's sum would tell it; and more of them while all that is
// hidden of an account is of fewer than three, since the city's sum would.
func (y *yearly) hidden() map[cellKey]bool {
	hidden := map[cellKey]bool{}
	if !y.q.Totals {
		return hidden
	}
	payers := map[cellKey]ledger.Payers{}
	for key, c := range y.cells {
		if levyOf(y.v, key.account) != inventory.LevyPBJT {
			continue
		}
		series := cellKey{"", key.kecamatan, key.account}
		if payers[series] == nil {
			payers[series] = ledger.Payers{}
		}
		payers[series].AddAll(c.payers)
		payers[series].AddAll(c.creditors)
		hidden[series] = hidden[series] || c.few()
	}
	for account := range y.months {
		for y.hideOneMore(account, payers, hidden) {
		}
	}
	return hidden
}

// hideOneMore hides the smallest series of an account where those that are
// hidden are of one or two taxpayers together in a period.
func (y *yearly) hideOneMore(account string, payers map[cellKey]ledger.Payers, hidden map[cellKey]bool) bool {
	together := map[string]*yearCell{} // by period
	for key, c := range y.cells {
		if key.account != account || !hidden[cellKey{"", key.kecamatan, account}] {
			continue
		}
		t := together[key.period]
		if t == nil {
			t = &yearCell{payers: ledger.Payers{}, creditors: ledger.Payers{}}
			together[key.period] = t
		}
		t.payers.AddAll(c.payers)
		t.creditors.AddAll(c.creditors)
	}
	var shown []cellKey
	for series := range payers {
		if series.account == account && !hidden[series] {
			shown = append(shown, series)
		}
	}
	few := false
	for _, t := range together {
		few = few || t.few()
	}
	if !few || len(shown) == 0 {
		return false
	}
	hidden[slices.MinFunc(shown, func(a, b cellKey) int {
		return cmp.Or(cmp.Compare(payers[a].Count(), payers[b].Count()), strings.Compare(a.kecamatan, b.kecamatan))
	})] = true
	return true
}

func accountName(v *inventory.Version, account string) (name string) {
	for i := range v.Accounts {
		if v.Accounts[i].Account == account { // sorted by From
			name = v.Accounts[i].Name
		}
	}
	return name
}

// payers counts the taxpayers of an account's due or realized.
func (y *yearly) payers(account, of string) int {
	all := ledger.Payers{}
	for key, c := range y.cells {
		switch {
		case key.account != account:
		case of == "due":
			all.AddAll(c.payers)
		default:
			all.AddAll(c.creditors)
		}
	}
	return all.Count()
}
