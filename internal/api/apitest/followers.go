package apitest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/traffic"
	"github.com/simpang-id/simpang/internal/watch"
)

// Span is a question that a fake was asked.
type Span struct {
	ID       string
	Class    city.Class
	From, To int64
	Step     time.Duration
}

// Parking answers with what the test set.
type Parking struct {
	mu      sync.Mutex
	sites   map[string]occupancy.SiteState
	spots   map[string][]occupancy.SpotState
	changed chan struct{}
	Asked   []Span
	Points  []occupancy.HistoryPoint
}

func (p *Parking) init() {
	p.sites, p.spots = map[string]occupancy.SiteState{}, map[string][]occupancy.SpotState{}
	p.changed = make(chan struct{}, 1)
}

// Set sets a site's state and signals the change; Rev grows by itself.
func (p *Parking) Set(state occupancy.SiteState, spots ...occupancy.SpotState) {
	p.mu.Lock()
	state.Rev = p.sites[state.ID].Rev + 1
	p.sites[state.ID] = state
	p.spots[state.ID] = spots
	p.mu.Unlock()
	signal(p.changed)
}

// Sites returns the states in no particular order.
func (p *Parking) Sites() []occupancy.SiteState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Values(p.sites), func(a, b occupancy.SiteState) int { return strings.Compare(a.ID, b.ID) })
}

// Site returns one state.
func (p *Parking) Site(id string) (occupancy.SiteState, []occupancy.SpotState, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	state, ok := p.sites[id]
	return state, slices.Clone(p.spots[id]), ok
}

// History notes the question and returns Points.
func (p *Parking) History(_ context.Context, site string, class city.Class, from, to int64, step time.Duration) ([]occupancy.HistoryPoint, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Asked = append(p.Asked, Span{site, class, from, to, step})
	return p.Points, nil
}

// Changed is signalled by Set.
func (p *Parking) Changed() <-chan struct{} { return p.changed }

// Traffic answers with what the test set.
type Traffic struct {
	mu       sync.Mutex
	segments map[string]traffic.SegmentState
	changed  chan struct{}
	City     traffic.Congestion
	Asked    []Span
	Points   []traffic.HistoryPoint
}

func (f *Traffic) init() {
	f.segments = map[string]traffic.SegmentState{}
	f.changed = make(chan struct{}, 1)
}

// Set sets a segment's state and signals the change.
func (f *Traffic) Set(state traffic.SegmentState) {
	f.mu.Lock()
	state.Rev = f.segments[state.ID].Rev + 1
	f.segments[state.ID] = state
	f.mu.Unlock()
	signal(f.changed)
}

// Segments returns the states in no particular order.
func (f *Traffic) Segments() []traffic.SegmentState {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.SortedFunc(maps.Values(f.segments), func(a, b traffic.SegmentState) int { return strings.Compare(a.ID, b.ID) })
}

// Congestion returns City.
func (f *Traffic) Congestion() traffic.Congestion { return f.City }

// History notes the question and returns Points.
func (f *Traffic) History(_ context.Context, segment string, from, to int64, step time.Duration) ([]traffic.HistoryPoint, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Asked = append(f.Asked, Span{ID: segment, From: from, To: to, Step: step})
	return f.Points, nil
}

// Changed is signalled by Set.
func (f *Traffic) Changed() <-chan struct{} { return f.changed }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Books answers with what the test set and notes the questions.
type Books struct {
	Paper    []ledger.Receipt
	Next     string
	Rows     []ledger.DailyRow
	Accounts []ledger.AccountTotal
	Err      error

	Written []ledger.Line
	Reads   []ledger.AccessLine
	Hands   []ledger.Hop

	AskedReceipts []ledger.ReceiptQuery
	AskedLines    []ledger.LineQuery
	AskedReads    []ledger.AccessQuery
	AskedFiled    []bool // of Summary
	AskedDaily    []ledger.DailyQuery
	AskedYears    []int
}

// Receipts returns those of Paper that are of the site and operator, and Next.
func (b *Books) Receipts(_ context.Context, q ledger.ReceiptQuery) ([]ledger.Receipt, string, error) {
	b.AskedReceipts = append(b.AskedReceipts, q)
	of := func(is, asked string) bool { return asked == "" || is == asked }
	found := slices.DeleteFunc(slices.Clone(b.Paper), func(r ledger.Receipt) bool { return !of(r.Site, q.Site) || !of(r.Operator, q.Operator) })
	return found, b.Next, b.Err
}

// Daily returns Rows.
func (b *Books) Daily(_ context.Context, q ledger.DailyQuery) ([]ledger.DailyRow, error) {
	b.AskedDaily = append(b.AskedDaily, q)
	return b.Rows, b.Err
}

// Summary returns Accounts.
func (b *Books) Summary(_ context.Context, year int, filed bool) ([]ledger.AccountTotal, error) {
	b.AskedYears = append(b.AskedYears, year)
	b.AskedFiled = append(b.AskedFiled, filed)
	return b.Accounts, b.Err
}

// Lines returns Written and Next.
func (b *Books) Lines(_ context.Context, q ledger.LineQuery) ([]ledger.Line, string, error) {
	b.AskedLines = append(b.AskedLines, q)
	var found []ledger.Line
	for _, l := range b.Written {
		if l.Line.Type() == q.Type {
			found = append(found, l)
		}
	}
	return found, b.Next, b.Err
}

// Hops returns Hands.
func (b *Books) Hops(context.Context, string, string) ([]ledger.Hop, error) { return b.Hands, b.Err }

// Accesses returns Reads and Next.
func (b *Books) Accesses(_ context.Context, q ledger.AccessQuery) ([]ledger.AccessLine, string, error) {
	b.AskedReads = append(b.AskedReads, q)
	return b.Reads, b.Next, b.Err
}

// Devices answers with what the test set.
type Devices struct {
	States []health.DeviceState
	Day    health.Completeness
	Dates  []string // that were asked for

	Forecasts map[string]health.Forecast // by device
}

// Battery returns one of Forecasts.
func (d *Devices) Battery(id string, limitMV, _ int64) health.Forecast {
	f, ok := d.Forecasts[id]
	if !ok {
		f.Reason = health.NoVoltage
	}
	f.LimitMV = limitMV
	return f
}

// Devices returns States.
func (d *Devices) Devices() []health.DeviceState { return d.States }

// Device returns one of States.
func (d *Devices) Device(id string) (health.DeviceState, bool) {
	i := slices.IndexFunc(d.States, func(s health.DeviceState) bool { return s.ID == id })
	if i < 0 {
		return health.DeviceState{}, false
	}
	return d.States[i], true
}

// Completeness returns Day.
func (d *Devices) Completeness(_ context.Context, _, date string) (health.Completeness, error) {
	d.Dates = append(d.Dates, date)
	return d.Day, nil
}

// Anomalies answers with what the test set.
type Anomalies struct {
	mu    sync.Mutex
	All   []watch.Incident
	Next  string
	Asked []watch.Query
}

// Incidents returns those of the rules that were asked for.
func (a *Anomalies) Incidents(_ context.Context, q watch.Query) ([]watch.Incident, string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.Asked = append(a.Asked, q)
	return slices.DeleteFunc(slices.Clone(a.All), func(i watch.Incident) bool { return !slices.Contains(q.Rules, i.Rule) }), a.Next, nil
}

func (a *Anomalies) find(id string) (*watch.Incident, error) {
	for i := range a.All {
		if a.All[i].ID == id {
			return &a.All[i], nil
		}
	}
	return nil, &city.Error{Kind: city.KindNotFound, Message: "no such anomaly"}
}

// Incident returns one of All.
func (a *Anomalies) Incident(_ context.Context, id string) (watch.Incident, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i, err := a.find(id)
	if err != nil {
		return watch.Incident{}, err
	}
	return *i, nil
}

// Acknowledge keeps the first acknowledgement.
func (a *Anomalies) Acknowledge(_ context.Context, id, by, note string, at int64) (watch.Incident, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i, err := a.find(id)
	if err != nil {
		return watch.Incident{}, err
	}
	if i.Ack == nil {
		i.Ack = &watch.Ack{By: by, Note: note, At: at}
		i.State = watch.StateAcknowledged
	}
	return *i, nil
}

// Readings answers with what the test set.
type Readings struct {
	Entries []journal.Entry
	Next    string
	Missing string
	Kinds   [][]city.Kind // that were asked for
}

// Readings returns Entries, Next and Missing.
func (r *Readings) Readings(_ context.Context, _ string, _, _ int64, kinds []city.Kind, _ string, _ int) (api.ReadingsPage, error) {
	r.Kinds = append(r.Kinds, kinds)
	return api.ReadingsPage{Entries: r.Entries, Next: r.Next, Missing: r.Missing}, nil
}

// Quarantine answers with what the test set.
type Quarantine struct {
	Items []journal.Item
}

// List returns the items after an id.
func (q *Quarantine) List(_ context.Context, f journal.Filter, after int64, limit int) ([]journal.Item, error) {
	var found []journal.Item
	for _, i := range q.Items {
		if i.ID > after && len(found) < limit && (f.Device == "" || f.Device == i.Device) && (!f.Pending || !i.Retried) {
			found = append(found, i)
		}
	}
	return found, nil
}

// Gate notes what staff decided.
type Gate struct {
	mu       sync.Mutex
	closures []journal.Closure
	Reloaded api.ReloadResult
	Verdict  api.RetryResult
	Said     ledger.Verdict // what Book returns; the zero value: booked
	Err      error
	NoAccess error    // what Access returns
	Did      []string // "verb id by"
	Acts     []journal.Entry
	Reads    []journal.Access
}

func (g *Gate) did(verb, id, by string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.Did = append(g.Did, verb+" "+id+" "+by)
}

// Retry returns Verdict.
func (g *Gate) Retry(_ context.Context, id int64, by string) (api.RetryResult, error) {
	g.did("retry", time.Duration(id).String(), by)
	return g.Verdict, g.Err
}

// Close keeps a closure under an id made of its place.
func (g *Gate) Close(_ context.Context, c journal.Closure) (journal.Closure, bool, error) {
	c.ID = "cl-" + c.Site + c.Segment
	g.did("close", c.ID, c.By)
	g.mu.Lock()
	defer g.mu.Unlock()
	if slices.ContainsFunc(g.closures, func(o journal.Closure) bool { return o.ID == c.ID }) {
		return c, false, g.Err
	}
	g.closures = append(g.closures, c)
	return c, true, g.Err
}

// Reopen forgets a closure.
func (g *Gate) Reopen(_ context.Context, id, by string) error {
	g.did("reopen", id, by)
	g.mu.Lock()
	defer g.mu.Unlock()
	n := len(g.closures)
	g.closures = slices.DeleteFunc(g.closures, func(c journal.Closure) bool { return c.ID == id })
	if len(g.closures) == n {
		return &city.Error{Kind: city.KindNotFound, Message: "no such closure"}
	}
	return g.Err
}

// Closures returns what Close kept.
func (g *Gate) Closures() []journal.Closure {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.closures)
}

// Reload returns Reloaded.
func (g *Gate) Reload(_ context.Context, by string) (api.ReloadResult, error) {
	g.did("reload", "", by)
	return g.Reloaded, g.Err
}

// Book notes the act.
func (g *Gate) Book(_ context.Context, act journal.Entry) (ledger.Verdict, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.Acts = append(g.Acts, act)
	if g.Said.Outcome == 0 {
		return ledger.Verdict{Outcome: ledger.Booked, Entry: 7, New: len(act.Act.Lines)}, g.Err
	}
	return g.Said, g.Err
}

// Access notes the read.
func (g *Gate) Access(_ context.Context, read journal.Access) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.NoAccess == nil {
		g.Reads = append(g.Reads, read)
	}
	return g.NoAccess
}

// AcceptClock notes it.
func (g *Gate) AcceptClock(_ context.Context, by string) error {
	g.did("clock", "", by)
	return g.Err
}
