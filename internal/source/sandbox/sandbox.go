package sandbox

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/wire/codec"
)

// Options are what a Sandbox stands on.
type Options struct {
	// Command starts a process, which has to call Work. Nil: this program itself
	// with the argument Command.
	Command []string
	// Processes is how many run at most; 0: two. They are started when they are
	// needed.
	Processes int
	Log       *slog.Logger // required
	Metrics   *Metrics     // nil: nothing is counted
	// Now is a clock for the rests of Codecs. Nil: the machine's.
	Now func() time.Time
}

// Sandbox runs scripts in processes that can be lost. Its methods may be called
// from several goroutines.
type Sandbox struct {
	o       Options
	slots   chan struct{} // one for each process that may be used
	scripts []Script

	closeOnce, refuseOnce sync.Once
	closed                chan struct{} // no process is begun any more

	mu   sync.Mutex
	idle []*process // started and not used, the one that was used last at the end
	live map[*process]struct{}
	cut  bool
}

// closeWithin is how long Close waits for what the processes do.
const closeWithin = time.Second

// Script is a script and how long it may compute a call.
type Script struct {
	Source string
	Limit  time.Duration
}

// New returns a sandbox of scripts, which are named by their index.
func New(scripts []Script, o Options) *Sandbox {
	if o.Command == nil {
		o.Command = []string{"/proc/self/exe", Command}
	}
	if o.Processes == 0 {
		o.Processes = 2
	}
	s := &Sandbox{o: o, slots: make(chan struct{}, o.Processes), scripts: scripts, closed: make(chan struct{}), live: map[*process]struct{}{}}
	for range o.Processes {
		s.slots <- struct{}{}
	}
	return s
}

// Check loads a script: it is compiled, run, and looked through for its
// function.
func (s *Sandbox) Check(script int) codec.Result {
	return s.use(func(p *process) (codec.Result, error) { return s.load(p, script) })
}

// Decode calls the script's decodeUplink.
func (s *Sandbox) Decode(script int, c codec.Call) codec.Result {
	return s.use(func(p *process) (codec.Result, error) {
		if !p.loaded[uint32(script)] {
			if r, err := s.load(p, script); err != nil || r.Failure != codec.OK {
				return r, err
			}
		}
		return p.do(&request{op: opDecode, script: uint32(script), call: c}, s.wall(script))
	})
}

func (s *Sandbox) load(p *process, script int) (codec.Result, error) {
	within := s.wall(script)
	if len(p.loaded) == 0 {
		within += startWithin
	}
	it := &s.scripts[script]
	r, err := p.do(&request{op: opLoad, script: uint32(script), limit: it.Limit, source: it.Source}, within)
	if err == nil && r.Failure == codec.OK {
		p.loaded[uint32(script)] = true
	}
	return r, err
}

// wall is when a process is given up that should have given itself up.
func (s *Sandbox) wall(script int) time.Duration {
	return patience*s.scripts[script].Limit + time.Second
}

var stopped = codec.Result{Failure: codec.Unserved, Text: "the gateway stops"}

// use has a process do something, once more where someone else ended it.
func (s *Sandbox) use(do func(*process) (codec.Result, error)) codec.Result {
	select {
	case <-s.slots:
	case <-s.closed:
		return stopped
	}
	p := s.take()
	defer func() { s.give(p) }()
	for again := false; ; again = true {
		if s.isClosed() {
			return stopped
		}
		if p == nil {
			var err error
			if p, err = s.start(); err != nil {
				return codec.Result{Failure: codec.Unserved, Text: "no process could be started: " + err.Error()}
			}
		}
		r, err := do(p)
		if err == nil {
			return r
		}
		s.forget(p)
		p = nil
		ended, ok := errors.AsType[*endedError](err)
		switch {
		case s.isClosed(): // that may be what ended it
			return stopped
		case !ok:
			return codec.Result{Failure: codec.Unserved, Text: err.Error()}
		case again && ended.retired:
			return codec.Result{Failure: codec.Crashed, Text: "its process ended without an answer, and another did"}
		case again || !ended.foreign && !ended.retired:
			return ended.result
		case ended.foreign:
			s.o.Log.Warn("a process of the codecs was ended from outside; another takes its place", "what", ended.result.Text)
		}
	}
}

// take returns the process that was used last, whose memory is warm; nil where
// none is idle. Who takes has a slot.
func (s *Sandbox) take() (p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.idle); n > 0 {
		p, s.idle = s.idle[n-1], s.idle[:n-1]
	}
	return p
}

// give gives the process back, where there is one, and the slot.
func (s *Sandbox) give(p *process) {
	if p != nil {
		s.mu.Lock()
		s.idle = append(s.idle, p)
		s.mu.Unlock()
	}
	s.slots <- struct{}{}
}

func (s *Sandbox) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// start starts a process that Cut ends.
func (s *Sandbox) start() (*process, error) {
	p, err := start(s.o.Command)
	if err != nil {
		return nil, err
	}
	s.o.Metrics.started()
	s.mu.Lock()
	s.live[p] = struct{}{}
	cut := s.cut
	s.mu.Unlock()
	if cut {
		_ = p.cmd.Process.Kill() // who uses it sees that
	}
	return p, nil
}

func (s *Sandbox) forget(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, p)
}

// Close ends the processes, once what they do is done, or a second later.
func (s *Sandbox) Close() error {
	s.closeOnce.Do(func() {
		s.refuse()
		timer := time.AfterFunc(closeWithin, s.Cut)
		defer timer.Stop()
		for range cap(s.slots) {
			<-s.slots
			if p := s.take(); p != nil {
				p.end()
				s.forget(p)
			}
			defer s.give(nil)
		}
	})
	return nil
}

// Cut kills the processes: what they do, and what waits for one, is unserved.
// Close is still to be called.
func (s *Sandbox) Cut() {
	s.refuse()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = true
	for p := range s.live {
		_ = p.cmd.Process.Kill() // who uses it waits for its end
	}
}

func (s *Sandbox) refuse() { s.refuseOnce.Do(func() { close(s.closed) }) }
