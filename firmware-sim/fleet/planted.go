package fleet

import (
	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// What is planted changes nothing but what it says: the same city without it
// has the same vehicles, and the same receipts but for those.

// skims tells whether what was paid gets no receipt.
func (s *site) skims(at int64, amount city.Rupiah) bool {
	p := s.f.o.Scenario.Planted.In(scenario.Skim, s.inv.ID, at)
	if p == nil || !s.wrong.chance(p.Share) {
		return false
	}
	s.f.bank.leak(string(p.Kind), s.inv.ID, at, amount)
	return true
}

// voidsAtNight tells whether a receipt of the night (22:00 to 05:00) is voided
// a while later.
func (t *till) voidsAtNight(at, after int64, amount city.Rupiah) bool {
	f := t.d.f
	p := f.o.Scenario.Planted.In(scenario.NightVoids, t.d.inv.ID, at)
	hour, _ := f.cal.hour(at)
	if p == nil || amount == 0 || (hour >= 5 && hour < 22) || !t.rng.chance(p.Share) {
		return false
	}
	f.bank.leak(string(p.Kind), t.d.inv.Site, at+after, amount)
	return true
}

// silent tells whether the meter prints nothing of what was paid.
func (t *till) silent(at int64, amount city.Rupiah) bool {
	p := t.d.f.o.Scenario.Planted.In(scenario.MeterSilent, t.d.inv.ID, at)
	if p != nil {
		t.d.f.bank.leak(string(p.Kind), t.d.inv.Site, at, amount)
	}
	return p != nil
}

// less returns what is printed of what was paid.
func (t *till) less(at int64, amount city.Rupiah) city.Rupiah {
	const kept = 1000
	p := t.d.f.o.Scenario.Planted.In(scenario.OffTariff, t.d.inv.ID, at)
	if p == nil || amount <= kept || !t.rng.chance(p.Share) {
		return amount
	}
	t.d.f.bank.leak(string(p.Kind), t.d.inv.Site, at, kept)
	return amount - kept
}

// resets lets the running totals begin at 0 where that was planted.
func (t *till) resets() {
	f := t.d.f
	for _, p := range f.o.Scenario.Planted {
		if p.Kind == scenario.MeterReset && p.Device == t.d.inv.ID {
			f.at(p.From.UnixMilli(), func(at int64) {
				t.count, t.amount = 0, 0
				f.o.Truth.Line(truth.Line{What: truth.Fault, Fault: string(p.Kind), Device: p.Device, At: at})
			})
		}
	}
}

// isBlind tells whether it was planted to say nothing now: a sensor of a site,
// or a meter.
func (d *device) isBlind(at int64) bool {
	switch d.inv.Kind {
	case inventory.DeviceMeter:
		return d.f.o.Scenario.Planted.In(scenario.MeterSilent, d.inv.ID, at) != nil
	case inventory.DeviceTraffic:
		return false
	case inventory.DeviceSpot, inventory.DeviceGate, inventory.DeviceCount:
	}
	return d.f.o.Scenario.Planted.In(scenario.Blind, d.inv.Site, at) != nil
}
