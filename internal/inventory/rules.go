package inventory

import (
	"slices"

	"github.com/simpang-id/simpang/internal/strictyaml"
)

// Rules are the parameters of the detectors (rules.yaml). What the file leaves
// out has its default; docs/detectors.md says what each means and why.
type Rules struct {
	Totals  TotalsRules `yaml:"meter_totals"`
	Numbers NumberRules `yaml:"receipt_numbers"`
	Silent  SilentRules `yaml:"meter_silent"`
	Tariff  TariffRules `yaml:"off_tariff"`
	Voids   VoidRules   `yaml:"voids"`
	Stays   StayRules   `yaml:"stays"`
	Leak    LeakRules   `yaml:"leak"`

	DeviceSilent   DeviceSilentRules   `yaml:"device_silent"`
	DeviceFlapping DeviceFlappingRules `yaml:"device_flapping"`
	DeviceStuck    DeviceStuckRules    `yaml:"device_stuck"`
	DeviceBattery  DeviceBatteryRules  `yaml:"device_battery"`
	DeviceSkew     DeviceSkewRules     `yaml:"device_skew"`
	DeviceGaps     DeviceGapRules      `yaml:"device_gaps"`
	Overstay       OverstayRules       `yaml:"spot_overstay"`
	GateDrift      GateDriftRules      `yaml:"gate_drift"`
	LevelF         LevelFRules         `yaml:"traffic_level_f"`
	Incident       IncidentRules       `yaml:"traffic_incident"`
	PM96           PM96Rules           `yaml:"traffic_pm96"`

	Maintenance []Maintenance `yaml:"maintenance"`
}

// TotalsRules compare a meter's running totals with what came.
type TotalsRules struct {
	Off        bool `yaml:"off"`
	GraceMin   int  `yaml:"grace_min"`   // a late reading may still fill a gap
	KeepDays   int  `yaml:"keep_days"`   // then a gap is given up
	SettleDays int  `yaml:"settle_days"` // then a reset or rollback is history
	RecoverMin int  `yaml:"recover_min"`
}

// NumberRules look for receipt numbers that are missing or used twice.
type NumberRules struct {
	Off        bool `yaml:"off"`
	GraceMin   int  `yaml:"grace_min"`
	KeepDays   int  `yaml:"keep_days"`
	SettleDays int  `yaml:"settle_days"` // of a doubled number
	RecoverMin int  `yaml:"recover_min"`
	Jump       int  `yaml:"jump"` // more numbers than this left out at once are a new roll, no gap
}

// SilentRules look for meters that say nothing while their site is open.
type SilentRules struct {
	Off        bool    `yaml:"off"`
	Expected   float64 `yaml:"expected"`     // receipts that should have come meanwhile
	LeastMin   int     `yaml:"least_min"`    // no shorter silence counts
	LearnDays  int     `yaml:"learn_days"`   // days with receipts before the learned rate is believed
	MemoryDays int     `yaml:"memory_days"`  // of the learned rate
	NoHistoryH int     `yaml:"no_history_h"` // open hours of silence, for a meter without history
	RecoverMin int     `yaml:"recover_min"`
}

// TariffRules look for amounts that the tariff does not give.
type TariffRules struct {
	Off        bool    `yaml:"off"`
	Least      int     `yaml:"least"`   // such receipts of a day
	Share      float64 `yaml:"share"`   // of the day's receipts, 0..1
	SlackS     int     `yaml:"slack_s"` // by which a stay's length may be rounded, s
	SettleDays int     `yaml:"settle_days"`
	RecoverMin int     `yaml:"recover_min"`
}

// VoidRules look for too many voids of a day, and for voids at night.
type VoidRules struct {
	Off        bool    `yaml:"off"`
	Least      int     `yaml:"least"`       // voids of a day
	Ratio      float64 `yaml:"ratio"`       // of the day's receipts, 0..1
	Usual      float64 `yaml:"usual"`       // share of receipts that honest tills void, 0..1
	Improbable float64 `yaml:"improbable"`  // chance that an honest till voids so many, at most
	NightLeast int     `yaml:"night_least"` // voids of a night
	NightFrom  int     `yaml:"night_from"`  // hour of the day
	NightUntil int     `yaml:"night_until"` // hour of the day
	MarginMin  int     `yaml:"margin_min"`  // after closing, for the last customers
	SettleDays int     `yaml:"settle_days"`
	RecoverMin int     `yaml:"recover_min"`
}

// StayRules compare payments with the stays that sensors saw.
type StayRules struct {
	Off        bool    `yaml:"off"`
	GraceH     int     `yaml:"grace_h"`    // after the day's end
	Coverage   float64 `yaml:"coverage"`   // of the day by sensors, 0..1
	Missed     float64 `yaml:"missed"`     // share of stays that sensors do not see, 0..1
	Extra      float64 `yaml:"extra"`      // share of stays that sensors see and are none, 0..1
	Unpaid     float64 `yaml:"unpaid"`     // share of stays that rightly pay nothing and have no receipt, 0..1
	Least      int     `yaml:"least"`      // difference
	Improbable float64 `yaml:"improbable"` // chance of such a difference on an honest day, at most
	MinStayS   int     `yaml:"min_stay_s"` // shorter stays are none, s
	SettleDays int     `yaml:"settle_days"`
	RecoverMin int     `yaml:"recover_min"`
}

// LeakRules look for days on which less was recorded than even the low end of
// what is expected.
type LeakRules struct {
	Off        bool    `yaml:"off"`
	GraceH     int     `yaml:"grace_h"`
	Coverage   float64 `yaml:"coverage"`
	Share      float64 `yaml:"share"` // by which the low end exceeds what was recorded, 0..
	Least      int     `yaml:"least"` // rupiah
	SettleDays int     `yaml:"settle_days"`
	RecoverMin int     `yaml:"recover_min"`
}

// DefaultRules returns the rules where rules.yaml says nothing.
func DefaultRules() *Rules {
	return &Rules{
		Totals:  TotalsRules{GraceMin: 60, KeepDays: 35, SettleDays: 7, RecoverMin: 60},
		Numbers: NumberRules{GraceMin: 60, KeepDays: 35, SettleDays: 7, RecoverMin: 60, Jump: 1000},
		Silent:  SilentRules{Expected: 15, LeastMin: 60, LearnDays: 7, MemoryDays: 28, NoHistoryH: 72, RecoverMin: 15},
		Tariff:  TariffRules{Least: 5, Share: 0.05, SlackS: 60, SettleDays: 2, RecoverMin: 60},
		Voids: VoidRules{
			Least: 5, Ratio: 0.1, Usual: 0.02, Improbable: 1e-5, NightLeast: 3, NightFrom: 23, NightUntil: 5, MarginMin: 30,
			SettleDays: 3, RecoverMin: 60,
		},
		Stays: StayRules{
			GraceH: 6, Coverage: 0.95, Missed: 0.03, Extra: 0.02, Unpaid: 0.03, Least: 5, Improbable: 0.0005, MinStayS: 120,
			SettleDays: 3, RecoverMin: 60,
		},
		Leak: LeakRules{GraceH: 6, Coverage: 0.95, Share: 0.02, Least: 10_000, SettleDays: 3, RecoverMin: 60},

		DeviceSilent:   DeviceSilentRules{Intervals: 3, LeastMin: 5, Share: 0.5, Least: 3, RecoverMin: 15},
		DeviceFlapping: DeviceFlappingRules{Changes: 20, Boots: 5, RecoverMin: 120},
		DeviceStuck:    DeviceStuckRules{Expected: 15, LeastH: 12, DeadMin: 60, Same: 6, RecoverMin: 30},
		DeviceBattery:  DeviceBatteryRules{LowMV: 3100, RecoverMin: 1440},
		DeviceSkew:     DeviceSkewRules{AheadS: 60, BehindS: 300, RecoverMin: 240},
		DeviceGaps:     DeviceGapRules{Share: 0.1, Least: 10, GraceMin: 120, RecoverMin: 240},
		Overstay:       OverstayRules{Hours: 48, SlackMin: 30, RecoverMin: 15},
		GateDrift:      GateDriftRules{Share: 0.1, Least: 5, SettleDays: 3, RecoverMin: 60},
		LevelF:         LevelFRules{Minutes: 30, RecoverMin: 15},
		Incident:       IncidentRules{LearnDays: 7, LeastMin: 10, Share: 0.3, RecoverMin: 15},
		PM96: PM96Rules{
			Minutes: 60, ParkingVC: 0.7, ParkingKmh: 30, OneWayVC: 0.85, TidalVC: 0.9, TidalSplit: 0.7, SettleDays: 14, RecoverMin: 60,
		},
	}
}

// bound is what a number of rules.yaml may be.
type bound struct {
	path     string
	v        float64
	from, to float64
}

func (r *Rules) bounds() []bound {
	const year, share = 366, 1
	n := func(v int) float64 { return float64(v) }
	return []bound{
		{"meter_totals.grace_min", n(r.Totals.GraceMin), 1, 10_080},
		{"meter_totals.keep_days", n(r.Totals.KeepDays), 1, year},
		{"meter_totals.settle_days", n(r.Totals.SettleDays), 1, year},
		{"meter_totals.recover_min", n(r.Totals.RecoverMin), 1, 10_080},
		{"receipt_numbers.grace_min", n(r.Numbers.GraceMin), 1, 10_080},
		{"receipt_numbers.keep_days", n(r.Numbers.KeepDays), 1, year},
		{"receipt_numbers.settle_days", n(r.Numbers.SettleDays), 1, year},
		{"receipt_numbers.recover_min", n(r.Numbers.RecoverMin), 1, 10_080},
		{"receipt_numbers.jump", n(r.Numbers.Jump), 10, 1_000_000},
		{"meter_silent.expected", r.Silent.Expected, 3, 1000},
		{"meter_silent.least_min", n(r.Silent.LeastMin), 5, 10_080},
		{"meter_silent.learn_days", n(r.Silent.LearnDays), 1, year},
		{"meter_silent.memory_days", n(r.Silent.MemoryDays), 7, year},
		{"meter_silent.no_history_h", n(r.Silent.NoHistoryH), 1, 10_000},
		{"meter_silent.recover_min", n(r.Silent.RecoverMin), 1, 10_080},
		{"off_tariff.least", n(r.Tariff.Least), 1, 100_000},
		{"off_tariff.share", r.Tariff.Share, 0, share},
		{"off_tariff.slack_s", n(r.Tariff.SlackS), 0, 3600},
		{"off_tariff.settle_days", n(r.Tariff.SettleDays), 1, year},
		{"off_tariff.recover_min", n(r.Tariff.RecoverMin), 1, 10_080},
		{"voids.least", n(r.Voids.Least), 1, 100_000},
		{"voids.ratio", r.Voids.Ratio, 0, share},
		{"voids.usual", r.Voids.Usual, 0, 0.5},
		{"voids.improbable", r.Voids.Improbable, 1e-12, 0.5},
		{"voids.night_least", n(r.Voids.NightLeast), 1, 100_000},
		{"voids.night_from", n(r.Voids.NightFrom), 0, 23},
		{"voids.night_until", n(r.Voids.NightUntil), 0, 23},
		{"voids.margin_min", n(r.Voids.MarginMin), 0, 720},
		{"voids.settle_days", n(r.Voids.SettleDays), 1, year},
		{"voids.recover_min", n(r.Voids.RecoverMin), 1, 10_080},
		{"stays.grace_h", n(r.Stays.GraceH), 1, 240},
		{"stays.coverage", r.Stays.Coverage, 0.5, share},
		{"stays.missed", r.Stays.Missed, 0, 0.5},
		{"stays.extra", r.Stays.Extra, 0, 0.5},
		{"stays.unpaid", r.Stays.Unpaid, 0, share},
		{"stays.least", n(r.Stays.Least), 1, 100_000},
		{"stays.improbable", r.Stays.Improbable, 1e-12, 0.5},
		{"stays.min_stay_s", n(r.Stays.MinStayS), 0, 86_400},
		{"stays.settle_days", n(r.Stays.SettleDays), 1, year},
		{"stays.recover_min", n(r.Stays.RecoverMin), 1, 10_080},
		{"leak.grace_h", n(r.Leak.GraceH), 1, 240},
		{"leak.coverage", r.Leak.Coverage, 0.5, share},
		{"leak.share", r.Leak.Share, 0, 100},
		{"leak.least", n(r.Leak.Least), 0, 1e12},
		{"leak.settle_days", n(r.Leak.SettleDays), 1, year},
		{"leak.recover_min", n(r.Leak.RecoverMin), 1, 10_080},
	}
}

// rulesFile is rules.yaml.
type rulesFile struct {
	Detectors   Rules           `yaml:"detectors"`
	Expected    expectedRules   `yaml:"expected"`
	Obligations obligationRules `yaml:"obligations"`
}

// rules reads rules.yaml strictly.
func (p *parser) rules() {
	p.v.Rules, p.v.Revenue = DefaultRules(), defaultRevenue()
	data, ok := p.files[fileRules]
	if !ok {
		return
	}
	f := rulesFile{Detectors: *DefaultRules(), Expected: defaultExpected(), Obligations: defaultObligations()}
	doc, faults := strictyaml.Decode(data, &f)
	for _, x := range faults {
		p.fault(fileRules, max(x.Line, 1), "%s", x.Message)
	}
	if len(faults) > 0 {
		return
	}
	wrong := func(path, format string, args ...any) { p.fault(fileRules, doc.Line(path), format, args...) }
	f.Detectors.checkMaintenance(p, wrong)
	for _, b := range slices.Concat(f.Detectors.bounds(), f.Detectors.deviceBounds(), f.Detectors.roadBounds()) {
		if path := "detectors." + b.path; !(b.v >= b.from && b.v <= b.to) { // also what is no number
			wrong(path, "%s is %v: give a number from %v to %v", path, b.v, b.from, b.to)
		}
	}
	p.v.Rules, p.v.Revenue = &f.Detectors, f.revenue(wrong)
}
