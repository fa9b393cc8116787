package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/drive"
	"github.com/simpang-id/simpang/firmware-sim/fleet"
	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/firmware-sim/send"
	"github.com/simpang-id/simpang/internal/inventory"
)

// runScenario is `firmware-sim run`.
func runScenario(ctx context.Context, args []string, stdout, stderr io.Writer, log *slog.Logger) (err error) {
	c := &common{log: log, stdout: stdout}
	var file string
	var seed *uint64
	if err := parse("firmware-sim run", args, c, stderr, func(f *flag.FlagSet) {
		f.StringVar(&file, "scenario", "", "scenario file")
		f.Func("seed", "of the random numbers, instead of the scenario's", func(s string) error {
			v, err := strconv.ParseUint(s, 10, 64)
			seed = &v
			return err //nolint:wrapcheck // the flag package names the flag
		})
	}); err != nil {
		return err
	}
	if file == "" {
		return usageError{errors.New("-scenario is missing")}
	}
	s, err := scenario.Load(file)
	if err != nil {
		return usageError{err}
	}
	if seed != nil {
		s.Seed = *seed
	}
	if c.speed != nil {
		s.Speed = c.speed
	}
	v, err := loadInventory(s)
	if err != nil {
		return err
	}

	var o outlets
	defer func() { err = errors.Join(err, o.close()) }()
	var city fleetBehind
	if err := c.open(&o, func(name string) bool { return v.Device(name) != nil }, city.told); err != nil {
		return err
	}
	onSerial := func(device string) bool {
		return o.serial != nil && (o.mqtt == nil || fleet.OnSerial(s.Devices.Serial, device))
	}
	var overMQTT []string
	for _, d := range v.Devices {
		if !onSerial(d.ID) {
			overMQTT = append(overMQTT, d.ID)
		}
	}
	if err := o.check(overMQTT); err != nil {
		return err
	}

	now := time.Now()
	start, end := s.Start.UnixMilli(), int64(0)
	if s.Start.IsZero() {
		start = drive.StartOf(now, *s.Speed, s.Duration, s.History)
	}
	if s.Duration > 0 {
		end = start + s.Duration.Milliseconds()
	}
	sim, err := fleet.New(fleet.Options{
		Version: v, Scenario: s, Seed: s.Seed, Start: start, End: end, Truth: o.truth,
		Format: func(device string) message.Format {
			if onSerial(device) {
				return message.Frames
			}
			return message.Native
		},
	})
	if err != nil {
		return usageError{err}
	}
	city.at.Store(sim)
	log.Info("the fleet starts", "devices", len(v.Devices), "from", time.UnixMilli(start).In(s.Zone).Format(time.RFC3339), "speed", *s.Speed, "seed", s.Seed)
	route := func(device string) send.Sender {
		if onSerial(device) {
			return o.serial
		}
		return o.mqtt
	}
	err = c.drive(ctx, sim, &o, route, drive.Pace{Start: start, Wall: now, Speed: *s.Speed, Live: true, End: end})
	sim.Finish()
	c.tell(&o)
	return err
}

// fleetBehind is the fleet that is told what comes down, once there is one.
type fleetBehind struct{ at atomic.Pointer[fleet.Fleet] }

func (f *fleetBehind) told(device string, payload []byte) []byte {
	if sim := f.at.Load(); sim != nil {
		return sim.Told(device, payload)
	}
	return nil
}

// loadInventory loads the folder that the scenario names; every fault is told.
func loadInventory(s *scenario.Scenario) (*inventory.Version, error) {
	v, faults, err := inventory.Load(s.Inventory, s.Zone)
	if err != nil {
		return nil, usageError{fmt.Errorf("inventory: %w", err)}
	}
	if len(faults) > 0 {
		lines := make([]string, len(faults))
		for i, f := range faults {
			lines[i] = f.String()
		}
		return nil, usageError{fmt.Errorf("inventory %s:\n%s", s.Inventory, strings.Join(lines, "\n"))}
	}
	return v, nil
}
