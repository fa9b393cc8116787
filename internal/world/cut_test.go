package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/journal"
)

// cutSignal unwinds what runs when the power goes.
type cutSignal struct{ at string }

// point is a moment at which the power may go.
func (w *World) point(name string) {
	if w.gone() {
		w.stats.cuts["in the midst before "+name]++
		panic(cutSignal{name})
	}
	if w.cutIn == 0 {
		return
	}
	if w.cutIn--; w.cutIn == 0 {
		w.stats.cuts[name]++
		panic(cutSignal{name})
	}
}

// arm lets the power go some moments from now.
func (w *World) arm() {
	if w.cutIn == 0 && w.cutsLeft > 0 {
		w.cutsLeft--
		if w.disk != nil && w.dice.chance(70) {
			w.disk.CutAfter(w.disk.Ops() + w.dice.n(120))
			w.note("the disk will lose its power")
			return
		}
		w.cutIn = 1 + w.dice.n(24)
		w.note("armed %d", w.cutIn)
	}
}

// step does one thing, in the midst of which the power may go.
func (w *World) step(f func()) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case cutSignal:
			w.crash(p.at)
		case failure:
			if !w.gone() {
				panic(p)
			}
			w.stats.cuts["in the midst of a call"]++
			w.note("%s", p.text[:strings.IndexByte(p.text+":", ':')])
			w.crash("a call")
		default:
			panic(p)
		}
	}()
	f()
}

// crash throws away everything in memory, and opens it again from the folder.
func (w *World) crash(at string) {
	w.note("cut at %q, journal %d", at, w.model.head())
	w.cutIn = 0
	if w.disk != nil {
		w.disk.Cut()
		w.model.lost()
	} else if w.dice.chance(30) { // as kill -9 leaves it: nobody has folded a log into its file
		w.moveAway()
	}
	w.abandon()
	w.model.cut()
	w.advance(pick(w.dice, 0, second, 20*second, 5*minute, 2*hour), false)
	w.cutOff()
	percent := 15
	if at == "retry" {
		percent = 60
	}
	if w.skew == 0 && w.dice.chance(percent) { // a machine without a battery for its clock
		w.skew = -pick(w.dice, 25*minute, 3*hour)
		w.note("our clock is %d off after the start", w.skew)
	}
	if w.dice.chance(15) {
		w.arm()
	}
	w.step(w.open)
}

// gone tells whether the disk has lost its power.
func (w *World) gone() bool { return w.disk != nil && w.disk.Gone() }

// abandon lets go of everything without a last word: nothing is flushed.
func (w *World) abandon() {
	s := w.sys
	for _, c := range slices.Backward(s.closers) {
		if err := c(); err != nil && !w.gone() {
			failf("close what was abandoned: %v", err)
		}
	}
	s.closers = nil
	if w.disk != nil {
		w.disk.Off()
		w.disk = nil
	}
}

// moveAway goes on in a copy of the folder as it is this moment.
func (w *World) moveAway() {
	w.moved++
	to := filepath.Join(w.root, fmt.Sprintf("data-%d", w.moved))
	must(os.CopyFS(to, os.DirFS(w.dir)), "copy the folder")
	w.dir = to
}

// lose removes a file that is derived: it is built again from the rest.
func (w *World) lose() {
	name := pick(w.dice, "occupancy.db", "traffic.db", "health.db", "series.db", "dedupe.db")
	w.note("%s is lost", name)
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(filepath.Join(w.dir, name+end)); !errors.Is(err, os.ErrNotExist) {
			must(err, "remove a file")
		}
	}
}

// failing makes a commit fail now and then, as a full disk does.
func (w *World) failing(doing string, percent int) bool {
	if w.settling || !w.dice.chance(percent) {
		return false
	}
	w.note("no room for %s", doing)
	return true
}

// cutJournal is the gate's journal: the power may go on both sides of it.
type cutJournal struct {
	*journal.Journal
	w *World
}

// Append appends.
func (j cutJournal) Append(ctx context.Context, entries []journal.Entry) (uint64, error) {
	j.w.model.compareEntries(entries)
	j.w.point("append")
	if j.w.failing("append", 3) {
		return 0, errFull
	}
	first, err := j.Journal.Append(ctx, entries)
	must(err, "append")
	j.w.model.appended(entries)
	j.w.point("appended")
	return first, nil
}

// cutQuarantine is the gate's quarantine.
type cutQuarantine struct {
	*journal.Quarantine
	w *World
}

// Put keeps items.
func (q cutQuarantine) Put(ctx context.Context, items []journal.Item) ([]int64, error) {
	q.w.model.forgive(items)
	q.w.model.compareAside(items)
	q.w.point("put")
	if q.w.failing("quarantine", 3) {
		return nil, errFull
	}
	ids, err := q.Quarantine.Put(ctx, items)
	must(err, "put into quarantine")
	q.w.model.put()
	q.w.point("put away")
	return ids, nil
}

// MarkRetried notes a verdict.
func (q cutQuarantine) MarkRetried(ctx context.Context, id int64, verdict string) error {
	q.w.point("mark")
	return q.Quarantine.MarkRetried(ctx, id, verdict)
}
