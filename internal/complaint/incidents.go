package complaint

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// Incidents is who finds what is wrong.
type Incidents interface {
	// Changes returns incidents in the order in which they changed last, those
	// after a place in that order, and the place to go on from. What changed
	// again comes again.
	Changes(ctx context.Context, after uint64, limit int) ([]Incident, uint64, error)
}

// Incident is an anomaly as the register needs it. Times are Unix ms.
type Incident struct {
	ID       string
	Rule     string
	Severity string // low, medium, high
	Money    bool   // its rule tells of money
	Subject  string // what it is about: with the rule, what makes two the same
	Site     string // ids in the inventory; each may be ""
	Segment  string
	Device   string
	OpenedAt int64
	Over     bool  // its cause is gone: it recovers, or is closed
	Closed   bool  // for good
	OverAt   int64 // when its cause was gone, 0: not known
	Sums     []Sum // for officers only where Money
}

// Sum is a number with its name; the unit is in the name's ending (_rp, _s) or
// it is a count.
type Sum struct {
	Name  string
	Value int64
}

// rankOf orders severities.
var rankOf = map[string]int64{"low": 1, "medium": 2, "high": 3}

// The states of an incident's row.
const (
	rowWaiting = "waiting" // to be filed
	rowFiled   = "filed"
	rowOver    = "over" // before it was filed
)

// known is an incident's row.
type known struct {
	Incident

	complaint int64
	state     string
	since     int64
}

func scanKnown(s scanner) (*known, error) {
	k := new(known)
	var id, rule, subject string
	var rank, sum int64
	var data []byte
	if err := s.Scan(&id, &k.complaint, &rule, &subject, &k.state, &rank, &k.since, &data, &sum); err != nil {
		return nil, err
	}
	if err := sqlite.CheckSum(sum, "incident", id, k.complaint, rule, subject, k.state, rank, k.since, data); err != nil {
		return nil, fmt.Errorf("incident %s: %w", id, err)
	}
	return k, json.Unmarshal(data, &k.Incident)
}

const knownColumns = "id, complaint, rule, subject, state, rank, since, data, sum"

func (x *change) known(id string) (*known, error) {
	k, err := scanKnown(x.tx.QueryRowContext(x.ctx, "SELECT "+knownColumns+" FROM incident WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return k, err
}

func (x *change) putKnown(k *known) error {
	data, err := json.Marshal(&k.Incident)
	if err != nil {
		return err
	}
	row := []any{k.ID, k.complaint, k.Rule, k.Subject, k.state, rankOf[k.Severity], k.since, data}
	_, err = x.tx.ExecContext(x.ctx, "INSERT OR REPLACE INTO incident ("+knownColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		append(row, sqlite.Sum("incident", row...))...)
	return err
}

const metaCursor = "cursor"

// Cursor returns how far the incidents' changes were read.
func (r *Register) Cursor(ctx context.Context) (uint64, error) {
	cursor, err := metaOf(ctx, r.db.R, metaCursor)
	return uint64(cursor), err
}

// changesAtOnce is how many changes one transaction takes.
const changesAtOnce = 200

// Follow reads what changed of incidents since the last call and does what
// follows of it, in one transaction with the cursor. It tells whether there may
// be more.
func (r *Register) Follow(ctx context.Context, now int64) (more bool, err error) {
	if r.o.Incidents == nil {
		return false, nil
	}
	after, err := r.Cursor(ctx)
	if err != nil {
		return false, fmt.Errorf("complaints: %w", err)
	}
	list, next, err := r.o.Incidents.Changes(ctx, after, changesAtOnce)
	if err != nil {
		return false, fmt.Errorf("complaints: incidents: %w", err)
	}
	if next == after && len(list) == 0 {
		return false, nil
	}
	err = r.change(ctx, now, func(x *change) error {
		if at, err := x.meta(metaCursor); err != nil || uint64(at) != after {
			return err // somebody else took them
		}
		for i := range list {
			if err := x.take(&list[i]); err != nil {
				return fmt.Errorf("incident %s: %w", list[i].ID, err)
			}
		}
		return x.setMeta(metaCursor, int64(next))
	})
	return err == nil && len(list) == changesAtOnce, err
}

// take does what follows of an incident as it is now.
func (x *change) take(i *Incident) error {
	k, err := x.known(i.ID)
	if err != nil {
		return err
	}
	if k == nil {
		if i.Over || rankOf[i.Severity] < rankOf[x.o.From] {
			return nil
		}
		s := x.v.ServiceOfRule(i.Rule)
		if s == nil {
			x.o.Log.DebugContext(x.ctx, "an anomaly is of no service and becomes no complaint", "rule", i.Rule, "anomaly", i.ID)
			return nil
		}
		return x.begin(&known{Incident: *i, since: x.now})
	}
	before := k.Incident
	k.Incident = *i
	switch {
	case k.state == rowFiled:
		return x.filed(k, &before)
	case i.Over:
		k.state = rowOver
	case k.state == rowOver:
		return x.begin(&known{Incident: *i, since: x.now})
	}
	return x.putKnown(k)
}

// begin has an incident filed later, or with a complaint that lives.
func (x *change) begin(k *known) error {
	rec, err := x.living(k)
	if err != nil {
		return err
	}
	if rec == nil {
		k.state = rowWaiting
		return x.putKnown(k)
	}
	k.state, k.complaint = rowFiled, rec.num
	if err := x.putKnown(k); err != nil {
		return err
	}
	return x.returned(rec, &k.Incident)
}

// living returns the complaint of the same rule and subject that is not over,
// or not for long: nil where there is none.
func (x *change) living(k *known) (*record, error) {
	var num int64
	err := x.tx.QueryRowContext(x.ctx, "SELECT complaint FROM incident WHERE rule = ? AND subject = ? AND complaint > 0 ORDER BY complaint DESC LIMIT 1", k.Rule, k.Subject).Scan(&num)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rec, err := getNum(x.ctx, x.tx, num)
	for err == nil && rec.State == StateDuplicate && rec.Duplicate != "" {
		rec, err = get(x.ctx, x.tx, rec.Duplicate)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case rec.State.Open():
		return rec, nil
	case rec.State == StateClosed && x.now < x.v.DueAfter(rec.Closed, x.o.ReopenDays):
		return rec, nil
	default:
		return nil, nil
	}
}

// filed does what follows of a change of an incident that has a complaint.
func (x *change) filed(k *known, before *Incident) error {
	if err := x.putKnown(k); err != nil {
		return err
	}
	rec, err := getNum(x.ctx, x.tx, k.complaint)
	if err != nil {
		return err
	}
	switch {
	case before.Over && !k.Over:
		live, err := x.living(k)
		if err != nil || live == nil {
			return err
		}
		return x.returned(live, &k.Incident)
	case !before.Over && k.Over:
		return x.recovered(rec, &k.Incident)
	case rankOf[k.Severity] > rankOf[rec.Severity]:
		rec.Severity = k.Severity
		return x.put(rec)
	}
	return nil
}

// returned tells that an incident is there again; it reopens a complaint that
// was answered or closed.
func (x *change) returned(rec *record, i *Incident) error {
	rec.Recovered = 0
	u := Update{What: "returned", Status: StatusUnchanged, Text: "Sensor mencatat gangguan yang sama lagi" + x.sinceText(i.OpenedAt) + "."}
	if rec.State == StateAnswered || rec.State == StateClosed {
		rec.move(StateVerified, x.now, rulesOf(x.v, rec.Service))
		u.What, u.Status = "reopened", StatusReopen
		u.Text += " Pengaduan dibuka kembali."
	}
	if _, err := x.tell(rec, u); err != nil {
		return err
	}
	return x.put(rec)
}

// recovered tells that the sensors see that it is over, once all of a
// complaint's incidents are. A person closes it.
func (x *change) recovered(rec *record, i *Incident) error {
	if !rec.State.Open() || rec.Recovered > 0 {
		return nil
	}
	rows, err := x.tx.QueryContext(x.ctx, "SELECT "+knownColumns+" FROM incident WHERE complaint = ?", rec.num)
	if err != nil {
		return err
	}
	defer closeRows(rows)
	for rows.Next() {
		k, err := scanKnown(rows)
		if err != nil {
			return err
		}
		if !k.Over {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	rec.Recovered = x.now
	if i.OverAt > 0 {
		rec.Recovered = i.OverAt
	}
	_, err = x.tell(rec, Update{What: "recovered", Status: StatusUnchanged, Text: "Sensor mencatat gangguan ini sudah berakhir" + x.sinceText(i.OverAt) + ". Diusulkan untuk ditutup."})
	if err != nil {
		return err
	}
	return x.put(rec)
}

// agencyOf returns where an incident goes, and where it lies.
func (x *change) agencyOf(s *inventory.Service, i *Incident) (agency, kecamatan string) {
	site := x.siteOf(i)
	if site != nil {
		kecamatan = site.Kecamatan
	}
	return s.AgencyAt(site, kecamatan), kecamatan
}

func (x *change) siteOf(i *Incident) *inventory.Site {
	if i.Site != "" {
		return x.v.Site(i.Site)
	}
	if d := x.v.Device(i.Device); d != nil && d.Site != "" {
		return x.v.Site(d.Site)
	}
	return nil
}

// Waiting returns how many incidents wait for a complaint because an agency's
// limit of the day is reached, or others may join them.
func (r *Register) Waiting(ctx context.Context) (n int, err error) {
	err = r.db.R.QueryRowContext(ctx, "SELECT count(*) FROM incident WHERE state = ?", rowWaiting).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("complaints: %w", err)
	}
	return n, nil
}

// OfIncident returns the complaint of an anomaly, "" where there is none. An
// error of KindNotFound never comes of it.
func (r *Register) OfIncident(ctx context.Context, incident string) (id string, err error) {
	k, err := scanKnown(r.db.R.QueryRowContext(ctx, "SELECT "+knownColumns+" FROM incident WHERE id = ?", incident))
	if errors.Is(err, sql.ErrNoRows) || err == nil && k.complaint == 0 {
		return "", nil
	}
	if err != nil {
		return "", &city.Error{Kind: city.KindInternal, Message: "complaints", Err: err}
	}
	return idOf(k.complaint), nil
}
