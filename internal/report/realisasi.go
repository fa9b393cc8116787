package report

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

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
const Fewest = 3

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
	y := &yearly{v: v, q: q, cells: map[cellKey]*yearCell{}, months: map[string]*[2][12]int64{}}
	if err := r.o.Books.EachSum(ctx, from, to, y.sum); err != nil {
		return nil, err
	}
	// A credit of this year may be for a month of any other.
	credits, known, err := r.credits(ctx, fmt.Sprintf("%04d-01-01", firstYear), fmt.Sprintf("%04d-01-01", lastYear))
	if err != nil {
		return nil, err
	}
	y.known = known
	for i := range credits {
		if c := &credits[i]; c.CreditedOn >= from && c.CreditedOn < to {
			y.credit(c)
		}
	}
	y.planned(r.today(q.Now))
	return &Realisasi{q.Year, y.rows(), y.projections(r.today(q.Now))}, nil
}

type cellKey struct{ period, kecamatan, account string }

type yearCell struct {
	recorded, due, realized int64
	noRate                  bool
	payers, creditors       map[string]bool // NPWPD of what was recorded, and of the credits
}

// few tells that a figure is of one or two taxpayers.
func (c *yearCell) few() bool {
	return len(c.payers) > 0 && len(c.payers) < Fewest || len(c.creditors) > 0 && len(c.creditors) < Fewest
}

// yearly is a year being added up.
type yearly struct {
	v      *inventory.Version
	q      RealisasiQuery
	known  bool
	cells  map[cellKey]*yearCell
	months map[string]*[2][12]int64 // by account: due, realized
}

func (y *yearly) cell(date, kecamatan, account string) *yearCell {
	key := cellKey{periodOf(date, y.q.By), "", account}
	if y.q.Group == "kecamatan" {
		key.kecamatan = kecamatan
	}
	c := y.cells[key]
	if c == nil {
		c = &yearCell{payers: map[string]bool{}, creditors: map[string]bool{}}
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

// planned makes a cell of each period that has begun and of which an account has
// a target: nothing may have come in it.
func (y *yearly) planned(today string) {
	if y.q.Group != "account" || y.q.By == "day" {
		return
	}
	for i := range y.v.Accounts {
		account := y.v.Accounts[i].Account
		for month := 1; month <= 12; month++ {
			date := fmt.Sprintf("%04d-%02d-01", y.q.Year, month)
			if date <= today && y.target(account, periodOf(date, y.q.By)).OK {
				y.cell(date, "", account)
			}
		}
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
	if s.NPWPD != "" {
		c.payers[s.NPWPD] = true
	}
	due, _ := y.monthly(s.Account, s.Date)
	*due += int64(s.Due)
	return nil
}

func (y *yearly) credit(c *Credit) {
	kecamatan := ""
	if s := y.v.Site(c.Site); s != nil {
		kecamatan = s.Kecamatan
	}
	cell := y.cell(c.CreditedOn, kecamatan, c.Account)
	cell.realized += int64(c.Net)
	if o := y.v.Operator(c.Operator); o != nil && o.NPWPD != "" {
		cell.creditors[o.NPWPD] = true
	}
	_, realized := y.monthly(c.Account, c.CreditedOn)
	*realized += int64(c.Net)
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
		if y.q.Group == "account" {
			row.Target, row.YearTarget = y.target(key.account, key.period), y.target(key.account, strconv.Itoa(y.q.Year))
		}
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
	payers := map[cellKey]map[string]bool{}
	for key, c := range y.cells {
		if levyOf(y.v, key.account) != inventory.LevyPBJT {
			continue
		}
		series := cellKey{"", key.kecamatan, key.account}
		if payers[series] == nil {
			payers[series] = map[string]bool{}
		}
		maps.Copy(payers[series], c.payers)
		maps.Copy(payers[series], c.creditors)
		hidden[series] = hidden[series] || c.few()
	}
	for account := range y.months {
		for y.hideOneMore(account, payers, hidden) {
		}
	}
	return hidden
}

// hideOneMore hides the smallest series of an account where those that are
// hidden are of one or two taxpayers together.
func (y *yearly) hideOneMore(account string, payers map[cellKey]map[string]bool, hidden map[cellKey]bool) bool {
	together := map[string]bool{}
	var shown []cellKey
	for series, who := range payers {
		switch {
		case series.account != account:
		case hidden[series]:
			maps.Copy(together, who)
		default:
			shown = append(shown, series)
		}
	}
	if len(together) == 0 || len(together) >= Fewest || len(shown) == 0 {
		return false
	}
	hidden[slices.MinFunc(shown, func(a, b cellKey) int {
		return cmp.Or(cmp.Compare(len(payers[a]), len(payers[b])), strings.Compare(a.kecamatan, b.kecamatan))
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

// target returns what an account should bring in a period: a year, month or
// quarter; a quarter only where each of its months has a target. Lines of sites
// add up where the city has none.
func (y *yearly) target(account, period string) city.Int {
	months := []int{0}
	switch {
	case len(period) == len("2026-03-02"):
		return city.Int{}
	case strings.Contains(period, "Q"):
		q := int(period[len(period)-1] - '0')
		months = []int{q*3 - 2, q*3 - 1, q * 3}
	case len(period) == len("2026-03"):
		m, _ := strconv.Atoi(period[5:])
		months = []int{m}
	}
	budgets := []string{y.q.Budget}
	if y.q.Budget == "" {
		budgets = []string{"perubahan", "murni"}
	}
	for _, budget := range budgets {
		if t := y.sumOf(account, budget, months); t.OK {
			return t
		}
		if months[0] == 0 {
			if t := y.sumOf(account, budget, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}); t.OK {
				return t
			}
		}
	}
	return city.Int{}
}

// sumOf adds up the targets of months; unset where one of them has none.
func (y *yearly) sumOf(account, budget string, months []int) (sum city.Int) {
	for _, month := range months {
		var whole, sites city.Int
		for i := range y.v.Targets {
			t := &y.v.Targets[i]
			switch {
			case t.Account != account || t.Year != y.q.Year || t.Budget != budget || t.Month != month:
			case t.Site == "":
				whole = city.SomeInt(int64(t.Target))
			default:
				sites = city.SomeInt(sites.V + int64(t.Target))
			}
		}
		if !whole.OK {
			whole = sites
		}
		if !whole.OK {
			return city.Int{}
		}
		sum = city.SomeInt(sum.V + whole.V)
	}
	return sum
}

func (y *yearly) projections(today string) []Projection {
	over := 0 // months of the year that are over
	switch year := strconv.Itoa(y.q.Year); {
	case today[:4] > year:
		over = 12
	case today[:4] == year:
		month, _ := strconv.Atoi(today[5:7])
		over = month - 1
	}
	var out []Projection
	for _, account := range slices.Sorted(maps.Keys(y.months)) {
		first := min(y.firstMonth(account), over)
		for i, of := range []string{"due", "realized"} {
			if of == "realized" && !y.known || y.q.Totals && levyOf(y.v, account) == inventory.LevyPBJT && y.payers(account, of) < Fewest {
				continue
			}
			months := y.months[account][i]
			var since int64
			for _, amount := range months[over:] {
				since += amount
			}
			p := Project(months[first:over], since, 12-over)
			p.Account, p.Of, p.Target = account, of, y.target(account, strconv.Itoa(y.q.Year))
			out = append(out, p)
		}
	}
	return out
}

// firstMonth returns the first month, from 0, of which the books have anything
// of an account: the months before it are not known, they brought not nothing.
func (y *yearly) firstMonth(account string) int {
	m := y.months[account]
	for month := range m[0] {
		if m[0][month] != 0 || m[1][month] != 0 {
			return month
		}
	}
	return len(m[0])
}

// payers counts the taxpayers of an account's due or realized.
func (y *yearly) payers(account, of string) int {
	all := map[string]bool{}
	for key, c := range y.cells {
		switch {
		case key.account != account:
		case of == "due":
			maps.Copy(all, c.payers)
		default:
			maps.Copy(all, c.creditors)
		}
	}
	return len(all)
}

// t95 are the 95 % quantiles of Student's t by degrees of freedom, from 1.
var t95 = [...]float64{6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796}

// leastMonths is from how many months a year is projected.
const leastMonths = 3

// Project adds the months to come to those that are over, as if they were drawn
// from the same: their mean, and an interval of nine in ten by Student's t. It
// knows no season and no trend. With fewer than three months it knows nothing.
// What came since they were over, in the first of the rest, is never taken away.
func Project(done []int64, since int64, rest int) Projection {
	p := Projection{Months: len(done)}
	var sum float64
	for _, v := range done {
		sum += float64(v)
	}
	n, least := float64(len(done)), sum+float64(since)
	if rest == 0 {
		p.Known, p.Low, p.Mid, p.High = true, city.Rupiah(sum), city.Rupiah(sum), city.Rupiah(sum)
		return p
	}
	if len(done) < leastMonths {
		return p
	}
	var square float64
	for _, v := range done {
		square += (float64(v) - sum/n) * (float64(v) - sum/n)
	}
	coming := float64(rest)
	width := t95[len(done)-2] * math.Sqrt(square/(n-1)*(coming+coming*coming/n))
	mid := max(least, sum+coming*sum/n)
	p.Known = true
	p.Low, p.Mid, p.High = city.Rupiah(max(least, mid-width)), city.Rupiah(math.Round(mid)), city.Rupiah(math.Ceil(mid+width))
	return p
}
