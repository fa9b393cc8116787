package app

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/certificate"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/series"
	"github.com/simpang-id/simpang/internal/traffic"
	"github.com/simpang-id/simpang/internal/watch"
)

// seat is the place of one follower. Who asks finds the one that sits there:
// one that failed is replaced by one that is opened anew from its file, and
// answers until then. Apply, Flush, Reopen and Close are called from one
// goroutine at a time, all else from any.
type seat[F Follower] struct {
	open func(context.Context) (F, error)
	at   atomic.Pointer[sitting[F]]
}

// sitting is who sits there, and how often the seat was given before.
type sitting[F Follower] struct {
	f    F
	turn uint64
}

// take opens the first follower.
func (s *seat[F]) take(ctx context.Context, open func(context.Context) (F, error)) error {
	f, err := open(ctx)
	if err != nil {
		return err
	}
	s.open = open
	s.at.Store(&sitting[F]{f: f})
	return nil
}

func (s *seat[F]) now() F { return s.at.Load().f }

// ask asks who sits there, and again where another has taken the seat
// meanwhile: the answer may have failed only because the file was closed.
func ask[F Follower, T any](s *seat[F], question func(F) (T, error)) (T, error) {
	for {
		at := s.at.Load()
		answer, err := question(at.f)
		if err == nil || s.at.Load() == at {
			return answer, err
		}
	}
}

// Reopen replaces the follower by one that stands at its durable cursor. Where
// it cannot be opened, the one before goes on answering.
func (s *seat[F]) Reopen(ctx context.Context) error {
	fresh, err := s.open(ctx)
	if err != nil {
		return err
	}
	old := s.at.Load() // only Reopen replaces it
	s.at.Store(&sitting[F]{f: fresh, turn: old.turn + 1})
	if err := old.f.Close(); err != nil {
		return &staleError{err}
	}
	return nil
}

// staleError says that a follower was replaced and its old file did not close
// well, which does not matter to the new one.
type staleError struct{ err error }

// Error tells what the closing said.
func (e *staleError) Error() string { return fmt.Sprintf("close what failed: %v", e.err) }

// Name is the follower's.
func (s *seat[F]) Name() string { return s.now().Name() }

// Cursor is the follower's.
func (s *seat[F]) Cursor() uint64 { return s.now().Cursor() }

// Apply is the follower's.
func (s *seat[F]) Apply(entries []journal.Entry) error { return s.now().Apply(entries) }

// Flush is the follower's.
func (s *seat[F]) Flush() error { return s.now().Flush() }

// Close closes the follower.
func (s *seat[F]) Close() error { return s.now().Close() }

// The seats that queries pass through.
type (
	occupancySeat struct {
		seat[*occupancy.Follower]
	}
	trafficSeat struct{ seat[*traffic.Follower] }
	ledgerSeat  struct{ seat[*ledger.Follower] }
	healthSeat  struct{ seat[*health.Follower] }
	watchSeat   struct{ seat[*watch.Follower] }

	certificateSeat struct {
		seat[*certificate.Follower]
	}

	seriesSeat struct {
		seat[*series.Follower]
		tending sync.Mutex // days are put away, or the follower is replaced
	}
)

// Entries asks the follower that sits there.
func (s *ledgerSeat) Entries(ctx context.Context, after uint64, limit int) (list []*ledger.Entry, last uint64, err error) {
	list, err = ask(&s.seat, func(f *ledger.Follower) (entries []*ledger.Entry, err error) {
		entries, last, err = f.Entries(ctx, after, limit)
		return entries, err
	})
	return list, last, err
}

// Receipts asks the follower that sits there.
func (s *ledgerSeat) Receipts(ctx context.Context, q ledger.ReceiptQuery) (list []ledger.Receipt, next string, err error) {
	list, err = ask(&s.seat, func(f *ledger.Follower) (page []ledger.Receipt, err error) {
		page, next, err = f.Receipts(ctx, q)
		return page, err
	})
	return list, next, err
}

// Daily asks the follower that sits there.
func (s *ledgerSeat) Daily(ctx context.Context, q ledger.DailyQuery) ([]ledger.DailyRow, error) {
	return ask(&s.seat, func(f *ledger.Follower) ([]ledger.DailyRow, error) { return f.Daily(ctx, q) })
}

// Summary asks the follower that sits there.
func (s *ledgerSeat) Summary(ctx context.Context, year int, filed bool) ([]ledger.AccountTotal, error) {
	return ask(&s.seat, func(f *ledger.Follower) ([]ledger.AccountTotal, error) { return f.Summary(ctx, year, filed) })
}

// Lines asks the follower that sits there.
func (s *ledgerSeat) Lines(ctx context.Context, q ledger.LineQuery) (list []ledger.Line, next string, err error) {
	list, err = ask(&s.seat, func(f *ledger.Follower) (page []ledger.Line, err error) {
		page, next, err = f.Lines(ctx, q)
		return page, err
	})
	return list, next, err
}

// Hops asks the follower that sits there.
func (s *ledgerSeat) Hops(ctx context.Context, from, to string) ([]ledger.Hop, error) {
	return ask(&s.seat, func(f *ledger.Follower) ([]ledger.Hop, error) { return f.Hops(ctx, from, to) })
}

// Accesses asks the follower that sits there.
func (s *ledgerSeat) Accesses(ctx context.Context, q ledger.AccessQuery) (list []ledger.AccessLine, next string, err error) {
	list, err = ask(&s.seat, func(f *ledger.Follower) (page []ledger.AccessLine, err error) {
		page, next, err = f.Accesses(ctx, q)
		return page, err
	})
	return list, next, err
}

// Try asks the follower that sits there.
func (s *ledgerSeat) Try(ctx context.Context, e *journal.Entry) (ledger.Verdict, error) {
	return ask(&s.seat, func(f *ledger.Follower) (ledger.Verdict, error) { return f.Try(ctx, e) })
}

// VerdictAt asks the follower that sits there.
func (s *ledgerSeat) VerdictAt(ctx context.Context, pos uint64) (ledger.Verdict, error) {
	return ask(&s.seat, func(f *ledger.Follower) (ledger.Verdict, error) { return f.VerdictAt(ctx, pos) })
}

// askAgain is after how long who waits for a follower looks who sits there.
const askAgain = time.Second

// Reached waits until the effect of a position is durable, or ctx ends. The
// one that is waited for may be replaced meanwhile.
func (s *ledgerSeat) Reached(ctx context.Context, pos uint64) error {
	for {
		some, cancel := context.WithTimeout(ctx, askAgain)
		err := s.now().Reached(some, pos)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
}

// Content asks the follower that sits there.
func (s *ledgerSeat) Content(ctx context.Context, r *city.Reading) (hash [16]byte, ok bool, err error) {
	hash, err = ask(&s.seat, func(f *ledger.Follower) (kept [16]byte, err error) {
		kept, ok, err = f.Content(ctx, r)
		return kept, err
	})
	return hash, ok, err
}

// Checkpoint asks the follower that sits there.
func (s *ledgerSeat) Checkpoint(ctx context.Context) (*ledger.Checkpoint, error) {
	return ask(&s.seat, func(f *ledger.Follower) (*ledger.Checkpoint, error) { return f.Checkpoint(ctx) })
}

// Pending asks the follower that sits there; called from the goroutine of Apply.
func (s *ledgerSeat) Pending() int { return s.now().Pending() }

// Devices asks the follower that sits there.
func (s *healthSeat) Devices() []health.DeviceState { return s.now().Devices() }

// Device asks the follower that sits there.
func (s *healthSeat) Device(id string) (health.DeviceState, bool) { return s.now().Device(id) }

// Battery asks the follower that sits there.
func (s *healthSeat) Battery(id string, limitMV, now int64) health.Forecast {
	return s.now().Battery(id, limitMV, now)
}

// Completeness asks the follower that sits there.
func (s *healthSeat) Completeness(ctx context.Context, device, date string) (health.Completeness, error) {
	return ask(&s.seat, func(f *health.Follower) (health.Completeness, error) { return f.Completeness(ctx, device, date) })
}

// CompletenessOf asks the follower that sits there.
func (s *healthSeat) CompletenessOf(ctx context.Context, device string, dates []string) ([]health.Day, error) {
	return ask(&s.seat, func(f *health.Follower) ([]health.Day, error) { return f.CompletenessOf(ctx, device, dates) })
}

// Incidents asks the follower that sits there.
func (s *watchSeat) Incidents(ctx context.Context, q watch.Query) (list []watch.Incident, next string, err error) {
	list, err = ask(&s.seat, func(f *watch.Follower) (page []watch.Incident, err error) {
		page, next, err = f.Incidents(ctx, q)
		return page, err
	})
	return list, next, err
}

// Incident asks the follower that sits there.
func (s *watchSeat) Incident(ctx context.Context, id string) (watch.Incident, error) {
	return ask(&s.seat, func(f *watch.Follower) (watch.Incident, error) { return f.Incident(ctx, id) })
}

// Acknowledge asks the follower that sits there.
func (s *watchSeat) Acknowledge(ctx context.Context, id, by, note string, at int64) (watch.Incident, error) {
	return ask(&s.seat, func(f *watch.Follower) (watch.Incident, error) { return f.Acknowledge(ctx, id, by, note, at) })
}

// Changes asks the follower that sits there.
func (s *watchSeat) Changes(ctx context.Context, after uint64, limit int) (list []watch.Incident, next uint64, err error) {
	list, err = ask(&s.seat, func(f *watch.Follower) (page []watch.Incident, err error) {
		page, next, err = f.Changes(ctx, after, limit)
		return page, err
	})
	return list, next, err
}

// Standing asks the follower that sits there.
func (s *watchSeat) Standing() int { return s.now().Standing() }

// Reopen waits until no day is being put away: only one may change the archive.
func (s *seriesSeat) Reopen(ctx context.Context) error {
	s.tending.Lock()
	defer s.tending.Unlock()
	return s.seat.Reopen(ctx)
}

// Seal asks the follower that sits there.
func (s *seriesSeat) Seal(ctx context.Context, date string) (journal.Archive, error) {
	s.tending.Lock()
	defer s.tending.Unlock()
	return s.now().Seal(ctx, date)
}

// Retain asks the follower that sits there.
func (s *seriesSeat) Retain(ctx context.Context, now int64, p series.Policy, passed uint64) ([]string, error) {
	s.tending.Lock()
	defer s.tending.Unlock()
	return s.now().Retain(ctx, now, p, passed)
}

// Due asks the follower that sits there.
func (s *seriesSeat) Due() []string { return s.now().Due() }

// Unrecorded asks the follower that sits there.
func (s *seriesSeat) Unrecorded() *journal.Archive { return s.now().Unrecorded() }

// Applied asks the follower that sits there.
func (s *seriesSeat) Applied() uint64 { return s.now().Applied() }

// Replay asks the follower that sits there.
func (s *seriesSeat) Replay(ctx context.Context, after uint64, each func([]journal.Entry) error) (uint64, error) {
	return s.now().Replay(ctx, after, each)
}

// Readings asks the follower that sits there.
func (s *seriesSeat) Readings(ctx context.Context, q series.Query) (series.Page, error) {
	return ask(&s.seat, func(f *series.Follower) (series.Page, error) { return f.Readings(ctx, q) })
}

// The compiler holds that each is a follower that can be replaced.
var (
	_ replaceable = (*occupancySeat)(nil)
	_ replaceable = (*trafficSeat)(nil)
	_ replaceable = (*ledgerSeat)(nil)
	_ replaceable = (*healthSeat)(nil)
	_ replaceable = (*watchSeat)(nil)
	_ replaceable = (*seriesSeat)(nil)
	_ replaceable = (*certificateSeat)(nil)
)
