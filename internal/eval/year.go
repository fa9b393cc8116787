package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/simpang-id/simpang/firmware-sim/fleet"
	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// year is a simulated year and what really happened in it.
type year struct {
	dir      string
	cfg      *config.Config
	blind    bool // nothing is planted but outages of sensors, at every place
	scenario *scenario.Scenario
	places   []place
	faults   []fault
	from     time.Time
	until    time.Time

	readings     int
	closing      closing
	printed      map[dayOf]city.Rupiah // receipts less voids
	lost         map[dayOf]city.Rupiah // paid, and not printed or voided again
	short        map[dayOf]city.Rupiah // kept back of deposits, by site and month
	deposits     []json.RawMessage
	declarations []json.RawMessage
}

// dayOf is a site's day, YYYY-MM-DD in the city's zone.
type dayOf struct{ site, date string }

const settings = `city: {id: eval, name: Eval, timezone: Asia/Jakarta, region_code: "32.75"}
http: {listen: 127.0.0.1:0, admin_listen: 127.0.0.1:0, rate_limit: 0}
data_dir: data
inventory: inventory
sources:
  - {id: devices, type: broker, format: native, listen: "127.0.0.1:0", max_age: 8784h}
retention: {journal: 2d}
`

// newYear lays out the city, with a year that ended at midnight.
func newYear(dir string, days, sites int, seed uint64, blind bool) (*year, error) {
	y := &year{dir: dir, blind: blind, places: places(sites), printed: map[dayOf]city.Rupiah{}, lost: map[dayOf]city.Rupiah{}, short: map[dayOf]city.Rupiah{}}
	if err := writeCity(filepath.Join(dir, "inventory"), y.places); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "simpang.yaml")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		return nil, err
	}
	cfg, faults := config.Load(file, nil, nil)
	if len(faults) > 0 {
		return nil, fmt.Errorf("the configuration is wrong: %v", faults)
	}
	y.cfg = cfg
	now := time.Now().In(cfg.City.Zone)
	y.until = time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, cfg.City.Zone)
	y.from = y.until.AddDate(0, 0, -days)
	y.planClosing()
	var err error
	if y.scenario, err = scenario.Parse([]byte(y.plan(seed))); err != nil {
		return nil, fmt.Errorf("what is planted: %w", err)
	}
	return y, nil
}

// play simulates it through the gate, the journal and the followers.
func (y *year) play(ctx context.Context) (err error) {
	const rarely = 400 // garbage is plenty and short-lived, memory is there
	defer debug.SetGCPercent(debug.SetGCPercent(rarely))
	r, err := app.OpenReplay(ctx, app.Options{Config: y.cfg, Log: slog.New(slog.DiscardHandler)}, 1024)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close(context.WithoutCancel(ctx))) }()
	if err := r.Step(ctx, y.from); err != nil {
		return err
	}
	truths, told := io.Pipe()
	var read errgroup.Group
	read.Go(func() error {
		err := y.read(truths)
		return errors.Join(err, truths.CloseWithError(err))
	})
	defer func() { err = errors.Join(err, told.Close(), read.Wait()) }()
	buffered := bufio.NewWriter(told)
	w := truth.NewWriter(buffered)
	sim, err := fleet.New(fleet.Options{
		Version: r.Inventory(), Scenario: y.scenario, Seed: y.scenario.Seed, Start: y.from.UnixMilli(), End: y.until.UnixMilli(), Truth: w,
	})
	if err != nil {
		return err
	}
	last := y.from
	for {
		m, ok := sim.Next()
		at := time.UnixMilli(m.SendAt)
		if !ok || !at.Before(y.until) {
			break
		}
		if at.After(last) {
			last = at
		}
		if !y.blind {
			if err := y.closing.step(ctx, r, y.from, last); err != nil {
				return err
			}
		}
		if m.Expect == message.Accepted {
			y.readings++
		}
		if err := r.Take(ctx, last, source.Message{Source: "devices", Device: m.Device, Payload: m.Payload, Decoded: native.Decode(m.Device, m.Payload)}); err != nil {
			return err
		}
	}
	return errors.Join(r.Step(ctx, y.until), w.Close(), buffered.Flush())
}

// read folds the truth as it is told; what was delivered is not of interest.
func (y *year) read(text io.Reader) error {
	lost := []string{string(scenario.Skim), string(scenario.NightVoids), string(scenario.MeterSilent), string(scenario.OffTariff)}
	return truth.Read(text, func(l truth.Line) error {
		k := dayOf{l.Site, time.UnixMilli(l.At).In(y.cfg.City.Zone).Format(time.DateOnly)}
		switch {
		case l.What == truth.Payment && l.Void:
			y.printed[k] -= *l.Amount
		case l.What == truth.Payment && !l.Reprint:
			y.printed[k] += *l.Amount
		case l.What == truth.Leak && slices.Contains(lost, l.Fault):
			y.lost[k] += *l.Amount
		case l.What == truth.Leak && l.Fault == string(scenario.DepositShort):
			y.short[dayOf{l.Site, k.date[:7]}] += *l.Amount
		case l.What == truth.Deposit:
			y.deposits = append(y.deposits, bytes.Clone(l.Body))
		case l.What == truth.Declared:
			y.declarations = append(y.declarations, bytes.Clone(l.Body))
		}
		return nil
	})
}
