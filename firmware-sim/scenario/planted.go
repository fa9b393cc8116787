package scenario

// What is wrong with devices, roads and papers on purpose. What each does is in
// docs/firmware-sim.md.
const (
	Dead           PlantedKind = "dead"            // a device says nothing, and what it missed is lost
	Dark           PlantedKind = "dark"            // no device of a site says anything
	LinkAway       PlantedKind = "link_away"       // what devices say waits until the end, and comes at once
	Flapping       PlantedKind = "flapping"        // a place says each minute that it changed
	Rebooting      PlantedKind = "rebooting"       // a device boots again and again
	StuckTaken     PlantedKind = "stuck_taken"     // a place says that it is taken
	StuckFree      PlantedKind = "stuck_free"      // a place says that it is free
	CountsNothing  PlantedKind = "counts_nothing"  // a gate or traffic counter speaks and counts nothing
	CountsSame     PlantedKind = "counts_same"     // a traffic counter says the same again and again
	BatteryLow     PlantedKind = "battery_low"     // a battery has so many volts
	BatterySinking PlantedKind = "battery_sinking" // it sinks to so many volts
	ClockOff       PlantedKind = "clock_off"       // a clock is off by so many seconds, ahead above 0
	ClockDrift     PlantedKind = "clock_drift"     // it loses or gains so many seconds a day
	Gaps           PlantedKind = "gaps"            // a share of a device's readings never comes
	MissesIn       PlantedKind = "misses_in"       // a site's gates miss a share of those who come
	MissesOut      PlantedKind = "misses_out"      // or of those who leave
	Overstay       PlantedKind = "overstay"        // one vehicle stands on a place all the time

	Blocked PlantedKind = "blocked" // a share of a road's capacity is left
	Emptied PlantedKind = "emptied" // a share of those who want to pass a road is left
	Loaded  PlantedKind = "loaded"  // so many smp/h want to pass a road, whatever the hour

	PapersUnsent  PlantedKind = "papers_unsent"  // a share of a meter's papers is counted and not sent
	MeterRollback PlantedKind = "meter_rollback" // a meter's totals fall by so many papers
	NumberDoubled PlantedKind = "number_doubled" // a share of a meter's papers has the number of another
	DayVoids      PlantedKind = "day_voids"      // a share of a meter's papers is voided soon after
	Phantom       PlantedKind = "phantom"        // a share of a site's papers is printed for nobody too
)

// need is what a kind is about.
type need string

const (
	ofSite     need = "site"
	ofDevice   need = "device"
	ofSegment  need = "segment"
	ofOperator need = "operator"
)

// needs is what each kind is about. The site of link_away is a pattern, of ids
// of sites and segments.
var needs = map[PlantedKind]need{
	Skim: ofSite, NightVoids: ofDevice, MeterReset: ofDevice, MeterSilent: ofDevice, OffTariff: ofDevice, Blind: ofSite,
	DepositLate: ofOperator, DepositShort: ofOperator,

	Dead: ofDevice, Dark: ofSite, LinkAway: ofSite, Flapping: ofDevice, Rebooting: ofDevice, StuckTaken: ofDevice, StuckFree: ofDevice,
	CountsNothing: ofDevice, CountsSame: ofDevice, BatteryLow: ofDevice, BatterySinking: ofDevice, ClockOff: ofDevice, ClockDrift: ofDevice,
	Gaps: ofDevice, MissesIn: ofSite, MissesOut: ofSite, Overstay: ofDevice,
	Blocked: ofSegment, Emptied: ofSegment, Loaded: ofSegment,
	PapersUnsent: ofDevice, MeterRollback: ofDevice, NumberDoubled: ofDevice, DayVoids: ofDevice, Phantom: ofSite,
}

// shared are the kinds that happen to a share of something.
var shared = []PlantedKind{Skim, NightVoids, OffTariff, DepositShort, Gaps, MissesIn, MissesOut, Blocked, Emptied, PapersUnsent, NumberDoubled, DayVoids, Phantom}

// by is the unit of Plant.By and its bounds.
var by = map[PlantedKind]struct {
	unit        string
	least, most float64
}{
	Rebooting: {"minutes", 1, 1440}, BatteryLow: {"volts", 0.5, 100}, BatterySinking: {"volts", 0.5, 100},
	ClockOff: {"seconds", -86_400, 86_400}, ClockDrift: {"seconds a day", -86_400, 86_400}, Loaded: {"smp/h", 1, 100_000},
	MeterRollback: {"papers", 1, 1_000_000},
}
