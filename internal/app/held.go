package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/archive"
	"github.com/simpang-id/simpang/internal/influx"
	"github.com/simpang-id/simpang/internal/journal"
)

// held is the position after which the journal is kept for targets that are
// behind, the most there is where it is not. A target needs of the journal what
// the archive does not keep for as long, and holds a day for so many days;
// nothing is held where the disk runs short, for intake needs the room.
func (g *gateway) held(now time.Time) uint64 {
	if g.servers == nil || g.servers.short(g.cfg.DataDir) {
		return 1<<64 - 1
	}
	return g.needed(now)
}

// needed is what held would be on a disk with room.
func (g *gateway) needed(now time.Time) uint64 {
	least := uint64(1<<64 - 1)
	if g.servers == nil || len(g.servers.targets) == 0 {
		return least
	}
	today, kept := now.In(g.cfg.City.Zone), g.journal.Days()
	archived := g.wholeDays()
	for _, t := range g.servers.targets {
		hold := g.servers.hold[t.ID()]
		oldest := today.AddDate(0, 0, -hold).Format(time.DateOnly)
		whole := archived
		if days(g.cfg.Retention.Readings.Duration) < hold {
			whole = nil // the archive would let it go before the target has had its days
		}
		for _, s := range t.Status() {
			need := s.Journal
			for _, d := range kept {
				if d.Last > need && d.Date >= oldest && !whole[d.Date] {
					break
				}
				need = max(need, d.Last)
			}
			least = min(least, need)
		}
	}
	return least
}

// wholeDays are the days of which the archive keeps all readings.
func (g *gateway) wholeDays() map[string]bool {
	whole := map[string]bool{}
	for _, d := range g.series.now().Archived() {
		if !lacks(d.Files, isReading) {
			whole[d.Date] = true
		}
	}
	return whole
}

// lacks tells whether a file of such a kind was let go.
func lacks(files []archive.File, kind func(string) bool) bool {
	return slices.ContainsFunc(files, func(f archive.File) bool { return f.Removed && kind(f.Kind) })
}

// tellLost logs the days that the journal has let go although a target lacks
// them, because the disk runs short. before are those that there were.
func (g *gateway) tellLost(ctx context.Context, before []journal.DayInfo, retired []string, needed uint64) {
	for _, d := range before {
		if d.Last > needed && slices.Contains(retired, d.Date) {
			g.log.WarnContext(ctx, "influx: less than a tenth of the disk is free: a day is let go that a target lacks, and will miss once the archive lets it go too; bring the server back, or free room", "date", d.Date, "first", d.First, "last", d.Last)
		}
	}
}

// shortShare is the part of the disk that is free, at least, while days are held
// for targets.
const shortShare = 10 // a tenth

// short tells that the disk has no room to hold anything for targets.
func (s *servers) short(dir string) bool {
	free, size := s.room(dir)
	return free < size/shortShare
}

// diskRoom is what of a folder's disk is free, and its size, bytes; where that
// cannot be told it has all room.
func diskRoom(dir string) (free, size uint64) {
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil {
		return 1, 1
	}
	return fs.Bavail * uint64(fs.Bsize), fs.Blocks * uint64(fs.Bsize)
}

// misses tells what a target that is behind has missed, or will.
func (g *gateway) misses(t *influx.Target, st *influx.Status) string {
	kept := g.journal.Days()
	if st.Stream != "readings" || len(kept) == 0 {
		return ""
	}
	retired := slices.DeleteFunc(g.series.now().Archived(), func(d archive.Day) bool { return d.Last <= st.Cursor || d.Last >= kept[0].First })
	first, last := "", ""
	for _, d := range retired {
		if !lacks(d.Files, isReading) {
			continue
		}
		if first == "" {
			first = d.Date
		}
		last = d.Date
	}
	if first != "" {
		return fmt.Sprintf("%s was behind for longer than journal and archive are kept: readings received from %s to %s will be missing there", st.Name, first, last)
	}
	today := g.now().In(g.cfg.City.Zone)
	ago := func(days int) string { return today.AddDate(0, 0, -days).Format(time.DateOnly) }
	readings, whole := days(g.cfg.Retention.Readings.Duration), days(g.cfg.Retention.Journal.Duration)
	if g.servers.short(g.cfg.DataDir) {
		for _, d := range kept {
			if d.Last > st.Cursor && d.Date < ago(whole) {
				return fmt.Sprintf("%s is behind since %s, and the disk has less than a tenth free: days are not held for it any more, and what the archive does not keep will be missing there; bring the server back, or free room", st.Name, d.Date)
			}
		}
	}
	soon := func(date string, life int) string {
		return fmt.Sprintf("%s is behind since %s, and what is older than %d days is let go: in less than two days it will begin to miss readings; bring the server back, or raise hold_days", st.Name, date, life)
	}
	if len(retired) > 0 { // only the archive has it
		if retired[0].Date <= ago(readings-2) {
			return soon(retired[0].Date, readings)
		}
		return ""
	}
	life := max(g.servers.hold[t.ID()], readings, whole)
	for _, d := range kept {
		if d.Last > st.Cursor && d.Date <= ago(life-2) && d.Date != kept[len(kept)-1].Date {
			return soon(d.Date, life)
		}
	}
	return ""
}
