package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/watch"
)

// faultDays ends with the 30 March 2026: thirty days begin in Ramadan and have Nyepi, Idul Fitri with its cuti bersama, and a car-free Sunday after.
func faultDays(days int) (from, until time.Time, err error) {
	zone, err := time.LoadLocation("Asia/Jakarta")
	if err != nil {
		return from, until, err
	}
	until = time.Date(2026, 3, 31, 0, 0, 0, 0, zone)
	if days < twoWaves { // few days of Ramadan, and the first of Lebaran
		until = time.Date(2026, 3, 19, 0, 0, 0, 0, zone)
	}
	return until.AddDate(0, 0, -days), until, nil
}

// faultRun is a town with its faults.
type faultRun struct {
	*played

	plan    *faultPlan
	natural []truth.Line // stays that are longer than the restriction
}

// newFaultRun lays out a town.
func newFaultRun(dir string, days, sites int, seed uint64) (*faultRun, error) {
	if days < 14 || sites < 40 {
		return nil, errors.New("faults: -days is 14 at least, -sites 40: rules learn for nine days, and each fault needs a place")
	}
	from, until, err := faultDays(days)
	if err != nil {
		return nil, err
	}
	t := newTown(sites)
	plan := newFaultPlan(t, seed, from, days)
	if err := t.write(filepath.Join(dir, "inventory"), plan.closures.String()); err != nil {
		return nil, err
	}
	p, err := newPlayed(dir, []string{"net-a", "net-b", "net-c", roadsSource})
	if err != nil {
		return nil, err
	}
	if p.scenario, err = scenario.Parse([]byte(plan.yaml.String())); err != nil {
		return nil, fmt.Errorf("what is planted: %w", err)
	}
	r := &faultRun{played: p, plan: plan}
	p.from, p.until, p.each = from, until, time.Hour
	sourceOf := map[string]string{}
	for i := range t.sites {
		sourceOf[t.sites[i].id] = t.sites[i].source()
	}
	p.source = func(d *inventory.Device) string {
		if s, ok := sourceOf[d.Site]; ok {
			return s
		}
		return roadsSource
	}
	p.truth, p.said = r.happened, r.heard
	return r, nil
}

// happened notes when a fault first made a difference. It is called while the
// town is played, and by nobody else.
func (r *faultRun) happened(l truth.Line) {
	if l.What == truth.Stay && l.Left-l.Entered > restriction.Milliseconds() {
		r.natural = append(r.natural, l)
	}
	if l.What != truth.Fault && l.What != truth.Leak {
		return
	}
	at := time.UnixMilli(l.At)
	for i := range r.plan.faults {
		f := &r.plan.faults[i]
		if string(f.plant) != l.Fault || !f.effect.IsZero() || at.Before(f.from) || at.After(f.until) {
			continue
		}
		if s := f.subject; s == l.Device || s == l.Site || s == l.Segment || l.What == truth.Leak && len(f.subjects) > 0 && f.subjects[0] == l.Site {
			f.effect = at.Add(f.later())
		}
	}
}

// later is how long after its begin a fault that creeps is one.
func (f *planted) later() time.Duration {
	if f.plant != scenario.ClockDrift {
		return 0
	}
	bound := float64(f.set.DeviceSkew.BehindS)
	if f.by > 0 {
		bound = float64(f.set.DeviceSkew.AheadS)
	}
	return time.Duration(bound / max(f.by, -f.by) * float64(day))
}

// heard notes when a battery that sinks has sunk.
func (r *faultRun) heard(m *message.Message, at time.Time) {
	if m.Reading == nil || m.Reading.Spot == nil || m.Reading.Spot.Battery.V >= int64(rulesOf().DeviceBattery.LowMV) {
		return
	}
	for i := range r.plan.faults {
		f := &r.plan.faults[i]
		if f.plant == scenario.BatterySinking && f.subject == m.Device && f.tells[sunk].IsZero() {
			f.tells[sunk] = at
		}
	}
}

// restriction is how long one may stay where that is restricted.
const restriction = 6 * hour

// sunk is no rule, but the time at which a voltage passed the bound.
const sunk watch.Rule = "sunk"

// faults plays a town and judges what was told of it.
func faults(ctx context.Context, dir string, days, sites int, seed uint64) error {
	r, err := newFaultRun(dir, days, sites, seed)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := r.play(ctx); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "faults: %d days of %d sites, seed %d: %d readings, %d faults (%d without a place), played in %v\n",
		days, sites, seed, r.readings, len(r.plan.faults), r.plan.skipped, time.Since(began).Round(time.Second))
	g, err := serve(ctx, r.cfg)
	if err != nil {
		return err
	}
	t, err := r.told(ctx, g)
	if err := errors.Join(err, g.stop()); err != nil {
		return err
	}
	t.rows()
	return nil
}
