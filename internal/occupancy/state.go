package occupancy

import "github.com/simpang-id/simpang/internal/city"

// Quality says how much an answer is worth (contract, "How numbers are made").
type Quality string

// The qualities, worst first.
const (
	QualityNone      Quality = "none"      // never heard
	QualityStale     Quality = "stale"     // all expired
	QualityPartial   Quality = "partial"   // some expired
	QualityEstimated Quality = "estimated" // by gates
	QualityLive      Quality = "live"
)

// State is what a driver wants to know first.
type State string

// The states of a class at a site.
const (
	StateClosed     State = "closed"
	StateUnknown    State = "unknown"
	StateFull       State = "full"
	StateAlmostFull State = "almost_full"
	StateOpen       State = "open"
)

// ClassState is one class at one site. Free and Occupied are unset where they
// are unknown; Capacity = Free + Occupied + Unknown but for an overfull site,
// whose Free is 0 and Occupied as counted.
type ClassState struct {
	Class    city.Class
	Capacity int
	Free     city.Int
	Occupied city.Int
	Unknown  int
	State    State
	Quality  Quality
}

// SiteState is the present of one site. It is a value: changing it changes
// nothing.
type SiteState struct {
	ID                 string
	Classes            []ClassState // in the order of the inventory's Site.Classes
	AccessibleCapacity int
	AccessibleFree     city.Int // unset where no sensor tells
	Quality            Quality  // the worst of the classes' but that any heard class lifts none and stale to partial
	Confidence         float64  // 0..1: share of the capacity that is known, lowered for estimates with age
	ObservedAt         int64    // Unix ms of the newest observation that counts, 0 never
	Closed             bool
	Rev                uint64 // grows when anything but age changed
}

// SpotState is the state of one place: free, occupied or unknown.
type SpotState struct {
	Spot       string
	Class      city.Class
	State      string
	ObservedAt int64 // Unix ms, 0 never
	Accessible bool
}

// HistoryPoint is one step of a site's class. Averages are over the time that
// is covered; unset where nothing is.
type HistoryPoint struct {
	T           int64 // Unix ms, begin of the step
	FreeAvg     city.Milli
	FreeMin     city.Int
	OccupiedAvg city.Milli
	Arrivals    city.Int
	Departures  city.Int
	Coverage    city.Milli // 0..1: share of the step in which the numbers were known
	Closed      city.Milli // 0..1: share of the step in which the site was closed; not part of what is normal
	Drift       city.Int   // gates: vehicles that left a site that was empty by the count
}
