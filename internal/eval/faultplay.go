package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/simpang-id/simpang/firmware-sim/fleet"
	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire/native"
)

const faultSettings = `city: {id: eval, name: Eval, timezone: Asia/Jakarta, region_code: "32.75"}
http: {listen: 127.0.0.1:0, admin_listen: 127.0.0.1:0, rate_limit: 0}
data_dir: data
inventory: inventory
sources:
%sretention: {journal: 2d}
`

// perCommit is what comes in a minute or so: a gateway commits far more often.
const perCommit = 64

// played is a time that is played through the gateway.
type played struct {
	cfg      *config.Config
	scenario *scenario.Scenario
	from     time.Time
	until    time.Time
	each     time.Duration                          // between two looks of the register of complaints
	source   func(d *inventory.Device) string       // over which a device speaks
	truth    func(truth.Line)                       // nil: nobody listens
	said     func(m *message.Message, at time.Time) // nil: nobody listens
	readings int
	version  *inventory.Version
}

// newPlayed makes a configuration over an inventory that lies in dir.
func newPlayed(dir string, sources []string) (*played, error) {
	var list strings.Builder
	for _, id := range sources {
		fmt.Fprintf(&list, "  - {id: %s, type: broker, format: native, listen: \"127.0.0.1:0\", max_age: 8784h}\n", id)
	}
	file := filepath.Join(dir, "simpang.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, faultSettings, list.String()), 0o600); err != nil {
		return nil, err
	}
	cfg, faults := config.Load(file, nil, nil)
	if len(faults) > 0 {
		return nil, fmt.Errorf("the configuration is wrong: %v", faults)
	}
	return &played{cfg: cfg}, nil
}

// play sends what the devices say through the gate, the journal, the followers
// and the register of complaints.
func (p *played) play(ctx context.Context) (err error) {
	const rarely = 400 // garbage is plenty and short-lived, memory is there
	defer debug.SetGCPercent(debug.SetGCPercent(rarely))
	r, err := app.OpenReplay(ctx, app.Options{Config: p.cfg, Log: slog.New(slog.DiscardHandler)}, perCommit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close(context.WithoutCancel(ctx))) }()
	if err := r.Step(ctx, p.from); err != nil {
		return err
	}
	w, listened := p.listen()
	defer func() { err = errors.Join(err, listened()) }()
	v := r.Inventory()
	p.version = v
	sim, err := fleet.New(fleet.Options{Version: v, Scenario: p.scenario, Seed: p.scenario.Seed, Start: p.from.UnixMilli(), End: p.until.UnixMilli(), Truth: w})
	if err != nil {
		return err
	}
	last, look := p.from, p.from.Add(p.each)
	for {
		m, ok := sim.Next()
		at := time.UnixMilli(m.SendAt)
		if !ok || !at.Before(p.until) {
			break
		}
		if at.After(last) {
			last = at
		}
		for ; !look.After(last); look = look.Add(p.each) {
			if err := p.look(ctx, r, look); err != nil {
				return err
			}
		}
		if m.Expect == message.Accepted {
			p.readings++
		}
		if p.said != nil {
			p.said(&m, last)
		}
		if err := r.Take(ctx, last, source.Message{Source: p.source(v.Device(m.Device)), Device: m.Device, Payload: m.Payload, Decoded: native.Decode(m.Device, m.Payload)}); err != nil {
			return err
		}
	}
	return p.look(ctx, r, p.until)
}

func (p *played) look(ctx context.Context, r *app.Replay, at time.Time) error {
	if err := r.Step(ctx, at); err != nil {
		return err
	}
	return r.Attend(ctx)
}

// listen hands the lines of the truth on.
func (p *played) listen() (*truth.Writer, func() error) {
	if p.truth == nil {
		return nil, func() error { return nil }
	}
	lines, told := io.Pipe()
	var read errgroup.Group
	read.Go(func() error {
		err := truth.Read(lines, func(l truth.Line) error {
			p.truth(l)
			return nil
		})
		return errors.Join(err, lines.CloseWithError(err))
	})
	buffered := bufio.NewWriter(told)
	w := truth.NewWriter(buffered)
	return w, func() error { return errors.Join(w.Close(), buffered.Flush(), told.Close(), read.Wait()) }
}
