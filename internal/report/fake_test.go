package report_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/report"
	"github.com/simpang-id/simpang/internal/report/expect"
)

var zone = time.FixedZone("WIB", 7*3600)

const (
	pbjt    = "4.1.01.19.04.0001"
	street  = "4.1.02.01.04.0001"
	special = "4.1.02.02.14.0001"
)

// fake is books, treasury, sensors and inventory that say what a test wrote.
type fake struct {
	v        *inventory.Version
	sums     []ledger.Sum
	filed    []ledger.Sum // nil: as sums
	closedOn map[string]string
	credits  []report.Credit
	declared []report.Declaration
	sold     []journal.Karcis
	expected map[string]expect.Answer
}

func (f *fake) EachSum(_ context.Context, from, to string, each func(*ledger.Sum) error) error {
	for _, s := range f.sums {
		if s.Date >= from && s.Date < to {
			if err := each(&s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *fake) EachView(ctx context.Context, from, to string, each func(*ledger.Sum, ledger.View) error) error {
	as := func(v ledger.View) func(*ledger.Sum) error { return func(s *ledger.Sum) error { return each(s, v) } }
	if f.filed == nil {
		return f.EachSum(ctx, from, to, as(ledger.KnownView|ledger.FiledView))
	}
	filed := &fake{sums: f.filed}
	return errors.Join(f.EachSum(ctx, from, to, as(ledger.KnownView)), filed.EachSum(ctx, from, to, as(ledger.FiledView)))
}

func (f *fake) EachLate(ctx context.Context, from, to string, each func(*ledger.Sum, ledger.View) error) error {
	if f.filed == nil {
		return nil
	}
	return f.EachView(ctx, from, to, each)
}

func (f *fake) ClosedOn(_ context.Context, month string) (string, error) {
	return f.closedOn[month], nil
}

func (f *fake) Credits(_ context.Context, from, to string) (list []report.Credit, _ error) {
	for _, c := range f.credits {
		if c.PeriodFrom < to && c.PeriodTo >= from {
			list = append(list, c)
		}
	}
	return list, nil
}

func (f *fake) Credited(_ context.Context, year int, daily bool, each func(*ledger.Credited)) error {
	for _, c := range f.credits {
		if c.CreditedOn[:4] != strconv.Itoa(year) {
			continue
		}
		x := &ledger.Credited{On: c.CreditedOn, Account: c.Account, Operator: c.Operator, Site: c.Site, Kind: c.Kind, Gross: c.Gross, Fee: c.Fee, Net: c.Net}
		if !daily {
			x.On = c.CreditedOn[:7] + "-01"
		}
		if o := f.v.Operator(c.Operator); o != nil {
			x.NPWPD = o.NPWPD
		}
		each(x)
	}
	return nil
}

func (f *fake) Sold(_ context.Context, date string) (list []journal.Karcis, _ error) {
	for _, k := range f.sold {
		if k.Date == date {
			list = append(list, k)
		}
	}
	return list, nil
}

func (f *fake) Declarations(_ context.Context, month string) (list []report.Declaration, _ error) {
	for _, d := range f.declared {
		if d.Month == month {
			list = append(list, d)
		}
	}
	return list, nil
}

func (f *fake) At(int64) *inventory.Version { return f.v }

var _ report.Treasury = (*fake)(nil)

func (f *fake) Day(_ context.Context, q expect.Question) (expect.Answer, error) {
	return f.expected[q.Site.ID], nil
}

// add records receipts at a site by the inventory, which says whose they are.
func (f *fake) add(date, site string, class city.Class, method city.Method, receipts int64, amount city.Rupiah) {
	s := f.v.Site(site)
	x := ledger.Sum{
		Date: date, Site: site, Kecamatan: s.Kecamatan, Operator: s.Operator, NOPD: s.NOPD, Levy: s.Levy, Class: class, Method: method,
		Receipts: receipts, Amount: amount, RatePPM: 1_000_000,
	}
	if o := f.v.Operator(s.Operator); o != nil {
		x.NPWPD = o.NPWPD
	}
	a := f.v.AccountFor(s.Levy, date)
	x.Account = a.Account
	switch {
	case a.RatePPM >= 0:
		x.RatePPM = a.RatePPM
	case a.SharePPM >= 0:
		x.RatePPM = a.SharePPM
	}
	x.Due = city.Rupiah((int64(amount)*x.RatePPM + 500_000) / 1_000_000)
	f.sums = append(f.sums, x)
}

func (f *fake) reporter(t *testing.T, treasury bool) *report.Reporter {
	t.Helper()
	o := report.Options{Books: f, Expected: f, Inventory: f, Zone: zone}
	if treasury {
		o.Treasury = f
	}
	r, err := report.New(o)
	require.NoError(t, err)
	return r
}

// at is a moment of a day, Unix ms.
func at(date string) int64 {
	t, err := time.ParseInLocation(time.DateOnly, date, zone)
	if err != nil {
		panic(err)
	}
	return t.Add(9 * time.Hour).UnixMilli()
}

// newFake is a city of three malls of two taxpayers, two streets and a special
// place.
func newFake(tb testing.TB) *fake {
	tb.Helper()
	var sites []string
	for _, s := range []struct{ id, levy, operator, nopd, kecamatan string }{
		{"mall-1", "pbjt", "op-1", "N.1", "Barat"},
		{"mall-2", "pbjt", "op-1", "N.2", "Barat"},
		{"mall-3", "pbjt", "op-2", "N.3", "Utara"},
		{"street-1", "street", "dishub", "", "Timur"},
		{"street-2", "street", "dishub", "", "Timur"},
		{"terminal", "special", "upt", "", "Utara"},
	} {
		sites = append(sites, fmt.Sprintf(`{"type":"Feature","geometry":{"type":"Point","coordinates":[107.0,-6.24]},"properties":{"id":%q,"name":"Lot %s","kind":"off_street",
"kecamatan":%q,"operator":%q,"nopd":%q,"levy":%q,"tariff":"t","detection":"spots","capacity":{"car":10,"motorcycle":10}}}`, s.id, s.id, s.kecamatan, s.operator, s.nopd, s.levy))
	}
	v, faults := inventory.Parse(map[string][]byte{
		"sites.geojson":    []byte(`{"type":"FeatureCollection","features":[` + strings.Join(sites, ",") + `]}`),
		"segments.geojson": []byte(`{"type":"FeatureCollection","features":[]}`),
		"devices.csv":      []byte("id,kind\n"),
		"operators.csv":    []byte("id,name,npwpd\ndishub,Dinas Perhubungan,\nupt,UPTD,\nop-1,Satu,P.1\nop-2,Dua,P.2\n"),
		"accounts.csv":     []byte("account,name,levy,agency,rate,share,from\n" + pbjt + ",PBJT Parkir,pbjt,bapenda,0.1,,\n" + street + ",Tepi Jalan,street,dishub,,,\n" + special + ",Khusus,special,dishub,,0.7,\n"),
		"targets.csv": []byte("year,month,account,site,budget,target\n2026,," + pbjt + ",,murni,1200000\n2026,," + pbjt + ",,perubahan,1000000\n" +
			"2026,1," + street + ",,murni,10000\n2026,2," + street + ",,murni,20000\n2026,3," + street + ",,murni,30000\n"),
		"tariffs.yaml": []byte("tariffs:\n- {id: t, name: t, versions: [{from: 2020-01-01, legal_basis: t, classes: {car: {flat: 2000}}}]}\n"),
	}, zone)
	require.Empty(tb, faults)
	return &fake{v: v, expected: map[string]expect.Answer{}}
}

func answer(low, mid, high city.Rupiah) expect.Answer {
	return expect.Answer{Known: true, Expected: expect.Interval{Low: low, Mid: mid, High: high}, Classes: []city.Class{city.Car}, Unseen: []city.Class{city.Motorcycle}, Share: 1, Coverage: 1, Whole: true}
}
