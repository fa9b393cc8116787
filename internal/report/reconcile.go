package report

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/report/expect"
)

// States of leak_2.
const (
	LeakKnown    = "known"
	LeakNotYet   = "not_yet_due"
	LeakByPeriod = "by_period" // credits name no site and day: see the periods
	LeakNoRate   = "no_rate"   // the account has no rate
	LeakNoCredit = "unknown"   // nobody tells of credits
)

// Leak1 is expected - recorded.
type Leak1 struct {
	expect.Interval
	Sure bool // even the low end is above 0
}

// SiteDay is a site's day, all figures side by side.
type SiteDay struct {
	Date, Site, Name, Kecamatan, Operator, NPWPD, NOPD, Account string
	Levy                                                        inventory.Levy

	// Where the day has several parties (the operator or the levy changed, or a
	// credit for the day alone is another's), who it was is told by them alone: what
	// they do not have in common is "" above, and money is of all of them.
	Parties []PartyDay

	Expected expect.Answer
	Receipts int64
	Recorded city.Rupiah
	Karcis   city.Rupiah      // of it, sold karcis for which no cash receipt stands
	Compared city.Rupiah      // recorded of the classes that Expected is of
	Sold     []journal.Karcis // the first of the ranges that were sold
	SoldFor  city.Rupiah      // rupiah of all that was sold
	Owing
	Leak1 *Leak1 // nil: expected is unknown
}

// Owing is what is due of a site's day, and what was paid of that.
type Owing struct {
	Due   city.Int // unset where a part has no rate
	DueBy string   // YYYY-MM-DD
	// Of this site and day alone; unset where credits are not told so.
	Settled, Fee, Deposited, Overdue, Leak2 city.Int
	Leak2State                              string
}

// Period is what an operator owes of an account and month.
type Period struct {
	Month, Operator, NPWPD, NOPD, Account string
	Levy                                  inventory.Levy
	Sites                                 []string
	Recorded                              city.Rupiah
	Declared                              city.Int // gross of the filed SPTPD
	Due                                   city.Int
	DueFiled                              city.Int // due as filed: what came after the month's close is the next open one's
	DueNow                                city.Int // of DueFiled, what is overdue but for its credits
	DueBy                                 string   // of a retribusi: of the last day
	Settled, Fee, Deposited               city.Int
	CarriedIn                             city.Rupiah // of credits for closed months: pays what came late for those and was filed with this one
	CarriedOut                            city.Rupiah // of its own credits, for what came late and was filed with a later month
	Overdue, Leak2                        city.Int
	Leak2State                            string
	Credits                               []string // references, the first of them

	paidNow city.Rupiah // by credits for days of which something is overdue
}

// Reconciliation is a day of the city.
type Reconciliation struct {
	Date    string
	Sites   []SiteDay
	Periods []Period // of the month up to now
}

// ReconcileQuery asks for a day.
type ReconcileQuery struct {
	Date   string
	Site   string // "" all
	After  string // sites after this id
	Limit  int    // sites, 0 all
	Now    int64  // Unix ms
	Sample int    // stays of a site to show
}

// Reconcile compares a day of the city, as known now. The cursor of the next
// page is the last site's id.
func (r *Reporter) Reconcile(ctx context.Context, q ReconcileQuery) (*Reconciliation, error) {
	d, err := r.day(q.Date)
	if err != nil {
		return nil, err
	}
	v, err := r.version(d.end)
	if err != nil {
		return nil, err
	}
	m, err := r.month(d.month)
	if err != nil {
		return nil, err
	}
	x := r.reconciling(q, v, d, r.today(q.Now))
	x.month = m
	err = r.o.Books.EachView(ctx, m.from, m.to, func(s *ledger.Sum, views ledger.View) error {
		x.period(s, views)
		if views&ledger.KnownView == 0 {
			return nil
		}
		return x.sum(s)
	})
	if err != nil {
		return nil, err
	}
	if err := x.paid(ctx); err != nil {
		return nil, err
	}
	if x.carried, err = r.carries(ctx, m, v, x.today, ""); err != nil {
		return nil, err
	}
	out := &Reconciliation{Date: q.Date}
	for _, id := range x.ids() {
		out.Sites = append(out.Sites, x.site(id))
	}
	if err := x.expect(ctx, out.Sites); err != nil {
		return nil, err
	}
	if err := x.sold(ctx, out.Sites); err != nil {
		return nil, err
	}
	out.Periods, err = x.owed(ctx)
	return out, err
}

// SiteDay returns what one site should have recorded on a day (YYYY-MM-DD) and
// what it did, as known now; nothing of credits. Errors: a date or site that is
// none, and what the followers answer.
func (r *Reporter) SiteDay(ctx context.Context, site, date string) (*SiteDay, error) {
	d, err := r.day(date)
	if err != nil {
		return nil, err
	}
	v, err := r.version(d.end)
	if err != nil {
		return nil, err
	}
	q := ReconcileQuery{Date: date, Site: site, Now: d.end}
	x := r.reconciling(q, v, d, d.next)
	if err := r.o.Books.EachSum(ctx, d.date, d.next, x.sum); err != nil {
		return nil, err
	}
	one := []SiteDay{x.site(site)}
	if err := x.expect(ctx, one); err != nil {
		return nil, err
	}
	return &one[0], nil
}

// reconciling is a day being compared.
type reconciling struct {
	*Reporter
	v       *inventory.Version
	day     day
	month   month
	q       ReconcileQuery
	today   string
	sites   map[string]*siteSums
	periods map[periodKey]*Period
	known   bool     // credits are told of
	credits []Credit // of the month
	carried []carried
	ofDay   map[dayKey]*dayCredits
	dueBys  map[dueKey]string
}

func (r *Reporter) reconciling(q ReconcileQuery, v *inventory.Version, d day, today string) *reconciling {
	return &reconciling{
		Reporter: r, v: v, day: d, q: q, today: today,
		sites: map[string]*siteSums{}, periods: map[periodKey]*Period{}, ofDay: map[dayKey]*dayCredits{}, dueBys: map[dueKey]string{},
	}
}

// siteSums is what the books have of a site's day.
type siteSums struct {
	parties    []PartyDay // in the order of the books
	soldFor    city.Rupiah
	byClass    map[city.Class]city.Rupiah
	subscribed map[city.Class]int
}

type periodKey struct{ operator, account, nopd string }

func (x *reconciling) sum(s *ledger.Sum) error {
	if s.Date != x.day.date {
		return nil
	}
	t := x.sites[s.Site]
	if t == nil {
		t = &siteSums{byClass: map[city.Class]city.Rupiah{}, subscribed: map[city.Class]int{}}
		x.sites[s.Site] = t
	}
	t.party(s).add(s)
	if s.Karcis {
		t.soldFor += max(0, s.Amount)
	}
	t.byClass[s.Class] += s.Amount
	if s.Method == city.Subscription { // a karcis is of one stay
		t.subscribed[s.Class] += int(s.Receipts)
	}
	return nil
}

// ids are the sites of the page: those of the inventory and those that
// something was recorded at, "" among them.
func (x *reconciling) ids() []string {
	var ids []string
	for _, s := range x.v.Sites {
		ids = append(ids, s.ID)
	}
	for id := range x.sites {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	ids = slices.DeleteFunc(ids, func(id string) bool {
		return x.q.Site != "" && id != x.q.Site || x.q.After != "" && id <= x.q.After
	})
	if x.q.Limit > 0 {
		ids = ids[:min(len(ids), x.q.Limit)]
	}
	return ids
}

// site is a site's day of which nothing was expected yet.
func (x *reconciling) site(id string) SiteDay {
	s := SiteDay{Date: x.day.date, Site: id, Owing: Owing{Due: city.SomeInt(0)}}
	site := x.v.Site(id)
	if site != nil {
		s.Name, s.Kecamatan = site.Name, site.Kecamatan
	}
	t := x.sites[id]
	if t != nil {
		s.SoldFor = t.soldFor
	}
	parties := x.parties(id, site, t)
	for i := range parties {
		p := &parties[i]
		if p.Levy != "" {
			p.DueBy = x.dueBy(p.Levy, x.day.date)
		}
		x.leak2(id, p)
	}
	s.sum(parties)
	return s
}

// together is how many sites are estimated at once.
const together = 4

// expect fills in what was expected.
func (x *reconciling) expect(ctx context.Context, sites []SiteDay) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(together)
	for i := range sites {
		s := &sites[i]
		site := x.v.Site(s.Site)
		if site == nil {
			s.Expected.Why = expect.NoSensors
			continue
		}
		g.Go(func() error {
			q := expect.Question{Site: site, Version: x.v, Date: x.day.date, Now: x.q.Now, Sample: x.q.Sample}
			t := x.sites[s.Site]
			if t != nil {
				q.Subscribed = t.subscribed
			}
			var err error
			if s.Expected, err = x.o.Expected.Day(ctx, q); err != nil || !s.Expected.Known {
				return err
			}
			if t != nil {
				s.Compared = t.compared(&s.Expected, site)
			}
			e := s.Expected.Expected
			s.Leak1 = &Leak1{expect.Interval{Low: e.Low - s.Compared, Mid: e.Mid - s.Compared, High: e.High - s.Compared}, e.Low > s.Compared}
			return nil
		})
	}
	return g.Wait()
}

// compared is what was recorded of the classes that were expected, and of those
// that no receipt tells.
func (t *siteSums) compared(a *expect.Answer, site *inventory.Site) (sum city.Rupiah) {
	for class, amount := range t.byClass {
		shared := slices.Contains(site.Shared, class) && slices.ContainsFunc(a.Classes, func(c city.Class) bool { return slices.Contains(site.Shared, c) })
		if class == city.ClassNone || class == city.ClassUnknown || shared || slices.Contains(a.Classes, class) || !slices.Contains(a.Unseen, class) {
			sum += amount
		}
	}
	return sum
}

func compareKeys(a, b periodKey) int {
	return strings.Compare(a.operator+"\x00"+a.account+"\x00"+a.nopd, b.operator+"\x00"+b.account+"\x00"+b.nopd)
}
