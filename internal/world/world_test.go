package world

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

// Mutants are faults that are planted into the world's own wiring, to show that
// they are found.
const (
	ackEarly    = "acknowledge before the commit"
	skipImage   = "an image of de-duplication that could not be saved is forgotten"
	shortReplay = "the tail is not replayed into de-duplication"
	skipEntry   = "a follower's cursor is one entry ahead"
)

// options of a run.
type options struct {
	tb     testing.TB
	mutant string
	trace  bool
}

// World is the city, its devices and sources, the gateway and the model, on one
// clock.
type World struct {
	o    options
	seed uint64
	ctx  context.Context
	dice dice
	*trace

	root   string // of everything on disk
	dir    string // the gateway's data_dir
	folder string // the inventory's folder

	begin int64 // when all began, Unix ms
	now   int64 // the true time, Unix ms
	mono  int64 // our monotonic clock, ms
	skew  int64 // our wall clock is so far from the true time, ms

	plan    *plan
	edition *edition // what the folder holds
	devices []*device
	net     network
	office  office
	sys     *system
	model   *model

	cutIn, cutsLeft int
	power           bool // the files lie on a disk that loses what was not synced
	disk            *powercut.Disk
	disks           uint64
	settling        bool // nothing fails any more
	closureNo       int
	moved           int // times that the folder was copied
	journalDays     int
	minuteDone      int64
	stats           stats
}

// stats say what a run was like.
type stats struct {
	cuts                                      map[string]int
	sealed, retired, readings, aside, doubles int
	forgotten, conflicts, retried, entries    int
	acts, closes, filed                       int // filed: 1 where the views differ
}

// run lives through one world and checks it; the error is what was wrong.
func run(seed uint64, o options) (w *World, err error) {
	root, err := os.MkdirTemp(scratch(), "world-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(root)
	w = &World{
		o: o, seed: seed, ctx: context.Background(), dice: newDice(seed, 1), trace: newTrace(o.trace), root: root,
		dir: filepath.Join(root, "data"), folder: filepath.Join(root, "inventory"), stats: stats{cuts: map[string]int{}},
	}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failure:
			err = p
		default:
			panic(p)
		}
		if err != nil && w.sys != nil {
			for _, c := range w.sys.closers {
				_ = c()
			}
		}
	}()
	w.now = pick(w.dice, time.Date(2026, 11, 2, 0, 0, 0, 0, zone), time.Date(2026, 11, 30, 0, 0, 0, 0, zone)).UnixMilli() + w.dice.between(0, day)
	w.begin = w.now
	w.plan = newPlan(w.dice)
	w.edition = w.plan.newEdition(w.dice)
	for i := range w.plan.devices {
		w.devices = append(w.devices, newDevice(w.dice, &w.plan.devices[i]))
	}
	w.model = newModel(w)
	w.cutsLeft = 1 + w.dice.n(3)
	w.journalDays = w.dice.n(2)
	w.power = w.dice.chance(powerShare)
	seedKeys(w.dir)
	w.plan.write(w.folder, w.edition, false)
	w.open()
	shifts := 2 + w.dice.n(3)
	for i := range shifts {
		if i > 0 {
			w.gap()
		}
		w.shift()
	}
	w.finish()
	return w, nil
}

// scratch is where worlds live: in memory where there is such a place.
func scratch() string {
	if dir := os.Getenv("TMPDIR"); dir != "" {
		return dir
	}
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// advance lets time pass; asleep: our monotonic clock stands still.
func (w *World) advance(ms int64, asleep bool) {
	w.now += ms
	if !asleep {
		w.mono += ms
	}
}

// shift is some busy minutes.
func (w *World) shift() {
	for range 10 + w.dice.n(16) {
		w.advance(w.dice.between(3*second, 40*second), false)
		if m := w.now / minute; m != w.minuteDone {
			w.minuteDone = m
			w.step(w.tick)
		}
		w.speak(30)
		for range 3 + w.dice.n(6) {
			w.step(w.act)
		}
	}
}

// speak lets devices measure and publish.
func (w *World) speak(percent int) {
	for _, x := range w.devices {
		if what := x.live(w.dice, w.now); what != "" {
			w.note("%s: %s", x.id, what)
		}
		if x.dead > w.now || !w.dice.chance(percent) {
			continue
		}
		w.publish(x, w.measure(x))
	}
}

// act does one thing.
func (w *World) act() {
	switch n := w.dice.n(107); {
	case n >= 100:
		w.staff()
	case n < 34:
		for range 1 + w.dice.n(5) {
			w.deliver()
		}
	case n < 42:
		w.decide()
	case n < 60:
		w.commit()
	case n < 75:
		w.follow(*pickOf(w.dice, w.sys.runners))
	case n < 82:
		w.flush(*pickOf(w.dice, w.sys.runners))
	case n < 89:
		w.image()
	case n < 91:
		w.retry()
	case n < 93:
		w.closure()
	case n < 95:
		w.reload()
	case n < 96:
		w.putAway()
	case n < 97:
		w.disturbClock()
	case n < 98 && w.skew < -10*minute:
		w.note("our clock is right again")
		w.skew = 0
	default:
		w.arm()
	}
}

// disturbClock sets our own clock off.
func (w *World) disturbClock() {
	switch w.dice.n(4) {
	case 0: // a little: nobody minds
		w.skew = -w.dice.between(0, 3*minute)
		w.note("our clock is %d off", w.skew)
	case 1: // far: nothing is taken until it is right again
		before := w.skew
		w.skew -= 20 * minute
		w.note("our clock is set back")
		w.deliver()
		w.commit()
		w.commit()
		w.skew = before
	case 2: // we were asleep: a person accepts what the clock says now
		if w.skew < -10*minute {
			return
		}
		w.advance(w.dice.between(6*minute, 3*hour), true)
		w.note("we were asleep until %d", w.now)
		w.deliver()
		w.commit()
		w.commit()
		if len(w.sys.items) > 0 && w.sys.plan == nil {
			w.sys.clock.Accept(w.instant())
			w.sys.accepted = true
			w.note("accepted")
		}
		w.commit()
	default:
		w.skew = 0
	}
}

// gap is a time in which little happens: we wait, or are not there at all.
func (w *World) gap() {
	length := pick(w.dice, w.dice.between(5*minute, 50*minute), w.dice.between(2*hour, 8*hour), w.dice.between(14*hour, 30*hour))
	part := length / 4
	w.note("gap of %d", length)
	pass := func() {
		w.advance(part, false)
		w.speak(40)
	}
	switch w.dice.n(3) {
	case 0:
		for range 4 {
			pass()
		}
	case 1:
		w.step(func() { w.restart(0) })
		pass()
		w.step(func() { w.restart(part) })
		pass()
	default:
		w.step(func() { panic(cutSignal{"gap"}) })
		for range 4 {
			pass()
		}
	}
	w.step(w.tick)
	w.step(w.commit)
	w.step(w.catchUp)
	w.step(w.putAway)
}

// powerShare is how many of a hundred worlds stand on a disk that loses power.
const powerShare = 25

const never = math.MaxInt64
