package traffic

import (
	"context"
	"database/sql"
	"fmt"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
)

// maxPoints is the most that one question may ask for (contract, section 4).
const maxPoints = 5000

// History returns the steps of a segment from a time on (inclusive) to
// another (exclusive), Unix ms and step in ms; the step is a multiple of five
// minutes, and from is rounded down to five minutes. Flows are of the time
// that was counted, so that a gap lowers the coverage and never the flow; a
// lane without any data leaves the flow unset. dj is unset where the road was
// oversaturated for at least half of the step.
//
// Errors: KindNotFound, KindInvalid.
func (f *Follower) History(ctx context.Context, id string, from, to, step int64) ([]HistoryPoint, error) {
	if err := checkSpan(from, to); err != nil {
		return nil, err
	}
	if step < bucketMS || step%bucketMS != 0 {
		return nil, invalid("step", "a step is 5 minutes or a multiple of it")
	}
	from = floorTo(from, bucketMS)
	if (to-from+step-1)/step > maxPoints {
		return nil, invalid("step", fmt.Sprintf("more than %d points: ask for a shorter time or a longer step", maxPoints))
	}
	m, err := f.past(ctx, id, from-bucketMS, to)
	if err != nil {
		return nil, err
	}
	out := make([]HistoryPoint, 0, (to-from+step-1)/step)
	h := history{f: f, id: id, applied: m.applied, own: merge(m.own), other: merge(m.other)}
	for t := from; t < to; t += step {
		out = append(out, h.point(t, step))
	}
	return out, nil
}

// Counts is what passed a segment, by class.
type Counts struct {
	SM, KR, KB, KTB, Unknown int64
	CoveredMS                int64 // summed over the lanes
}

// Counts returns the exact counts of the five minutes that begin between from
// (inclusive, rounded down) and to (exclusive), Unix ms: periods that end on
// a multiple of five minutes are told as they were sent.
//
// Errors: KindNotFound, KindInvalid.
func (f *Follower) Counts(ctx context.Context, id string, from, to int64) (Counts, error) {
	if err := checkSpan(from, to); err != nil {
		return Counts{}, err
	}
	m, err := f.past(ctx, id, floorTo(from, bucketMS), to)
	if err != nil {
		return Counts{}, err
	}
	var c Counts
	for _, lanes := range merge(m.own) {
		for i := range lanes {
			o := &lanes[i].sums
			c.SM += o.SM
			c.KR += o.KR
			c.KB += o.KB
			c.KTB += o.KTB
			c.Unknown += o.Unknown
			c.CoveredMS += o.CoveredMS
		}
	}
	return c, nil
}

func checkSpan(from, to int64) error {
	if to < from {
		return invalid("to", "must not be before from")
	}
	return nil
}

func invalid(field, detail string) error {
	return &city.Error{Kind: city.KindInvalid, Message: field + ": " + detail, Fields: []city.FieldError{{Field: field, Detail: detail}}}
}

func notFound(id string) error {
	return &city.Error{Kind: city.KindNotFound, Message: fmt.Sprintf("there is no segment %q", id)}
}

// past is the buckets of a segment: begin -> lanes in order.
type past map[int64][]laneSums

type laneSums struct {
	lane int // its place, as in segment.place
	sums
}

// moment is the roll-ups of a segment, and of the one that shares its road, as
// they are at one position of the journal.
type moment struct {
	applied    uint64
	durable    uint64
	own, other []seriesPast
}

// past reads the roll-ups of a segment, those not yet durable included.
func (f *Follower) past(ctx context.Context, id string, from, to int64) (*moment, error) {
	for range 5 {
		m, err := f.tryPast(ctx, id, from, to)
		if err != nil || m != nil {
			return m, err
		}
	}
	return nil, &city.Error{Kind: city.KindUnavailable, Message: "the roll-ups change faster than they can be read: ask again"}
}

// tryPast reads a snapshot of the file and adds what memory holds beyond it;
// nil if a whole flush came between the two.
func (f *Follower) tryPast(ctx context.Context, id string, from, to int64) (*moment, error) {
	tx, err := f.db.R.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("traffic history: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it only reads
	var cursor uint64
	if err := tx.QueryRowContext(ctx, `SELECT cursor FROM meta`).Scan(&cursor); err != nil {
		return nil, fmt.Errorf("traffic history: %w", err)
	}
	m := f.unflushed(id, from, to)
	switch {
	case m == nil:
		return nil, notFound(id)
	case cursor == m.durable:
	case cursor == m.applied: // committed, but Flush has not yet let go of it
		m.forget()
	default:
		return nil, nil
	}
	for _, views := range [][]seriesPast{m.own, m.other} {
		for i := range views {
			if err := views[i].read(ctx, tx, from, to); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

// unflushed copies what memory holds of a segment between from and to, and
// tells up to which position the file has everything else; nil where the
// inventory has no such segment.
func (f *Follower) unflushed(id string, from, to int64) *moment {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	r := f.roads[id]
	if r == nil {
		return nil
	}
	m := &moment{applied: f.applied, durable: f.durable, own: f.pendingOf(id, from, to)}
	if r.together && r.opposite != nil {
		m.other = f.pendingOf(r.opposite.segment.ID, from, to)
	}
	return m
}

func (f *Follower) pendingOf(id string, from, to int64) (out []seriesPast) {
	s := f.segments[id]
	if s == nil {
		return nil
	}
	for _, l := range s.lanes {
		for _, x := range l.series { // in order of the devices' ids
			p := seriesPast{id: x.id, lane: s.place(l), buckets: map[int64]*sums{}}
			for _, b := range x.pending {
				if from <= b.t && b.t < to {
					o := *b.o
					p.buckets[b.t] = &o
				}
			}
			out = append(out, p)
		}
	}
	return out
}

// forget drops what memory held.
func (m *moment) forget() {
	for _, views := range [][]seriesPast{m.own, m.other} {
		for i := range views {
			clear(views[i].buckets)
		}
	}
}

// seriesPast is the buckets of one series.
type seriesPast struct {
	id      int64
	lane    int // its place
	buckets map[int64]*sums
}

func (p *seriesPast) read(ctx context.Context, tx *sql.Tx, from, to int64) error {
	rows, err := tx.QueryContext(ctx, `SELECT t, `+bucketColumns+` FROM bucket WHERE series = ? AND t >= ? AND t < ?`, p.id, from, to)
	if err != nil {
		return fmt.Errorf("traffic history: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		var t int64
		var o sums
		if err := scanBucket(rows.Scan, &o, p.id, &t); err != nil {
			return fmt.Errorf("traffic history: %w", err)
		}
		if more := p.buckets[t]; more != nil {
			o.add(more)
		}
		p.buckets[t] = &o
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("traffic history: %w", err)
	}
	return nil
}

// merge chooses one device for each lane and five minutes: the one that
// covered more of them, then the first by id.
func merge(views []seriesPast) past {
	out := past{}
	for i := range views { // sorted by lane, then by device
		for t, o := range views[i].buckets {
			lanes := out[t]
			n := len(lanes)
			if n == 0 || lanes[n-1].lane != views[i].lane {
				out[t] = append(lanes, laneSums{views[i].lane, *o})
				continue
			}
			if best := &lanes[n-1].sums; o.covers(best) {
				*best = *o
			}
		}
	}
	for _, lanes := range out {
		sort.Slice(lanes, func(i, j int) bool { return lanes[i].lane < lanes[j].lane })
	}
	return out
}

// covers tells whether s saw more of the time than o.
func (s *sums) covers(o *sums) bool {
	if s.CoveredMS != o.CoveredMS {
		return s.CoveredMS > o.CoveredMS
	}
	return s.BlindMS > o.BlindMS
}
