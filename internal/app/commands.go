package app

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/command"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/wire"
)

// downlink is a source that leads to devices too.
type downlink interface {
	// Down sends payload to a device; reached tells whether it was taken by what
	// leads there. It may be called from any goroutine.
	Down(ctx context.Context, device string, payload []byte, qos byte) (reached bool, err error)
}

// commands sends what devices are told to do.
type commands struct {
	*command.Store
	log      *slog.Logger
	now      func() time.Time
	zone     *time.Location
	clockBad func() bool
	ways     []string // ids of the sources that lead down, by the configuration

	mu    sync.Mutex
	downs map[string]downlink // those that were started

	upMu   sync.Mutex
	upOnly map[string]string // devices that spoke last over a source that leads nowhere down, and which; since the start
}

// openCommands opens the commands' file.
func (g *gateway) openCommands(ctx context.Context, undo *stack) error {
	store, err := command.Open(ctx, g.path("commands.db"), command.Limits{})
	if err != nil {
		return err
	}
	undo.push("commands", store.Close)
	g.commands = &commands{
		Store: store, log: g.log, now: g.now, zone: g.cfg.City.Zone, clockBad: func() bool { return g.clock.Fault(g.instant()) != "" },
		downs: map[string]downlink{},
	}
	for _, s := range g.cfg.Sources {
		if leadsDown(s) {
			g.commands.ways = append(g.commands.ways, s.ID)
		}
	}
	return nil
}

// leadsDown tells whether a source carries commands to native devices: at a
// built-in broker they speak for themselves, whatever its bridges speak.
func leadsDown(s config.Source) bool {
	return s.Type == config.TypeBroker || s.Type == config.TypeMQTT && s.Format == config.FormatNative
}

// lead makes a started source a way down.
func (c *commands) lead(id string, d downlink) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.ways, id) {
		c.downs[id] = d
	}
}

// Order keeps a command for a device; what no source could bring there is an
// error of KindUnprocessed: by the configuration, or by where the device spoke last.
func (c *commands) Order(ctx context.Context, o command.Command) (command.Command, bool, error) {
	if len(c.ways) == 0 {
		return o, false, &city.Error{Kind: city.KindUnprocessed, Message: "no source leads down to devices: it takes one of type broker, or of type mqtt with format native; a serial line carries acknowledgements only"}
	}
	c.upMu.Lock()
	source, upOnly := c.upOnly[o.Device]
	c.upMu.Unlock()
	if upOnly {
		return o, false, &city.Error{Kind: city.KindUnprocessed, Message: fmt.Sprintf("device %s speaks over source %s, which carries nothing down to it: do it at the device itself, or connect it over a source of type broker, or of type mqtt with format native", o.Device, source)}
	}
	return c.Store.Order(ctx, o)
}

// noteWays remembers over what devices speak that nothing can be sent to. Only
// devices of the inventory are in committed readings, which bounds it.
func (c *commands) noteWays(entries []journal.Entry) {
	c.upMu.Lock()
	defer c.upMu.Unlock()
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Type != journal.TypeReading || e.Flags&journal.FlagRetried != 0:
		case slices.Contains(c.ways, e.Source):
			delete(c.upOnly, e.Reading.Device)
		case c.upOnly[e.Reading.Device] != e.Source:
			if c.upOnly == nil {
				c.upOnly = map[string]string{}
			}
			c.upOnly[e.Reading.Device] = e.Source
		}
	}
}

// heard is told each committed batch. What comes back from quarantine was said
// long ago.
func (c *commands) heard(entries []journal.Entry) {
	c.noteWays(entries)
	c.Heard(func(yield func(device, source string) bool) {
		for i := range entries {
			if e := &entries[i]; e.Type == journal.TypeReading && e.Flags&journal.FlagRetried == 0 && !yield(e.Reading.Device, e.Source) {
				return
			}
		}
	})
}

// acked takes what devices say, to be kept by the next round.
func (c *commands) acked(_ context.Context, acks []wire.Ack) {
	answers := make([]command.Answer, len(acks))
	for i, a := range acks {
		answers[i] = command.Answer{Device: a.Device, ID: a.ID, OK: a.OK, Detail: a.Detail}
	}
	c.Answered(answers)
}

// run sends until ctx ends.
func (c *commands) run(ctx context.Context) {
	const longest, shortest = time.Minute, 200 * time.Millisecond
	for {
		wait := longest
		if next := c.round(ctx); next > 0 {
			wait = min(longest, max(shortest, time.Duration(next-c.now().UnixMilli())*time.Millisecond))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-c.Wake():
			timer.Stop()
			if !sleep(ctx, shortest) { // what comes together is one round
				return
			}
		}
	}
}

// round takes in what devices said, sends what is due and returns when the next
// is, Unix ms, 0 for nothing. While our own clock is not to be trusted nothing
// expires and nothing is sent: by it no time can be told, neither when a command
// was ordered.
func (c *commands) round(ctx context.Context) (next int64) {
	const again = 5_000
	now := c.now().UnixMilli()
	if c.clockBad() {
		return now + again
	}
	if err := c.TakeIn(ctx, now); err != nil {
		c.log.ErrorContext(ctx, "what devices say of their commands could not be kept: the commands are sent again", "error", err)
	}
	due, next, err := c.Due(ctx, now)
	if err != nil {
		c.log.ErrorContext(ctx, "commands that expired could not be closed; it is tried again", "error", err)
	}
	var tries []command.Try
	for i := range due {
		if ctx.Err() != nil {
			break
		}
		reached, why := c.send(ctx, &due[i])
		tries = append(tries, command.Try{ID: due[i].ID, At: c.now().UnixMilli(), Reached: reached, Why: why})
	}
	if len(tries) == 0 {
		return next
	}
	if err := c.Tried(context.WithoutCancel(ctx), tries); err != nil {
		c.log.ErrorContext(ctx, "commands were sent, which could not be noted; they are sent again", "commands", len(tries), "error", err)
	}
	if soon := now + again; next == 0 || soon < next {
		next = soon
	}
	return next
}

// send hands a command to the source over which its device speaks, to every one
// where that is not known. why tells why it cannot arrive for now.
func (c *commands) send(ctx context.Context, o *command.Command) (reached bool, why string) {
	if o.Source != "" && !slices.Contains(c.ways, o.Source) {
		return false, fmt.Sprintf("it speaks over source %s, which carries nothing down", o.Source)
	}
	c.mu.Lock()
	var downs []downlink
	for _, id := range c.ways {
		if d := c.downs[id]; d != nil && (o.Source == "" || o.Source == id) {
			downs = append(downs, d)
		}
	}
	c.mu.Unlock()
	for _, d := range downs {
		ok, err := d.Down(ctx, o.Device, o.Payload(c.now().UnixMilli(), c.zone), o.QoS())
		if err != nil {
			c.log.DebugContext(ctx, "a command was not taken; it is tried again", "command", o.ID, "device", o.Device, "error", err)
		}
		reached = reached || ok
	}
	return reached, ""
}

// register registers the metrics.
func (c *commands) register(reg prometheus.Registerer) {
	reg.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "simpang_commands_open", Help: "Commands to devices that are neither answered nor expired.",
		}, func() float64 { n := c.Counts(); return float64(n.Queued + n.Sent) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "simpang_commands_acknowledged_total", Help: "Commands that devices said they did.",
		}, func() float64 { return float64(c.Counts().Acknowledged) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "simpang_commands_failed_total", Help: "Commands that devices refused, or that a newer one replaced.",
		}, func() float64 { return float64(c.Counts().Failed) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "simpang_commands_expired_total", Help: "Commands that were not answered in time.",
		}, func() float64 { return float64(c.Counts().Expired) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "simpang_commands_answers_unknown_total", Help: "Answers of devices to what nobody had ordered of them.",
		}, func() float64 { return float64(c.Counts().Unknown) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "simpang_commands_answers_dropped_total", Help: "Answers of devices for which there was no room: their commands are sent again.",
		}, func() float64 { return float64(c.Counts().Dropped) }),
	)
}
