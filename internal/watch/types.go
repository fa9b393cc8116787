package watch

import "slices"

// Rule names what an incident is about. The words are part of the API.
type Rule string

// The rules.
const (
	RuleTotalGap      Rule = "meter_total_gap"
	RuleTotalRollback Rule = "meter_total_rollback"
	RuleTotalReset    Rule = "meter_total_reset"
	RuleNumberMissing Rule = "receipt_missing"
	RuleNumberDoubled Rule = "receipt_doubled"
	RuleMeterSilent   Rule = "meter_silent"
	RuleOffTariff     Rule = "off_tariff"
	RuleVoidRatio     Rule = "void_ratio"
	RuleVoidNight     Rule = "void_night"
	RulePaymentNoStay Rule = "payment_without_stay"
	RuleStayNoPayment Rule = "stay_without_payment"
	RuleLeak          Rule = "leak"

	RuleDeviceSilent   Rule = "device_silent"
	RuleDeviceFlapping Rule = "device_flapping"
	RuleDeviceReboots  Rule = "device_rebooting"
	RuleDeviceStuck    Rule = "device_stuck"
	RuleDeviceBattery  Rule = "device_battery"
	RuleDeviceSkew     Rule = "device_skew"
	RuleDeviceGaps     Rule = "device_gaps"
	RuleCounterDead    Rule = "counter_dead"
	RuleOverstay       Rule = "spot_overstay"
	RuleGateDrift      Rule = "gate_drift"
	RuleSiteSilent     Rule = "site_silent"
	RuleSourceSilent   Rule = "source_silent"

	RuleLevelF       Rule = "traffic_level_f"
	RuleIncident     Rule = "traffic_incident"
	RuleParkingLimit Rule = "traffic_parking_limit"
	RuleOneWay       Rule = "traffic_one_way"
	RuleTidal        Rule = "traffic_tidal"
)

// Rules lists every rule.
var Rules = append(slices.Clone(MoneyRules), slices.DeleteFunc(slices.Clone(OtherRules), func(r Rule) bool { return slices.Contains(MoneyRules, r) })...)

// Money tells whether a rule is of money alone: who looks after devices and
// roads may not know of it.
func (r Rule) Money() bool { return !slices.Contains(OtherRules, r) }

// MoneyRules are those that tell of money: for who looks after revenue.
var MoneyRules = []Rule{
	RuleTotalGap, RuleTotalRollback, RuleTotalReset, RuleNumberMissing, RuleNumberDoubled, RuleMeterSilent,
	RuleOffTariff, RuleVoidRatio, RuleVoidNight, RulePaymentNoStay, RuleStayNoPayment, RuleLeak, RuleParkingLimit,
}

// OtherRules are those that tell of no money, but of devices, places and roads.
// A meter that is silent is of both, and so is parking
// that should be restricted: what it would cost is money.
var OtherRules = []Rule{
	RuleMeterSilent,
	RuleDeviceSilent, RuleDeviceFlapping, RuleDeviceReboots, RuleDeviceStuck, RuleDeviceBattery, RuleDeviceSkew, RuleDeviceGaps,
	RuleCounterDead, RuleOverstay, RuleGateDrift, RuleSiteSilent, RuleSourceSilent,
	RuleLevelF, RuleIncident, RuleParkingLimit, RuleOneWay, RuleTidal,
}

// Severity sorts incidents by how much they matter.
type Severity string

// The severities.
const (
	Low    Severity = "low"
	Medium Severity = "medium"
	High   Severity = "high"
)

// severityOf is each rule's, but for medium ones.
var severityOf = map[Rule]Severity{
	RuleTotalGap: High, RuleTotalRollback: High, RuleNumberDoubled: High, RuleStayNoPayment: High, RuleLeak: High,
	RulePaymentNoStay: Low,
	RuleDeviceBattery: Low, RuleDeviceSkew: Low, RuleOverstay: Low, RuleTidal: Low, RuleOneWay: Low, RuleParkingLimit: Low,
	RuleSiteSilent: High, RuleSourceSilent: High,
}

// State is how an incident stands.
type State string

// The states.
const (
	StateOpen         State = "open"
	StateAcknowledged State = "acknowledged" // open, and a person knows
	StateRecovering   State = "recovering"   // its cause is gone, and may come back
	StateClosed       State = "closed"
)

// States lists every state.
var States = []State{StateOpen, StateAcknowledged, StateRecovering, StateClosed}

// Incident is one thing that is or was wrong. Times are Unix ms, those of the
// events and of the journal's ticks.
type Incident struct {
	ID       string
	Rule     Rule
	Severity Severity
	State    State
	Subject  string // the device, else the site, segment or source
	Site     string // "" where the device has none
	Device   string // "" where it is of a site, segment or source
	Segment  string `json:",omitempty"` // "" where there is none
	OpenedAt int64
	LastAt   int64 // of the last event that belongs to it
	ClosedAt int64 // 0: not closed
	Count    int64 // things: readings, receipts, days; of what stands, the most that stood at once
	Evidence Evidence
	Changes  []Change // the first, and the newest of the others
	Changed  int      // how many changes there were
	Ack      *Ack     `json:",omitempty"` // nil: nobody acknowledged it
}

// Evidence is what an incident rests on. Its lists are bounded.
type Evidence struct {
	Readings []string // device:boot:seq; device::seq where the device counts no boots: the first, and the newest
	Ranges   []Range
	Sums     []Sum
	Links    []string `json:",omitempty"` // paths of the API that show more; not stored
	Sites    []string `json:",omitempty"` // that it touches, beside its own
	Chart    []Point  `json:",omitempty"` // what a baseline saw when it began, ascending
	Unit     string   `json:",omitempty"` // of the chart
	Unseen   bool     `json:",omitempty"` // such an hour of such a day was hardly seen: the band was widened
}

// Point is a value of a chart with the band in which it was expected.
type Point struct {
	At             int64 // Unix ms
	V, Mid, Lo, Hi float32
}

// Range is a range of receipt numbers, both inclusive, or of readings.
type Range struct{ From, To string }

// Sum is a number with its name; the unit is in the name's ending (_rp, _s)
// or it is a count.
type Sum struct {
	Name  string
	Value int64
}

// Change is one change of an incident.
type Change struct {
	At   int64
	What string // opened, recovering, again, closed, acknowledged
	By   string // id of the token; "" the gateway
	Note string
}

// Ack says who acknowledged an incident.
type Ack struct {
	By   string // id of the token, no name
	Note string
	At   int64
}

// Bounds of an incident.
const (
	mostReadings = 20
	mostRanges   = 20
	mostChanges  = 100
)

// NoteMost is how long the note of an acknowledgement may be, bytes.
const NoteMost = 1000

// Query selects incidents, the newest opening first.
type Query struct {
	Rules    []Rule // nil: all
	State    State  // "" all
	Site     string // "" all
	Device   string // "" all
	From, To int64  // of OpenedAt, from inclusive, to exclusive; 0: no bound
	After    string // cursor of the page before
	Limit    int
}
