package main

import (
	"time"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/watch"
)

// pool is on what a fault is planted.
type pool int

const (
	onSpot pool = iota
	onRestrictedSpot
	onGate
	onStreet   // a whole site
	onGateSite // a whole site
	onMeter    // of a site with gates
	onRoad
	onSlowRoad
	onCounter
	onSource
)

// faultKind is a kind of fault: what happens, who tells, and how long its rule
// looks before it may tell.
type faultKind struct {
	name  string
	plant scenario.PlantedKind
	on    pool
	rules []watch.Rule // each of them has to tell
	also  []watch.Rule // what is told of it beside
	hour  int          // of the day it begins, 0: at midnight
	long  time.Duration
	share float64
	by    float64

	window func(*looked) time.Duration
	text   string // the window, in parameters of rules.yaml
}

// looked is what a window depends on.
type looked struct {
	set      *inventory.Rules
	interval time.Duration // of the device, of the site's sensors
	events   float64       // an hour, that the device would have seen
	lost     float64       // share of the numbers
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

func (l *looked) silent() time.Duration {
	return max(time.Duration(l.set.DeviceSilent.Intervals*float64(l.interval)), minutes(l.set.DeviceSilent.LeastMin))
}

func (l *looked) due(events float64) time.Duration {
	return time.Duration(events / l.events * float64(hour))
}

func (l *looked) stuckTaken() time.Duration {
	return max(l.stuck(), time.Duration(l.set.Overstay.Hours)*hour)
}

func (l *looked) stuck() time.Duration {
	return max(time.Duration(l.set.DeviceStuck.LeastH)*hour, l.due(l.set.DeviceStuck.Expected))
}

func (l *looked) dead() time.Duration {
	return max(minutes(l.set.DeviceStuck.DeadMin), l.due(l.set.DeviceStuck.Expected))
}

func (l *looked) battery() time.Duration { return batteryReadings * l.interval }

func (l *looked) skew() time.Duration { return max(2*hour, skewReadings*l.interval) }

func (l *looked) gaps() time.Duration {
	return minutes(l.set.DeviceGaps.GraceMin) + time.Duration(float64(l.set.DeviceGaps.Least)/l.lost*float64(l.interval))
}

func (l *looked) meter() time.Duration {
	return max(minutes(l.set.Silent.LeastMin), l.due(l.set.Silent.Expected))
}

func (l *looked) nights() time.Duration {
	return day + minutes(l.set.Voids.MarginMin)
}

// What has no parameter: the mean of battery voltages, and of a clock's window.
const (
	batteryReadings = 5
	skewReadings    = 10
)

const (
	silentText = "`intervals` x `interval_s`"
	stuckText  = "`least_h`, and until `expected` changes were due"
	deadText   = "`dead_min`, and until `expected` vehicles were due"
	skewText   = "two hours and ten readings"
	stayText   = "a day and `grace_h`"
)

// faultKinds are all that is planted.
var faultKinds = []faultKind{
	{
		name: "spot is dead", plant: scenario.Dead, on: onSpot, rules: []watch.Rule{watch.RuleDeviceSilent}, hour: 9, long: 48 * hour,
		also: []watch.Rule{watch.RulePaymentNoStay}, window: (*looked).silent, text: silentText,
	},
	{
		name: "gate is dead", plant: scenario.Dead, on: onGate, rules: []watch.Rule{watch.RuleDeviceSilent}, hour: 9, long: 36 * hour,
		also: []watch.Rule{watch.RuleGateDrift, watch.RulePaymentNoStay, watch.RuleStayNoPayment}, window: (*looked).silent, text: silentText,
	},
	{
		name: "road counter is dead", plant: scenario.Dead, on: onCounter, rules: []watch.Rule{watch.RuleDeviceSilent}, hour: 10, long: 30 * hour,
		window: (*looked).silent, text: silentText,
	},
	{
		name: "site is dark", plant: scenario.Dark, on: onStreet, rules: []watch.Rule{watch.RuleSiteSilent}, hour: 8, long: 30 * hour,
		also:   []watch.Rule{watch.RuleTotalGap, watch.RuleNumberMissing, watch.RulePaymentNoStay, watch.RuleStayNoPayment}, // papers that never come
		window: (*looked).silent, text: silentText,
	},
	{
		name: "link of a site is away", plant: scenario.LinkAway, on: onStreet, rules: []watch.Rule{watch.RuleSiteSilent}, hour: 9, long: 8 * hour,
		window: (*looked).silent, text: silentText,
	},
	{
		name: "source is away", plant: scenario.LinkAway, on: onSource, rules: []watch.Rule{watch.RuleSourceSilent}, hour: 10, long: 5 * hour,
		window: (*looked).silent, text: silentText,
	},
	{
		name: "spot flaps", plant: scenario.Flapping, on: onSpot, rules: []watch.Rule{watch.RuleDeviceFlapping}, hour: 9, long: 12 * hour,
		also:   []watch.Rule{watch.RulePaymentNoStay, watch.RuleStayNoPayment, watch.RuleLeak},
		window: func(*looked) time.Duration { return hour }, text: "an hour (`changes` in one)",
	},
	{
		name: "device boots each half hour", plant: scenario.Rebooting, on: onSpot, rules: []watch.Rule{watch.RuleDeviceReboots}, hour: 9, long: 48 * hour, by: 30,
		window: func(*looked) time.Duration { return day }, text: "a day (`boots` in one)",
	},
	{
		name: "spot is stuck, taken", plant: scenario.StuckTaken, on: onSpot, rules: []watch.Rule{watch.RuleDeviceStuck}, hour: 9, long: 6 * day,
		also: []watch.Rule{watch.RuleOverstay, watch.RulePaymentNoStay}, window: (*looked).stuckTaken, text: stuckText + "; a taken one `spot_overstay.hours`",
	},
	{
		name: "spot is stuck, free", plant: scenario.StuckFree, on: onSpot, rules: []watch.Rule{watch.RuleDeviceStuck}, hour: 9, long: 6 * day,
		also: []watch.Rule{watch.RulePaymentNoStay}, window: (*looked).stuck, text: stuckText,
	},
	{
		name: "road counter counts nothing", plant: scenario.CountsNothing, on: onCounter, rules: []watch.Rule{watch.RuleCounterDead}, hour: 10, long: 30 * hour, also: []watch.Rule{watch.RuleIncident}, // until the counter is told
		window: (*looked).dead, text: deadText,
	},
	{
		name: "road counter says the same", plant: scenario.CountsSame, on: onCounter, rules: []watch.Rule{watch.RuleDeviceStuck}, hour: 10, long: 30 * hour,
		window: func(l *looked) time.Duration { return time.Duration(l.set.DeviceStuck.Same+1) * l.interval }, text: "`same` readings",
	},
	{
		name: "gate counts nothing", plant: scenario.CountsNothing, on: onGate, rules: []watch.Rule{watch.RuleCounterDead}, hour: 9, long: 36 * hour,
		also: []watch.Rule{watch.RuleGateDrift, watch.RulePaymentNoStay, watch.RuleStayNoPayment}, window: (*looked).dead, text: deadText,
	},
	{
		name: "battery is low", plant: scenario.BatteryLow, on: onSpot, rules: []watch.Rule{watch.RuleDeviceBattery}, hour: 9, long: 4 * day, by: 2.9,
		window: (*looked).battery, text: "a mean of five readings",
	},
	{
		name: "battery sinks", plant: scenario.BatterySinking, on: onSpot, rules: []watch.Rule{watch.RuleDeviceBattery}, hour: 9, long: 6 * day, by: 2.8,
		window: (*looked).battery, text: "a mean of five readings",
	},
	{
		name: "clock is ahead", plant: scenario.ClockOff, on: onSpot, rules: []watch.Rule{watch.RuleDeviceSkew}, hour: 9, long: 3 * day, by: 150,
		window: (*looked).skew, text: skewText,
	},
	{
		name: "clock is behind", plant: scenario.ClockOff, on: onSpot, rules: []watch.Rule{watch.RuleDeviceSkew}, hour: 9, long: 3 * day, by: -1200,
		window: (*looked).skew, text: skewText,
	},
	{
		name: "clock loses time", plant: scenario.ClockDrift, on: onSpot, rules: []watch.Rule{watch.RuleDeviceSkew}, hour: 9, long: 4 * day, by: -600,
		window: (*looked).skew, text: skewText,
	},
	{
		name: "numbers lack", plant: scenario.Gaps, on: onSpot, rules: []watch.Rule{watch.RuleDeviceGaps}, hour: 9, long: 5 * day, share: 0.35,
		also:   []watch.Rule{watch.RulePaymentNoStay, watch.RuleStayNoPayment, watch.RuleOverstay},
		window: (*looked).gaps, text: "`grace_min`, and until `least` numbers lacked",
	},
	{
		name: "gates miss who comes", plant: scenario.MissesIn, on: onGateSite, rules: []watch.Rule{watch.RuleGateDrift}, long: 3 * day, share: 0.3,
		also:   []watch.Rule{watch.RulePaymentNoStay, watch.RuleStayNoPayment},
		window: func(*looked) time.Duration { return day + hour }, text: "a day and an hour",
	},
	{
		name: "gates miss who leaves", plant: scenario.MissesOut, on: onGateSite, rules: []watch.Rule{watch.RuleGateDrift}, long: 3 * day, share: 0.3,
		also:   []watch.Rule{watch.RulePaymentNoStay, watch.RuleStayNoPayment},
		window: func(*looked) time.Duration { return day + hour }, text: "a day and an hour",
	},
	{
		name: "overstay", plant: scenario.Overstay, on: onRestrictedSpot, rules: []watch.Rule{watch.RuleOverstay}, hour: 8, long: 30 * hour,
		also:   []watch.Rule{watch.RuleDeviceStuck},
		window: func(l *looked) time.Duration { return 6*hour + minutes(l.set.Overstay.SlackMin) }, text: "the restriction and `slack_min`",
	},
	{
		name: "jam of 40 minutes", plant: scenario.Blocked, on: onRoad, rules: []watch.Rule{watch.RuleIncident}, hour: 10, long: 40 * time.Minute, share: 0.25,
		also: []watch.Rule{watch.RuleLevelF, watch.RuleParkingLimit}, window: incidentWindow, text: incidentText,
	},
	{
		name: "jam of three hours", plant: scenario.Blocked, on: onRoad, rules: []watch.Rule{watch.RuleLevelF}, hour: 9, long: 3 * hour, share: 0.25,
		also:   []watch.Rule{watch.RuleIncident, watch.RuleParkingLimit},
		window: func(l *looked) time.Duration { return minutes(l.set.LevelF.Minutes) + 2*l.interval }, text: "`minutes` and two intervals",
	},
	{
		name: "hardly anybody comes", plant: scenario.Emptied, on: onRoad, rules: []watch.Rule{watch.RuleIncident}, hour: 10, long: 3 * hour, share: 0.1,
		window: incidentWindow, text: incidentText,
	},
	{
		name: "full and slow with parking", plant: scenario.Loaded, on: onSlowRoad, rules: []watch.Rule{watch.RuleParkingLimit}, hour: 9, long: 5 * hour, by: 2200,
		also: []watch.Rule{watch.RuleIncident, watch.RuleOneWay, watch.RuleLevelF}, window: pm96Window, text: pm96Text,
	},
	{
		name: "nearly full", plant: scenario.Loaded, on: onRoad, rules: []watch.Rule{watch.RuleOneWay}, hour: 9, long: 5 * hour, by: 2550,
		also: []watch.Rule{watch.RuleIncident, watch.RuleParkingLimit, watch.RuleLevelF, watch.RuleTidal}, window: pm96Window, text: pm96Text,
	},
	{
		name: "nearly full one way", plant: scenario.Loaded, on: onRoad, rules: []watch.Rule{watch.RuleTidal}, hour: 9, long: 5 * hour, by: 2800,
		also: []watch.Rule{watch.RuleOneWay, watch.RuleIncident, watch.RuleParkingLimit, watch.RuleLevelF}, window: pm96Window, text: pm96Text,
	},
	{
		name: "meter is silent", plant: scenario.MeterSilent, on: onMeter, rules: []watch.Rule{watch.RuleMeterSilent}, hour: 9, long: 48 * hour,
		also: []watch.Rule{watch.RuleDeviceSilent}, window: (*looked).meter, text: "`least_min`, and until `expected` receipts were due",
	},
	{
		name: "papers are counted, not sent", plant: scenario.PapersUnsent, on: onMeter, rules: []watch.Rule{watch.RuleTotalGap, watch.RuleNumberMissing}, hour: 9, long: 30 * hour, share: 0.2,
		also:   []watch.Rule{watch.RuleStayNoPayment, watch.RuleLeak, watch.RuleDeviceGaps},
		window: func(l *looked) time.Duration { return minutes(l.set.Totals.GraceMin) }, text: "`grace_min`",
	},
	{
		name: "totals fall", plant: scenario.MeterRollback, on: onMeter, rules: []watch.Rule{watch.RuleTotalRollback}, hour: 10, by: 40,
		window: func(l *looked) time.Duration { return minutes(l.set.Totals.GraceMin) }, text: "`grace_min`",
	},
	{
		name: "totals begin anew", plant: scenario.MeterReset, on: onMeter, rules: []watch.Rule{watch.RuleTotalReset}, hour: 10,
		window: func(l *looked) time.Duration { return minutes(l.set.Totals.GraceMin) }, text: "`grace_min`",
	},
	{
		name: "numbers are used twice", plant: scenario.NumberDoubled, on: onMeter, rules: []watch.Rule{watch.RuleNumberDoubled}, hour: 9, long: 24 * hour, share: 0.1,
		window: func(l *looked) time.Duration { return minutes(l.set.Numbers.GraceMin) }, text: "`grace_min`",
	},
	{
		name: "another price", plant: scenario.OffTariff, on: onMeter, rules: []watch.Rule{watch.RuleOffTariff}, long: 3 * day, share: 0.3,
		also: []watch.Rule{watch.RuleLeak}, window: func(*looked) time.Duration { return day }, text: "a day (`least` in one)",
	},
	{
		name: "voids by day", plant: scenario.DayVoids, on: onMeter, rules: []watch.Rule{watch.RuleVoidRatio}, long: 3 * day, share: 0.3,
		also: []watch.Rule{watch.RuleVoidNight, watch.RuleStayNoPayment, watch.RuleLeak}, window: func(*looked) time.Duration { return day }, text: "a day (`least` in one)",
	},
	{
		name: "voids at night", plant: scenario.NightVoids, on: onMeter, rules: []watch.Rule{watch.RuleVoidNight}, hour: 12, long: 4 * day, share: 0.7,
		also: []watch.Rule{watch.RuleVoidRatio, watch.RuleStayNoPayment, watch.RuleLeak}, window: (*looked).nights, text: "a night (`night_least` in one)",
	},
	{
		name: "papers for nobody", plant: scenario.Phantom, on: onGateSite, rules: []watch.Rule{watch.RulePaymentNoStay}, long: 3 * day, share: 0.3,
		window: stayWindow, text: stayText,
	},
	{
		name: "skimming", plant: scenario.Skim, on: onGateSite, rules: []watch.Rule{watch.RuleStayNoPayment, watch.RuleLeak}, long: 4 * day, share: 0.3,
		window: stayWindow, text: stayText,
	},
}

const (
	incidentText = "`least_min` and two intervals"
	pm96Text     = "`minutes` and two intervals"
)

func incidentWindow(l *looked) time.Duration { return minutes(l.set.Incident.LeastMin) + 2*l.interval }

func pm96Window(l *looked) time.Duration { return minutes(l.set.PM96.Minutes) + 2*l.interval }

func stayWindow(l *looked) time.Duration { return day + time.Duration(l.set.Stays.GraceH)*hour }
