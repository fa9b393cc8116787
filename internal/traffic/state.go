// Package traffic follows the journal and knows how each road segment flows:
// flow, speed, degree of saturation and level of service by PKJI 2023.
//
// The present is a function of the samples, the inventory and the clock (the
// newest receive time of the journal) alone, so that neither the order of
// readings nor a restart changes it:
//
//   - A lane's window is the 15 minutes before its newest sample, by the
//     device's clock; flow is of the time in it that was counted. It is too old
//     3 x the longer of the device's interval and period after that sample.
//   - A late reading counts where its time lies: in the window if it lies
//     there, else in the roll-ups only.
//   - A direction's flow is known when every lane is: a lane without data makes
//     the quality partial and the flow unset, never low. The speed is then of
//     the lanes that are seen. Lanes count from the lowest that was ever heard.
//   - Where several devices see one lane, the one that covers more of the
//     window (of the five minutes, in roll-ups) holds, then the first by id.
//   - A level of service gets worse at its bound and better 0.02 under it; what
//     was before is looked up in the last half hour, gaps forget it.
//   - A road whose last two periods were driven at under half of free flow
//     while the counted ratio is under 1 is oversaturated. A period without
//     vehicles under a detector covered half the time or more is passed over.
//   - The trend compares the window with the one before, by flow; where the
//     road is oversaturated by speed, a falling one being a rising trend.
//
// Roll-ups are exact whole numbers for each device, lane and five minutes;
// a period over several is spread by time, largest remainders first.
package traffic

import "github.com/simpang-id/simpang/internal/city"

// SegmentState is the present of one segment, over the last 15 minutes. What
// was not measured is unset. It is a value: changing it changes nothing.
type SegmentState struct {
	ID          string
	Status      string     // open, closed, limited
	FlowVPH     city.Milli // vehicles/h
	FlowSMPH    city.Milli // smp/h
	CapacitySMP city.Milli // smp/h; for 2/2-TT both directions together
	DJ          city.Milli // degree of saturation; unset when oversaturated
	DJCounted   city.Milli // the counted ratio
	Regime      string     // free, dense, oversaturated, "" unknown
	SpeedKmh    city.Milli
	FreeFlowKmh city.Milli
	TTI         city.Milli
	Index       city.Milli // 0..10
	LOS         string     // A..F, "" unknown
	LOSPM96     string     // A..F, "" unknown
	Trend       string     // rising, steady, falling, "" unknown
	Quality     string     // none, stale, partial, live
	ObservedAt  int64      // Unix ms, 0 never
	Source      string     // the table used
	Rev         uint64     // grows when anything but age changed
}

// Congestion is the city's present.
type Congestion struct {
	Index      city.Milli     // weighted by vehicle-km; unset where nothing was measured
	Levels     map[string]int // LOS letter -> segments; "unknown" for the rest
	Worst      []SegmentState // at most ten, worst first; only measured ones
	ObservedAt int64
}

// HistoryPoint is one step of a segment.
type HistoryPoint struct {
	T        int64 // Unix ms, begin of the step
	FlowVPH  city.Milli
	FlowSMPH city.Milli
	SpeedKmh city.Milli
	DJ       city.Milli
	Coverage city.Milli // 0..1
}
