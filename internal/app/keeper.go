package app

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/series"
)

// keep puts away the days that are over and lets go of what is past its
// retention, once a minute, beside everything else.
func (g *gateway) keep(ctx context.Context) {
	each := time.NewTicker(cmp.Or(g.o.KeepEvery, time.Minute))
	defer each.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-each.C:
		}
		if err := g.putAway(ctx); err != nil && ctx.Err() == nil {
			g.log.ErrorContext(ctx, "a day that is over could not be put away, or what is past its retention not be let go; it is tried again in a minute", "error", err)
		}
	}
}

// putAway archives each day that is over and behind every cursor, notes it in
// the journal, and applies the retention, also where a day cannot be archived.
// While our clock is not to be trusted it does nothing: all that is kept would
// look past its retention. Readyz names the clock. While it is doubtful days are
// put away, and nothing is let go. Nothing is done while a backup runs: no day
// may go, or move, that it is about to copy.
func (g *gateway) putAway(ctx context.Context) error {
	if g.clock.Check(g.instant()) != nil {
		return nil
	}
	release, err := holdToChange(g.cfg.DataDir)
	if errors.Is(err, errHeld) {
		g.kept.held.Set(1)
		g.log.InfoContext(ctx, "a backup runs: days that are over are put away after it")
		return nil
	}
	if err != nil {
		return err
	}
	defer release()
	g.kept.held.Set(0)
	kept := g.doubt.keep(g.instant())
	if g.holdOn() {
		return errors.Join(kept, g.seal(ctx))
	}
	room := reserve{path: g.path(reserveFile), most: mostReserve}
	gone := g.letGo(ctx)
	if gone != nil && noRoom(gone, g.cfg.DataDir) && room.release() {
		g.log.WarnContext(ctx, "disk full: what is past its retention is let go with the room that was in reserve")
		gone = g.letGo(ctx)
	}
	return errors.Join(kept, g.seal(ctx), gone, room.fill())
}

// letGo applies the retention.
func (g *gateway) letGo(ctx context.Context) error {
	now, before := g.now(), g.stored()
	kept, needed, held := g.journal.Days(), g.needed(now), g.held(now)
	retired, retain := g.series.Retain(ctx, now.UnixMilli(), g.policy(), min(g.passed(true), held))
	g.tellLost(ctx, kept, retired, needed)
	after := g.stored()
	g.kept.retired.Add(float64(len(retired)))
	if len(retired) > 0 {
		g.kept.freedJournal.Add(float64(max(before.journalBytes-after.journalBytes, 0)))
	}
	g.kept.freedArchive.Add(float64(max(before.archiveBytes-after.archiveBytes, 0)))
	gone, expire := g.quarantine.Expire(ctx, now.Add(-g.cfg.Retention.Quarantine.Duration).UnixMilli())
	g.kept.expired.Add(float64(gone))
	return errors.Join(retain, expire, g.expirePrints(ctx))
}

// keptBack says at a full disk why nothing is let go, "" where it is.
func (g *gateway) keptBack() string {
	left, why := g.doubt.left(g.instant())
	if left == 0 {
		return ""
	}
	return "; nothing past its retention is let go for another " + max(left.Round(time.Minute), time.Minute).String() + ", since our clock may be wrong (" + why + ")"
}

func (g *gateway) seal(ctx context.Context) error {
	// A day that was archived just before a crash is not in the journal yet.
	if a := g.series.Unrecorded(); a != nil && g.series.Applied() == g.journal.Head() {
		if err := g.record(ctx, *a); err != nil {
			return err
		}
	}
	for _, date := range g.series.Due() {
		if g.passed(false) < g.lastOf(date) {
			break
		}
		a, err := g.series.Seal(ctx, date)
		if err != nil {
			return err
		}
		g.kept.archived.Inc()
		if err := g.record(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// record notes an archived day in the journal.
func (g *gateway) record(ctx context.Context, a journal.Archive) error {
	_, _, err := g.staff.do(ctx, intake.Command{Entries: []journal.Entry{{Type: journal.TypeArchive, Archive: &a}}})
	return err
}

// passed is the position that every follower's durable cursor has reached, and
// the memory of de-duplication; with the archive's own where that counts too.
func (g *gateway) passed(archived bool) uint64 {
	least := g.committer.saved.Load()
	for _, r := range g.runners {
		if r.f == Follower(&g.series) && !archived {
			continue
		}
		least = min(least, r.f.Cursor())
	}
	return least
}

func (g *gateway) lastOf(date string) uint64 {
	days := g.journal.Days()
	i := slices.IndexFunc(days, func(d journal.DayInfo) bool { return d.Date == date })
	if i < 0 {
		return 0
	}
	return days[i].Last
}

func (g *gateway) policy() series.Policy {
	r := g.cfg.Retention
	return series.Policy{
		Parking: days(r.Readings.Duration), Traffic: days(r.Readings.Duration), Health: days(r.Readings.Duration),
		Money: days(r.Money.Duration), Journal: days(r.Journal.Duration),
	}
}
