package world

import (
	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/series"
)

// acceptFolder has the folder's version accepted where it is a new one, before
// anything is taken from a source.
func (w *World) acceptFolder() {
	s := w.sys
	version, faults, err := inventory.Load(w.folder, zone)
	must(err, "load the inventory")
	if len(faults) > 0 {
		failf("the inventory's folder has faults: %v", faults)
	}
	if s.versions.current != nil && s.versions.current.Hash == version.Hash {
		return
	}
	entry, err := s.versions.prepare(version)
	must(err, "prepare a version")
	w.note("accept edition %d", w.edition.n)
	w.model.editions[version.Hash] = w.edition
	w.command(intake.Command{Entries: []journal.Entry{entry}})
}

// reload changes the folder and has it read again.
func (w *World) reload() {
	s := w.sys
	if n := len(w.model.versions); s.reloading || n > 0 && w.model.versions[n-1].at >= w.now+w.skew {
		return // one a moment
	}
	if w.dice.chance(15) {
		w.plan.write(w.folder, w.edition, true)
		_, faults, err := inventory.Load(w.folder, zone)
		must(err, "load the inventory")
		if len(faults) == 0 {
			failf("a toaster passes as a device")
		}
		w.note("reload refused: %d faults", len(faults))
		w.plan.write(w.folder, w.edition, false)
		return
	}
	w.edition = w.plan.next(w.dice, w.edition)
	w.plan.write(w.folder, w.edition, false)
	w.point("reload")
	version, faults, err := inventory.Load(w.folder, zone)
	must(err, "load the inventory")
	if len(faults) > 0 {
		failf("faults in edition %d: %v", w.edition.n, faults)
	}
	if s.versions.current != nil && s.versions.current.Hash == version.Hash {
		w.note("reload: nothing new")
		return
	}
	entry, err := s.versions.prepare(version)
	must(err, "prepare a version")
	w.model.editions[version.Hash] = w.edition
	w.note("reload edition %d", w.edition.n)
	s.reloading = w.do(intake.Command{Entries: []journal.Entry{entry}, Done: func(uint64, intake.Verdict, error) { s.reloading = false }})
}

// putAway archives days that are over, and retires days of the journal, as
// app's keeper does.
func (w *World) putAway() {
	s := w.sys
	if !w.trusted(w.instant()) || s.clock.Check(w.instant()) != nil {
		return
	}
	w.point("retain")
	retired, err := s.series.Retain(w.ctx, w.now, series.Policy{Journal: w.journalDays}, w.passed(true))
	must(err, "retain")
	if len(retired) > 0 {
		w.note("retired %v", retired)
		w.stats.retired += len(retired)
	}
	w.point("seal")
	if a := s.series.Unrecorded(); a != nil && s.series.Applied() == s.journal.Head() {
		if !w.record(*a) {
			return
		}
	}
	for _, date := range s.series.Due() {
		if w.passed(false) < w.lastOf(date) || s.series.Unrecorded() != nil || s.series.Applied() < w.lastOf(date) {
			return
		}
		a, err := s.series.Seal(w.ctx, date)
		must(err, "seal "+date)
		w.stats.sealed++
		w.note("sealed %s: %d rows of %d..%d", date, a.Rows, a.First, a.Last)
		w.point("sealed")
		if !w.record(a) {
			return
		}
	}
}

func (w *World) record(a journal.Archive) bool {
	ok := w.command(intake.Command{Entries: []journal.Entry{{Type: journal.TypeArchive, Archive: &a}}})
	for w.followAll(w.sys.runners[len(w.sys.runners)-1:]) { // series learns of it
	}
	return ok
}

// passed is the position that every durable cursor has reached.
func (w *World) passed(archived bool) uint64 {
	s := w.sys
	least := s.saved
	for _, r := range s.runners {
		if r.follower == follower(s.series) && !archived {
			continue
		}
		least = min(least, r.Cursor())
	}
	return least
}

func (w *World) lastOf(date string) uint64 {
	for _, d := range w.sys.journal.Days() {
		if d.Date == date {
			return d.Last
		}
	}
	return 0
}

func (w *World) followAll(runners []*runner) (moved bool) {
	for _, r := range runners {
		moved = w.follow(r) || moved
	}
	return moved
}

// catchUp brings every follower to the journal's head, durably, and the memory
// of de-duplication too.
func (w *World) catchUp() {
	for w.followAll(w.sys.runners) {
	}
	for _, r := range w.sys.runners {
		w.flush(r)
	}
	if w.sys.image != nil {
		w.image()
	}
	w.image()
	w.image()
}

// drain commits all that waits.
func (w *World) drain() {
	for i := 0; i < 1000 && (w.sys.queue.Len() > 0 || len(w.sys.items) > 0); i++ {
		w.commit()
	}
}

// restart stops the gateway cleanly and starts it again after some time.
func (w *World) restart(down int64) {
	w.drain()
	if len(w.sys.items) == 0 { // else what was decided is not committed: its image must not be kept
		w.catchUp()
	}
	w.note("stopped at %v", w.sys.cursors())
	w.abandon()
	w.model.cut()
	w.cutOff()
	w.advance(down, false)
	if w.dice.chance(25) {
		w.lose()
	}
	w.open()
}
