package occupancy

import (
	"database/sql"
	"fmt"
)

// Retention goes round: each minute of the clock some series and spaces are
// looked at, each twice a day.
const purgeRounds = 12 * 60

type purge struct {
	at     int64 // the clock's minute in which it ran last
	series int   // where to go on
	space  int
	floors map[*series]int64
	run    bool
}

func (f *Follower) writePurge(tx *sql.Tx) error {
	p := &f.purge
	p.run = f.clock/60_000 > p.at && (f.o.Hold == nil || !f.o.Hold())
	if !p.run {
		return nil
	}
	all := f.allSeries()
	p.floors = map[*series]int64{}
	chunks := f.clock - int64(f.o.ObservationDays)*dayMs
	for i := range turn(len(all)) {
		s := all[(p.series+i)%len(all)]
		if s.id == 0 {
			continue
		}
		res, err := tx.ExecContext(f.ctx, `DELETE FROM chunk WHERE series = ?1 AND lo < ?2 AND lo < (
			SELECT coalesce(min(lo), ?2) FROM chunk WHERE series = ?1 AND touched >= ?3)`, s.id, s.tail.lo, chunks)
		if err != nil {
			return fmt.Errorf("old observations: %w", err)
		}
		if n, err := res.RowsAffected(); err == nil && n > 0 {
			var floor int64
			if err := tx.QueryRowContext(f.ctx, "SELECT coalesce(min(lo), 0) FROM chunk WHERE series = ?", s.id).Scan(&floor); err != nil {
				return fmt.Errorf("old observations: %w", err)
			}
			p.floors[s] = floor
		}
	}
	for i := range turn(len(f.spaces)) {
		sp := f.spaces[(p.space+i)%len(f.spaces)]
		if _, err := tx.ExecContext(f.ctx, "DELETE FROM rollup WHERE id BETWEEN ? AND ? AND touched < ?",
			rollupID(sp.id, 0), rollupID(sp.id+1, 0)-1, f.clock-int64(f.o.RollupDays)*dayMs); err != nil {
			return fmt.Errorf("old roll-ups: %w", err)
		}
		for _, query := range []string{"DELETE FROM stay WHERE space = ? AND touched < ?", "DELETE FROM lull WHERE space = ? AND touched < ?"} {
			if _, err := tx.ExecContext(f.ctx, query, sp.id, f.clock-int64(f.o.StayDays)*dayMs); err != nil {
				return fmt.Errorf("old stays and silences: %w", err)
			}
		}
	}
	return nil
}

// turn returns how many of n are looked at in a minute.
func turn(n int) int { return min(n, n/purgeRounds+1) }

// purged takes note of what a purge dropped, once it is durable.
func (f *Follower) purged() {
	p := &f.purge
	if !p.run {
		return
	}
	p.run, p.at = false, f.clock/60_000
	for s, floor := range p.floors {
		s.floor = floor
		s.sp.floor = max(s.sp.floor, ceilTo(floor, BucketMs))
	}
	if n := f.many; n > 0 {
		p.series = (p.series + turn(n)) % n
	}
	if n := len(f.spaces); n > 0 {
		p.space = (p.space + turn(n)) % n
	}
	f.forgetClosures(f.clock - int64(f.o.RollupDays)*dayMs)
}

// allSeries returns every series in the order of the spaces.
func (f *Follower) allSeries() []*series {
	all := make([]*series, 0, f.many)
	for _, sp := range f.spaces {
		all = append(all, sp.series...)
	}
	return all
}
