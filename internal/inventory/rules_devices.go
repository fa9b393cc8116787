package inventory

import (
	"fmt"
)

// DeviceSilentRules look for devices that say nothing for longer than they
// should, and for causes by which many do at once.
type DeviceSilentRules struct {
	Off        bool    `yaml:"off"`
	Intervals  float64 `yaml:"intervals"` // of interval_s; devices without one are not judged
	LeastMin   int     `yaml:"least_min"` // no shorter silence counts
	Share      float64 `yaml:"share"`     // of a site's or source's devices: more than this are told as one, 0..1
	Least      int     `yaml:"least"`     // devices that are told as one
	RecoverMin int     `yaml:"recover_min"`
}

// DeviceFlappingRules look for devices that change their state, or boot, too
// often.
type DeviceFlappingRules struct {
	Off        bool `yaml:"off"`
	Changes    int  `yaml:"changes"` // of a place's state in an hour
	Boots      int  `yaml:"boots"`   // in a day
	RecoverMin int  `yaml:"recover_min"`
}

// DeviceStuckRules look for devices that speak and see nothing, and for counters
// that are dead by day.
type DeviceStuckRules struct {
	Off        bool    `yaml:"off"`
	Expected   float64 `yaml:"expected"` // events that should have been seen meanwhile
	LeastH     int     `yaml:"least_h"`  // no shorter stillness of a place counts, h
	DeadMin    int     `yaml:"dead_min"` // nor of a gate or traffic counter
	Same       int     `yaml:"same"`     // readings of a traffic counter with the same numbers and speeds
	RecoverMin int     `yaml:"recover_min"`
}

// DeviceBatteryRules look for batteries that are nearly empty.
type DeviceBatteryRules struct {
	Off        bool `yaml:"off"`
	LowMV      int  `yaml:"low_mv"`
	RecoverMin int  `yaml:"recover_min"`
}

// DeviceSkewRules look for clocks that are wrong.
type DeviceSkewRules struct {
	Off        bool `yaml:"off"`
	AheadS     int  `yaml:"ahead_s"`
	BehindS    int  `yaml:"behind_s"`
	RecoverMin int  `yaml:"recover_min"`
}

// DeviceGapRules look for sequence numbers that do not come.
type DeviceGapRules struct {
	Off        bool    `yaml:"off"`
	Share      float64 `yaml:"share"` // of the last 100 numbers or so, 0..1
	Least      int     `yaml:"least"` // numbers
	GraceMin   int     `yaml:"grace_min"`
	RecoverMin int     `yaml:"recover_min"`
}

// OverstayRules look for places that are taken for too long.
type OverstayRules struct {
	Off        bool `yaml:"off"`
	Hours      int  `yaml:"hours"`     // where the site's restrictions name no time; 0: not judged
	SlackMin   int  `yaml:"slack_min"` // beyond what restrictions name
	RecoverMin int  `yaml:"recover_min"`
}

// GateDriftRules look for gates that let more out than in, or the other way.
type GateDriftRules struct {
	Off        bool    `yaml:"off"`
	Share      float64 `yaml:"share"` // of what went through in a day, 0..1
	Least      int     `yaml:"least"` // vehicles
	SettleDays int     `yaml:"settle_days"`
	RecoverMin int     `yaml:"recover_min"`
}

func (r *Rules) deviceBounds() []bound {
	n := func(v int) float64 { return float64(v) }
	const week = 10_080
	return []bound{
		{"device_silent.intervals", r.DeviceSilent.Intervals, 2, 100},
		{"device_silent.least_min", n(r.DeviceSilent.LeastMin), 1, week},
		{"device_silent.share", r.DeviceSilent.Share, 0.1, 1},
		{"device_silent.least", n(r.DeviceSilent.Least), 2, 100_000},
		{"device_silent.recover_min", n(r.DeviceSilent.RecoverMin), 1, week},
		{"device_flapping.changes", n(r.DeviceFlapping.Changes), 4, 100_000},
		{"device_flapping.boots", n(r.DeviceFlapping.Boots), 2, 100_000},
		{"device_flapping.recover_min", n(r.DeviceFlapping.RecoverMin), 1, week},
		{"device_stuck.expected", r.DeviceStuck.Expected, 3, 1000},
		{"device_stuck.least_h", n(r.DeviceStuck.LeastH), 1, 1000},
		{"device_stuck.dead_min", n(r.DeviceStuck.DeadMin), 10, week},
		{"device_stuck.same", n(r.DeviceStuck.Same), 2, 10_000},
		{"device_stuck.recover_min", n(r.DeviceStuck.RecoverMin), 1, week},
		{"device_battery.low_mv", n(r.DeviceBattery.LowMV), 500, 100_000},
		{"device_battery.recover_min", n(r.DeviceBattery.RecoverMin), 1, week},
		{"device_skew.ahead_s", n(r.DeviceSkew.AheadS), 5, 300},
		{"device_skew.behind_s", n(r.DeviceSkew.BehindS), 5, 86_400},
		{"device_skew.recover_min", n(r.DeviceSkew.RecoverMin), 1, week},
		{"device_gaps.share", r.DeviceGaps.Share, 0.001, 1},
		{"device_gaps.least", n(r.DeviceGaps.Least), 1, 500},
		{"device_gaps.grace_min", n(r.DeviceGaps.GraceMin), 1, week},
		{"device_gaps.recover_min", n(r.DeviceGaps.RecoverMin), 1, week},
		{"spot_overstay.hours", n(r.Overstay.Hours), 0, 10_000},
		{"spot_overstay.slack_min", n(r.Overstay.SlackMin), 0, week},
		{"spot_overstay.recover_min", n(r.Overstay.RecoverMin), 1, week},
		{"gate_drift.share", r.GateDrift.Share, 0.001, 1},
		{"gate_drift.least", n(r.GateDrift.Least), 1, 100_000},
		{"gate_drift.settle_days", n(r.GateDrift.SettleDays), 1, 366},
		{"gate_drift.recover_min", n(r.GateDrift.RecoverMin), 1, week},
	}
}

// Maintenance is a time in which work is done at a site, segment or device:
// nothing new is said of it.
type Maintenance struct {
	Subject string `yaml:"subject"` // id
	From    string `yaml:"from"`    // as in closures.csv
	To      string `yaml:"to"`      // exclusive
	Note    string `yaml:"note"`

	from, to int64 // Unix ms
}

// Maintained tells whether work is done at a subject at a time (Unix ms).
func (r *Rules) Maintained(subject string, at int64) bool {
	for i := range r.Maintenance {
		m := &r.Maintenance[i]
		if m.Subject == subject && at >= m.from && at < m.to {
			return true
		}
	}
	return false
}

func (r *Rules) checkMaintenance(p *parser, wrong func(path, format string, args ...any)) {
	for i := range r.Maintenance {
		m := &r.Maintenance[i]
		path := fmt.Sprintf("detectors.maintenance[%d]", i)
		var no string
		if m.from, no = parseMoment(m.From, p.zone); no != "" {
			wrong(path, "%s.from %s", path, no)
		}
		if m.to, no = parseMoment(m.To, p.zone); no != "" {
			wrong(path, "%s.to %s", path, no)
		}
		switch {
		case m.Subject == "":
			wrong(path, "%s names no subject: give the id of a site, segment or device", path)
		case p.v.sites[m.Subject] == nil && p.v.segments[m.Subject] == nil && p.v.devices[m.Subject] == nil:
			wrong(path, "%s: %s is no site, segment or device of the inventory: correct it", path, short(m.Subject))
		case m.to <= m.from:
			wrong(path, "%s: to is not after from: correct them", path)
		}
	}
}
