package app

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// notifier speaks sd_notify(3) to whoever started the gateway.
type notifier struct {
	send func(state string) // nil: nobody listens

	mu   sync.Mutex
	last string // status
}

func (n *notifier) tell(lines ...string) {
	if n.send != nil {
		n.send(strings.Join(lines, "\n"))
	}
}

// statusLine is one line: the manager shows it, and a line end would begin
// another word.
func statusLine(text string) string { return "STATUS=" + firstLine(text) }

func (n *notifier) ready(status string) { n.tell("READY=1", statusLine(status)) }

func (n *notifier) stopping() {
	n.tell("STOPPING=1", statusLine("stopping: what came is committed and acknowledged"))
}

// reloading is followed by ready.
func (n *notifier) reloading() {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // it cannot fail on Linux
	n.tell("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/1000), statusLine("reloading"))
}

func (n *notifier) status(text string) {
	n.mu.Lock()
	changed := n.last != text
	n.last = text
	n.mu.Unlock()
	if changed {
		n.tell(statusLine(text))
	}
}

func (n *notifier) alive() { n.tell("WATCHDOG=1") }

// summary is how the gateway is, in one line.
func (g *gateway) summary(ctx context.Context) string {
	ready := g.ready.Ready(ctx)
	connected := 0
	for _, s := range ready.Sources {
		if s.Connected {
			connected++
		}
	}
	if ready.Ready {
		return fmt.Sprintf("ready; %d of %d sources connected, %d followers", connected, len(ready.Sources), len(ready.Followers))
	}
	text := "not ready: " + ready.Reasons[0].Code + ": " + ready.Reasons[0].Detail
	if more := len(ready.Reasons) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// statusEvery is how often the service manager is told how the gateway is.
const statusEvery = 10 * time.Second

// watchOver gives the service manager signs of life and word of how the gateway
// is. There is a sign of life only while the committer and the followers go on
// or have nothing to do; who hangs for half of the watchdog's time ends them,
// and the manager then starts the gateway anew. stop waits for its end.
func (g *gateway) watchOver(ctx context.Context, n *notifier) (stop func()) {
	if n.send == nil {
		return func() {}
	}
	every := statusEvery
	if g.o.Watchdog > 0 {
		every = min(every, g.o.Watchdog/4)
	}
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		l := &liveness{workers: g.workers(), limit: g.o.Watchdog / 2}
		each := time.NewTicker(every)
		defer each.Stop()
		hung := ""
		for {
			who := l.hangs(time.Now())
			switch {
			case g.o.Watchdog == 0:
			case who == "":
				n.alive()
			case who != hung:
				g.log.ErrorContext(ctx, "no sign of life: the service manager will start the gateway anew", "hangs", who, "for", l.limit)
			}
			if hung = who; who != "" && g.o.Watchdog > 0 {
				n.status(who + " hangs")
			} else {
				n.status(g.summary(ctx))
			}
			select {
			case <-ctx.Done():
				return
			case <-each.C:
			}
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}
