package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/simpang-id/simpang/internal/backup"
	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/open311"
	"github.com/simpang-id/simpang/internal/outbox"
	"github.com/simpang-id/simpang/internal/watch"
)

// complaintsEvery is how often the register looks at incidents and deadlines.
const complaintsEvery = 5 * time.Second

// office is the register with who works in it: one goroutine that makes
// complaints of incidents and tells deadlines, and one that delivers. It is no
// follower: it has our wall clock, and no book rests on it.
type office struct {
	register *complaint.Register
	outbox   *outbox.Worker // nil: there is no endpoint
	fault    atomic.Pointer[string]
}

// openComplaints opens the register.
func (g *gateway) openComplaints(ctx context.Context, undo *stack) (err error) {
	c, first := &g.cfg.Complaints, g.loaded
	if g.inventory.Current() != nil {
		first = nil
	}
	if g.loaded != nil {
		if faults := g.cfg.CheckCodes(g.loaded); len(faults) > 0 {
			return &FaultsError{faults}
		}
	}
	g.office = &office{}
	g.office.register, err = complaint.Open(ctx, g.path("complaints.db"), complaint.Options{
		Inventory: func() *inventory.Version { return cmp.Or(g.inventory.Current(), first) },
		Zone:      g.cfg.City.Zone, Incidents: incidents{&g.watch}, Log: g.log,
		Destination: complaint.Destination{Set: c.Endpoint != "", Confidential: c.Confidential},
		From:        c.From, Limit: c.Limit, Gather: c.Gather.Duration, Digest: c.Digest, ReopenDays: c.ReopenDays,
		PersonalDays: days(c.PersonalData.Duration), PhotoBytes: int64(c.PhotoMiB) << 20,
	})
	if err != nil {
		return err
	}
	undo.push("complaints", g.office.register.Close)
	g.registry.MustRegister(&complaintMetrics{g})
	if c.Endpoint == "" {
		return nil
	}
	key, err := config.ReadSecret(c.KeyFile)
	if err != nil {
		return fmt.Errorf("complaints.key_file: %w", err)
	}
	format := open311.JSON
	if c.Format == "xml" {
		format = open311.XML
	}
	g.office.outbox, err = outbox.New(outbox.Options{
		Desk: &desk{g.office.register, g.ourService}, Codes: c.Codes, URL: c.Endpoint, Key: outbox.Key(key.Reveal()), Zone: g.cfg.City.Zone, Log: g.log, Jurisdiction: c.JurisdictionID,
		Format: format, PlainHTTP: c.PlainHTTP, Registerer: g.registry, Timeout: c.Timeout.Duration, Pace: time.Minute / time.Duration(c.Rate), Interval: c.Interval.Duration,
	})
	return err
}

// ourService returns our service of a code of theirs: the first of agencies.yaml
// that is sent under it, else the one of the same code.
func (g *gateway) ourService(theirs string) string {
	if v := g.inventory.Current(); v != nil {
		for i := range v.Services {
			if code := v.Services[i].Code; g.cfg.Complaints.Codes[code] == theirs {
				return code
			}
		}
	}
	return theirs
}

// deliveriesMayBeOld has the restored register look for what waited to be sent
// when it was copied.
func deliveriesMayBeOld(ctx context.Context, dir string, c *config.Config, m *backup.Manifest) error {
	path := filepath.Join(dir, "complaints.db")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil // of a version without it
	}
	none := &inventory.Version{Zone: c.City.Zone} // no deadline is worked out anew
	return complaint.Restored(ctx, path, m.Began.UnixMilli(), complaint.Options{Inventory: func() *inventory.Version { return none }, Zone: c.City.Zone})
}

// attend makes complaints of incidents and tells deadlines until ctx ends.
// While our clock is not to be trusted no deadline has passed.
func (g *gateway) attend(ctx context.Context) {
	for {
		if g.clock.Check(g.instant()) == nil {
			g.worked(ctx, g.office.register.Work(ctx, g.now().UnixMilli()))
		}
		if !sleep(ctx, complaintsEvery) {
			return
		}
	}
}

// worked notes how the register's work went, and logs what is new.
func (g *gateway) worked(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		g.office.fault.Store(nil)
		return
	}
	fault := err.Error()
	if before := g.office.fault.Swap(&fault); before == nil || *before != fault {
		g.log.ErrorContext(ctx, "the register of complaints could not do its work; it is tried again", "error", err)
	}
}

// up tells whether the city's system answers well; nil where there is none.
func (o *office) up() func() bool {
	if o.outbox == nil {
		return nil
	}
	return o.outbox.Up
}

// problem is why the register does not work, "" where it does.
func (o *office) problem() string {
	if o == nil {
		return ""
	}
	if fault := o.fault.Load(); fault != nil {
		return *fault
	}
	return ""
}

// deliver sends and pulls until ctx ends.
func (g *gateway) deliver(ctx context.Context) {
	const least = 10 * time.Millisecond
	for {
		now := g.now()
		next, err := g.office.outbox.Step(ctx, now)
		if err != nil && ctx.Err() == nil {
			g.log.ErrorContext(ctx, "the outbox could not use the register; it is tried again", "error", err)
		}
		if !sleep(ctx, max(next.Sub(now), least)) {
			return
		}
	}
}

// sleep waits; false: ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// incidents is watch as the register asks it.
type incidents struct{ seat *watchSeat }

// Changes asks the follower that sits there.
func (i incidents) Changes(ctx context.Context, after uint64, limit int) (list []complaint.Incident, next uint64, err error) {
	found, next, err := i.seat.Changes(ctx, after, limit)
	for n := range found {
		list = append(list, incidentOf(&found[n]))
	}
	return list, next, err
}

func incidentOf(i *watch.Incident) complaint.Incident {
	out := complaint.Incident{
		ID: i.ID, Rule: string(i.Rule), Severity: string(i.Severity), Money: i.Rule.Money(), Subject: i.Subject, Site: i.Site, Device: i.Device,
		Segment:  i.Segment,
		OpenedAt: i.OpenedAt, Over: i.State == watch.StateRecovering || i.State == watch.StateClosed, Closed: i.State == watch.StateClosed, OverAt: overAt(i),
	}
	for _, s := range i.Evidence.Sums {
		out.Sums = append(out.Sums, complaint.Sum(s))
	}
	return out
}

// overAt is when an incident began to recover last, 0 where it stands.
func overAt(i *watch.Incident) int64 {
	if i.State != watch.StateRecovering && i.State != watch.StateClosed {
		return 0
	}
	for _, c := range slices.Backward(i.Changes) {
		if c.What == string(watch.StateRecovering) {
			return c.At
		}
	}
	return i.ClosedAt
}

// complaintMetrics tells the register's numbers.
type complaintMetrics struct{ g *gateway }

var (
	complaintsBy      = desc("simpang_complaints", "Complaints in the register, by state.", "state")
	complaintsOverdue = desc("simpang_complaints_overdue", "Complaints whose present deadline has passed.")
	complaintsOldest  = desc("simpang_complaints_oldest_seconds", "Age of the oldest complaint that is open; 0: none is.")
	complaintsWaiting = desc("simpang_complaints_waiting_anomalies", "Anomalies that no complaint was made of yet: an agency gets so many a working day.")
	complaintsFault   = desc("simpang_complaints_failed", "1 while the register cannot do its work; readyz says why.")
)

// Describe tells what there is.
func (m *complaintMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{complaintsBy, complaintsOverdue, complaintsOldest, complaintsWaiting, complaintsFault} {
		ch <- d
	}
}

// Collect asks.
func (m *complaintMetrics) Collect(ch chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	failed := 0.0
	if m.g.office.problem() != "" {
		failed = 1
	}
	send(complaintsFault, failed)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	now := m.g.now()
	c, err := m.g.office.register.Counts(ctx, now.UnixMilli())
	if err != nil {
		return
	}
	for _, state := range complaint.States {
		send(complaintsBy, float64(c.States[state]), string(state))
	}
	send(complaintsOverdue, float64(c.Overdue))
	send(complaintsWaiting, float64(c.Waiting))
	age := 0.0
	if c.Oldest > 0 {
		age = max(now.Sub(time.UnixMilli(c.Oldest)).Seconds(), 0)
	}
	send(complaintsOldest, age)
}

var (
	_ complaint.Incidents  = incidents{}
	_ prometheus.Collector = (*complaintMetrics)(nil)
)
