// Package app builds the gateway, runs it and stops it. It alone starts the
// long-lived goroutines and holds the wall clock; everything below is stepped
// by calls.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/simpang-id/simpang/internal/config"
)

// Options are what the gateway needs from its command.
type Options struct {
	Config  *config.Config
	Version string
	Built   string // when the program's commit was made, RFC 3339; "": what Go knows
	Log     *slog.Logger
	// Reread reads the configuration file again, as a reload does. Nil: the
	// configuration is taken not to have changed.
	Reread func() (*config.Config, []config.Fault)
	// Reload is signalled by SIGHUP. Nil: never.
	Reload <-chan struct{}
	// Now is our wall clock. Nil: the machine's. The monotonic clock always is
	// the machine's, so that a jump of this one is seen.
	Now func() time.Time
	// Ready is told the addresses once everything runs. Nil: nobody asks.
	Ready func(Addresses)
	// Notify tells a service manager how the gateway is, in the words of
	// sd_notify(3). Nil: there is none.
	Notify func(state string)
	// Watchdog is how long the service manager waits for a sign of life; 0: it
	// does not.
	Watchdog time.Duration
	// CheckDeep verifies everything, as Verify does, before the start.
	CheckDeep bool
	// KeepEvery is how often days are put away; 0: each minute.
	KeepEvery time.Duration
}

// Addresses are where the gateway listens.
type Addresses struct {
	HTTP    string            // host:port of the API
	Admin   string            // host:port of metrics and pprof
	Brokers map[string]string // id of a broker source -> host:port, that of TLS where there is no other
}

// FaultsError is a configuration or inventory that cannot be run, with every
// fault.
type FaultsError struct{ Faults []config.Fault }

// Error lists every fault, a line each.
func (e *FaultsError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// stopWithin bounds a clean stop.
const stopWithin = 6 * time.Second

// Run builds the gateway, runs it until ctx ends, and stops it: first nothing
// more comes in, then what came is committed and acknowledged, then the
// followers catch up, then everything is closed.
func Run(ctx context.Context, o Options) (err error) {
	g := &gateway{o: o, cfg: o.Config, log: o.Log, now: o.Now, began: time.Now(), registry: prometheus.NewRegistry(), signer: newSigner()}
	if g.now == nil {
		g.now = time.Now
	}
	var undo stack
	defer func() { err = errors.Join(err, undo.unwind(o.Log)) }()
	n := &notifier{send: o.Notify}
	for _, step := range []struct {
		name string
		run  func(context.Context, *stack) error
	}{
		{"memory", g.paceMemory},
		{"data_dir", g.openDir},
		{"check", g.checkFiles},
		{"journal", g.openJournal},
		{"inventory", g.openInventory},
		{"quarantine", g.openQuarantine},
		{"spool", g.openSpool},
		{"tokens", g.openTokens},
		{"followers", g.openFollowers},
		{"intake", g.openIntake},
		{"signing key", g.openSigner},
		{"complaints", g.openComplaints},
		{"influx", g.openInflux},
		{"api", g.openAPI},
		{"run", g.start},
		{"accept inventory", g.acceptInventory},
		{"listen", g.listen},
		{"sources", g.startSources},
	} {
		n.status("starting: " + step.name)
		if err := step.run(ctx, &undo); err != nil {
			if faults, ok := errors.AsType[*FaultsError](err); ok {
				return faults
			}
			return g.notStarted(step.name, err)
		}
	}
	if o.Ready != nil {
		o.Ready(g.addresses())
	}
	n.ready(g.summary(ctx))
	forgetStart()
	stopWatch := g.watchOver(ctx, n)
	g.log.InfoContext(ctx, "the gateway runs", "http", g.httpListener.Addr().String(), "city", g.cfg.City.Name, "head", g.journal.Head())
	g.wait(ctx, n)
	g.stopping = time.Now()
	stopWatch()
	n.stopping()
	g.log.InfoContext(context.WithoutCancel(ctx), "stopping")
	return nil
}

// wait serves reloads until ctx ends.
func (g *gateway) wait(ctx context.Context, n *notifier) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.o.Reload:
			n.reloading()
			// The staff logs what came of it; a refused reload changes nothing.
			_, _ = g.staff.Reload(ctx, "SIGHUP")
			for _, b := range g.brokers {
				if err := b.Reload(); err != nil {
					g.log.ErrorContext(ctx, "the broker's credentials could not be read again", "error", err)
				}
			}
			n.ready(g.summary(ctx))
		}
	}
}

// stack undoes what was built, the newest first.
type stack struct {
	undo []namedUndo
}

type namedUndo struct {
	name string
	run  func() error
}

func (s *stack) push(name string, run func() error) {
	s.undo = append(s.undo, namedUndo{name, run})
}

func (s *stack) unwind(log *slog.Logger) error {
	var errs []error
	for _, u := range slices.Backward(s.undo) {
		begin := time.Now()
		if err := u.run(); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", u.name, err))
		}
		log.Debug("stopped", "what", u.name, "took", time.Since(begin))
	}
	return errors.Join(errs...)
}
