package api

import "github.com/simpang-id/simpang/internal/city"

// Segment is one direction of a road as it is now, over 15 minutes. What was
// not measured is null.
type Segment struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Direction    TextOrNull `json:"direction"`
	Status       string     `json:"status" enum:"open,closed,limited"`
	FlowVPH      city.Milli `json:"flow_vph" doc:"vehicles/h"`
	FlowSMPH     city.Milli `json:"flow_smp_h" doc:"light vehicle units/h (PKJI 2023)"`
	CapacitySMPH city.Milli `json:"capacity_smp_h"`
	DJ           city.Milli `json:"dj" doc:"degree of saturation; null when oversaturated"`
	DJCounted    city.Milli `json:"dj_counted" doc:"the counted ratio"`
	Regime       TextOrNull `json:"regime" enum:"free,dense,oversaturated"`
	SpeedKmh     city.Milli `json:"speed_kmh"`
	FreeFlowKmh  city.Milli `json:"free_flow_kmh"`
	TTI          city.Milli `json:"tti" doc:"travel time index"`
	Index        city.Milli `json:"index" doc:"0..10: 10 x (1 - v/vf)"`
	LOS          TextOrNull `json:"los" enum:"A,B,C,D,E,F"`
	LOSPM96      TextOrNull `json:"los_pm96" enum:"A,B,C,D,E,F"`
	Trend        TextOrNull `json:"trend" enum:"rising,steady,falling"`
	Quality      string     `json:"quality" enum:"none,stale,partial,live"`
	ObservedAt   TimeOrNull `json:"observed_at"`
	AgeS         city.Int   `json:"age_s"`
	Source       TextOrNull `json:"source" doc:"the table used"`
}

// Congestion is the city's roads as they are now.
type Congestion struct {
	Index      city.Milli     `json:"index" doc:"0..10, weighted by vehicle-km; null: nothing measured"`
	Levels     map[string]int `json:"levels" doc:"level of service -> segments; unknown for the rest"`
	Worst      []Segment      `json:"worst" doc:"at most ten, the worst first"`
	ObservedAt TimeOrNull     `json:"observed_at"`
	AgeS       city.Int       `json:"age_s"`
}

// TrafficPoint is one step of a segment.
type TrafficPoint struct {
	T        Time       `json:"t" doc:"begin of the step"`
	FlowVPH  city.Milli `json:"flow_vph"`
	FlowSMPH city.Milli `json:"flow_smp_h"`
	SpeedKmh city.Milli `json:"speed_kmh"`
	DJ       city.Milli `json:"dj"`
	Coverage float64    `json:"coverage" minimum:"0" maximum:"1"`
}

// TrafficHistory is how a segment flowed.
type TrafficHistory struct {
	Segment string         `json:"segment"`
	StepS   int64          `json:"step_s"`
	Points  []TrafficPoint `json:"points"`
}
