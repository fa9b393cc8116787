package sandbox

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/wire/codec"
)

// Command is the program's argument that makes it a sandbox's process.
const Command = "codec-worker"

// The bounds of a process.
const (
	maxData  = 96 << 20 // bytes of data that the kernel lets it have beside what it begins with
	softHeap = 48 << 20 // from which on Go collects what is garbage all the time
	maxStack = 32 << 20 // of Go, in which the interpreter recurses
	tidyHeap = 32 << 20 // above which what is garbage is collected after a call; a process that still has as much ends, so that the next begins with as much as any
)

// The heap is looked at after a call that computed for long, for it takes time to
// fill it, and now and then.
const (
	costly    = 200 * time.Microsecond
	lookEvery = 32
)

// patience is how many times its limit a script may last on the clock, where
// other programs have the processor.
const patience = 10

// stopWithin is how soon a script that is told to stop does so, unless it is in
// a built-in function.
const stopWithin = 20 * time.Millisecond

// exitStuck is how a process ends whose script did not stop.
const exitStuck = 3

// Child makes this process a sandbox's where it was started to be one, and exits
// then; every program that makes a Sandbox calls it first.
func Child() {
	if len(os.Args) != 2 || os.Args[1] != Command {
		return
	}
	if err := Work(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Work is a sandbox's process: it serves requests until in ends. It bounds the
// process that it runs in, and may end it.
func Work(in io.Reader, out io.Writer) error {
	// Who started it closes in; signals that go to a whole group are not for it.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	if err := bound(); err != nil {
		return err
	}
	w := &worker{scripts: map[uint32]*loaded{}}
	requests, answer, frame, calls := bufio.NewReaderSize(in, 64<<10), []byte(nil), []byte(nil), 0
	for {
		var err error
		if frame, err = readFrame(requests, frame, maxRequest); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		r, err := parseRequest(frame)
		if err != nil {
			return err
		}
		before := computed()
		result := w.do(&r)
		full := false
		if calls++; calls%lookEvery == 0 || computed()-before > costly {
			full = tidy()
		}
		result.Used = computed() - before
		answer = result.Append(append(answer[:0], 0, 0, 0, 0))
		binary.LittleEndian.PutUint32(answer, uint32(len(answer)-4))
		if _, err := out.Write(answer); err != nil {
			return err
		}
		if full && r.op != opLoad { // what was loaded is called first
			return nil
		}
	}
}

// bound takes from this process what it must not have. Each bound has to hold:
// without one nothing is run.
func bound() error {
	debug.SetMaxStack(maxStack)
	debug.SetMemoryLimit(softHeap)
	debug.SetGCPercent(400) // below softHeap a call leaves little, and less often counts more
	runtime.GOMAXPROCS(2)   // the script, and the watchdog
	begun, err := data()
	if err != nil {
		return fmt.Errorf("sandbox: what memory it has: %w", err)
	}
	for _, limit := range []struct {
		name string
		of   int
		most uint64
	}{
		{"memory", unix.RLIMIT_DATA, begun + maxData},
		{"files", unix.RLIMIT_FSIZE, 0},
		{"core dumps", unix.RLIMIT_CORE, 0},
	} {
		if raced && limit.of == unix.RLIMIT_DATA {
			continue // the race detector's own memory is beyond it
		}
		if err := unix.Setrlimit(limit.of, &unix.Rlimit{Cur: limit.most, Max: limit.most}); err != nil {
			return fmt.Errorf("sandbox: bound its %s: %w", limit.name, err)
		}
	}
	// Where the machine has no memory left, this process goes first. Not all
	// systems let us say so; the bound above holds everywhere.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0o600)
	return nil
}

// data is how many bytes of data the kernel counts for this process: far more
// than are in memory, for Go maps before it uses.
func data() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm") // pages; the sixth number is data and stack
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 6 {
		return 0, fmt.Errorf("/proc/self/statm has %d numbers, not 7", len(fields))
	}
	pages, err := strconv.ParseUint(fields[5], 10, 40)
	return pages * uint64(os.Getpagesize()), err
}

type worker struct {
	scripts map[uint32]*loaded
	dog     watchdog
}

type loaded struct {
	script *codec.Script
	limit  time.Duration
}

func (w *worker) do(r *request) codec.Result {
	if r.op == opLoad {
		script, result := codec.Compile(r.source)
		if script == nil {
			return result
		}
		s := &loaded{script, r.limit}
		w.scripts[r.script] = s
		return script.Check(w.guard(s.limit))
	}
	s := w.scripts[r.script]
	if s == nil {
		return codec.Result{Failure: codec.Crashed, Text: "the script was never loaded"}
	}
	return s.script.Decode(r.call, w.guard(s.limit))
}

// guard stops a script that has computed for longer than its limit, and ends
// the process where it does not stop.
func (w *worker) guard(limit time.Duration) codec.Guard {
	return func(stop func()) (ended func()) {
		w.dog.watch(watched{limit: limit, stop: stop, began: time.Now(), computed: computed()})
		return w.dog.rest
	}
}

// watchdog looks after one script at a time. Its timer goes on after a script
// has ended, for the next is likely to be soon, and a timer that is set may cost
// another thread's waking.
type watchdog struct {
	mu    sync.Mutex
	timer *time.Timer
	set   bool      // the timer is to come
	at    time.Time // then
	now   watched
}

// watched is a script that runs; without stop none does.
type watched struct {
	limit    time.Duration
	stop     func()
	began    time.Time
	computed time.Duration // by this process, before
	stopped  bool
}

func (w *watchdog) watch(s watched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = s
	if !w.set || w.at.After(s.began.Add(s.limit)) { // that of a script that may last longer is too late
		w.in(s.limit)
	}
}

// in sets the timer. mu is held.
func (w *watchdog) in(d time.Duration) {
	w.set, w.at = true, time.Now().Add(d)
	if w.timer == nil {
		w.timer = time.AfterFunc(d, w.look)
		return
	}
	w.timer.Reset(d)
}

func (w *watchdog) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set = false
	s := &w.now
	used := computed() - s.computed
	switch {
	case s.stop == nil:
	case s.stopped:
		os.Exit(exitStuck)
	case used < s.limit && time.Since(s.began) < patience*s.limit:
		w.in(max(s.limit-used, time.Millisecond))
	default:
		s.stopped = true
		s.stop()
		w.in(stopWithin)
	}
}

// rest lets go of the script, and of its memory.
func (w *watchdog) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = watched{}
}

// tidy collects what is garbage where the heap is large, and tells whether it
// still is.
func tidy() (full bool) {
	if heap() <= tidyHeap {
		return false
	}
	runtime.GC()
	return heap() > tidyHeap
}

// heap is how many bytes objects have, garbage with them.
func heap() uint64 {
	sample := [1]metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample[:])
	return sample[0].Value.Uint64()
}

// computed is the processor's time that this process has had.
func computed() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		return time.Duration(1) << 62 // then nothing may run
	}
	return time.Duration(t.Nano())
}
