package occupancy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// MaxPoints is the most points that History returns.
const MaxPoints = 5000

// History returns the steps of a class at a site whose begin lies in
// [from, to) (Unix ms). Step is a multiple of BucketMs; steps begin at
// multiples of it in the city's zone, so that a day begins at midnight.
// ClassNone asks for the site's first class. Classes that share space have the
// space's numbers.
//
// Coverage is the share of the step in which free and occupied were known
// (quality neither none nor stale); averages are over that time, and the step
// that is still open is covered up to the newest tick at most. Closed time is
// covered as any other; Closed tells how much of the step it is, so that who
// learns what is normal can leave it out.
func (f *Follower) History(ctx context.Context, site string, class city.Class, from, to, step int64) ([]HistoryPoint, error) {
	if step <= 0 || step%BucketMs != 0 {
		return nil, &city.Error{Kind: city.KindInvalid, Message: "step must be a multiple of 5 minutes", Fields: []city.FieldError{{Field: "step", Detail: "use 5m, 15m, 1h or 1d"}}}
	}
	from, to = max(0, from), min(to, maxAt+1)
	first := f.align(from, step)
	points := max(0, ceilDiv(to-first, step))
	if points > MaxPoints {
		return nil, &city.Error{Kind: city.KindInvalid, Message: fmt.Sprintf("%d points are more than %d: ask for a shorter time or a longer step", points, MaxPoints)}
	}
	sums := make([]bucket, points)
	h, err := f.buckets(ctx, site, class, first, first+points*step, func(t int64, b *bucket) {
		if i := (t - first) / step; t >= first && i < points {
			sums[i].join(b)
		}
	})
	if err != nil {
		return nil, err
	}
	out := make([]HistoryPoint, points)
	for i := range out {
		t := first + int64(i)*step
		out[i] = sums[i].point(t, step, h.detection)
		out[i].Closed = city.SomeMilli(h.closedIn(t, t+step) * 1000 / step)
	}
	return out, nil
}

func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }

// align returns the first begin of a step at or after t.
func (f *Follower) align(t, step int64) int64 {
	offset := offsetAt(t, f.zone)
	return ceilTo(t+offset, step) - offset
}

// join adds what another bucket of the same class knows.
func (b *bucket) join(o *bucket) {
	if o.covered > 0 && (b.covered == 0 || o.freeMin < b.freeMin) {
		b.freeMin = o.freeMin
	}
	b.covered += o.covered
	b.freeSum += o.freeSum
	b.occSum += o.occSum
	b.arr += o.arr
	b.dep += o.dep
	b.drift += o.drift
}

func (b *bucket) point(t, step int64, detection inventory.Detection) HistoryPoint {
	p := HistoryPoint{T: t, Coverage: city.SomeMilli(b.covered * 1000 / step)}
	if b.covered == 0 {
		return p
	}
	p.FreeAvg, p.FreeMin = city.SomeMilli(mean(b.freeSum, b.covered)), city.SomeInt(b.freeMin)
	p.OccupiedAvg = city.SomeMilli(mean(b.occSum, b.covered))
	if detection != count {
		p.Arrivals, p.Departures = city.SomeInt(b.arr), city.SomeInt(b.dep)
	}
	if detection == gates {
		p.Drift = city.SomeInt(b.drift)
	}
	return p
}

// mean returns thousandths of sum / n, rounded.
func mean(sum, n int64) int64 {
	whole, rest := sum/n, sum%n
	return whole*1000 + (rest*1000+n/2)/n
}

// history is what a query takes from memory; the rest it reads from the file.
type history struct {
	from, to  int64
	space     *space
	detection inventory.Detection
	blocks    map[int64]block
	closed    []span // not overlapping, to exclusive

	applied, flushed uint64
}

// buckets calls do for every bucket with content of one moment.
func (f *Follower) buckets(ctx context.Context, site string, class city.Class, from, to int64, do func(t int64, b *bucket)) (*history, error) {
	for range 5 {
		h, err := f.begin(site, class, from, to)
		if err != nil {
			return nil, err
		}
		ok, err := h.each(ctx, f, do)
		if err != nil {
			return nil, fmt.Errorf("occupancy: history: %w", err)
		}
		if ok {
			return h, nil
		}
	}
	return nil, &city.Error{Kind: city.KindUnavailable, Message: "the roll-ups change faster than they can be read: ask again"}
}

// begin settles a space and copies what is not in the file yet.
func (f *Follower) begin(site string, class city.Class, from, to int64) (*history, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := &history{from: from, to: to, blocks: map[int64]block{}, space: f.spaceOf(site, class), applied: f.applied, flushed: f.flushed}
	if h.space == nil {
		return nil, &city.Error{Kind: city.KindNotFound, Message: fmt.Sprintf("there is no site %q with that class", site)}
	}
	h.detection = h.space.key.detection
	if err := f.settle(h.space); err != nil {
		return nil, fmt.Errorf("occupancy: history: %w", err)
	}
	for no, b := range h.space.blocks {
		if no >= from/blockMs && no <= to/blockMs {
			h.blocks[no] = *b
		}
	}
	for _, x := range f.closedSpans(site, from, to) {
		if !x.PlacesLost.OK {
			h.closed = append(h.closed, span{x.From, x.To - 1})
		}
	}
	(*spans)(&h.closed).merge(1)
	return h, nil
}

// spaceOf returns the space of a class at a site, of the past where the newest
// version lacks it.
func (f *Follower) spaceOf(site string, class city.Class) *space {
	if x := f.sites[site]; x != nil {
		if class == city.ClassNone && len(x.spaces) > 0 {
			class = x.inv.Classes[0]
		}
		if sp := x.byClass[class]; sp != nil {
			return sp
		}
	}
	for _, sp := range f.spaces {
		if sp.key.site == site && (sp.key.class == class || class == city.ClassNone) {
			return sp
		}
	}
	return nil
}

// each calls do for every bucket with content; or never, and returns false,
// where the file has moved on since memory was looked at.
func (h *history) each(ctx context.Context, f *Follower, do func(t int64, b *bucket)) (bool, error) {
	tx, err := f.db.R.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }() // it only reads
	var cursor uint64
	err = tx.StmtContext(ctx, f.reads.cursor).QueryRowContext(ctx).Scan(&cursor) //nolint:sqlclosecheck // the transaction closes it
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	if cursor != h.flushed && cursor != h.applied {
		return false, nil
	}
	visit := func(no int64, b *block) {
		for i := range b {
			if t := no*blockMs + int64(i)*BucketMs; !b[i].empty() && t >= h.from && t < h.to {
				do(t, &b[i])
			}
		}
	}
	for no, b := range h.blocks {
		visit(no, &b)
	}
	return true, storedBlocks(ctx, tx.StmtContext(ctx, f.reads.rollups), h.space, h.from/blockMs, h.to/blockMs, func(no int64, b *block) {
		if _, ok := h.blocks[no]; !ok {
			visit(no, b)
		}
	})
}

// closedIn returns the ms of [from, to) in which the site was closed.
func (h *history) closedIn(from, to int64) (ms int64) {
	for _, x := range h.closed {
		ms += max(0, min(to, x.to+1)-max(from, x.from))
	}
	return ms
}
