package app

import (
	"sync/atomic"
	"time"
)

// pulse is the sign of life of one worker: a count of its steps, and whether it
// is at one. To wait for work is no step.
type pulse struct {
	steps atomic.Uint64
	busy  atomic.Bool
}

func (p *pulse) work() {
	p.steps.Add(1)
	p.busy.Store(true)
}

func (p *pulse) rest() {
	p.steps.Add(1)
	p.busy.Store(false)
}

// worker is one of those that must go on.
type worker struct {
	name  string
	pulse *pulse
	// waits tells whether there is work that the worker should have taken up.
	waits func() bool

	steps uint64
	since time.Time // when steps was seen first
}

// liveness tells whether the committer and the followers go on, or have nothing
// to do. Who is late, stopped by a fault, or tries again makes steps or is at
// rest: readyz tells of that, and a restart would not help. Who makes no step
// with work at hand hangs. For one goroutine.
type liveness struct {
	workers []*worker
	limit   time.Duration
}

// hangs returns who has made no step for longer than the limit, "" nobody.
func (l *liveness) hangs(now time.Time) string {
	for _, w := range l.workers {
		steps := w.pulse.steps.Load()
		if steps != w.steps || w.since.IsZero() || !w.pulse.busy.Load() && !w.waits() {
			w.steps, w.since = steps, now
			continue
		}
		if now.Sub(w.since) > l.limit {
			return w.name
		}
	}
	return ""
}

// workers are the gateway's.
func (g *gateway) workers() []*worker {
	all := []*worker{{name: "the committer", pulse: &g.committer.pulse, waits: func() bool { return g.queue.Len() > 0 }}}
	for _, r := range g.runners {
		all = append(all, &worker{name: "the follower " + r.f.Name(), pulse: &r.pulse, waits: func() bool {
			return r.status().Fault == "" && !r.rebuilding.Load() && r.reached.Load() < g.feed.Head()
		}})
	}
	return all
}
