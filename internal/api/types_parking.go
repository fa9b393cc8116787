package api

import (
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// SiteClass is one class of vehicle at a site.
type SiteClass struct {
	Class    string   `json:"class" enum:"car,motorcycle,truck,bus,bicycle,unknown"`
	Capacity int      `json:"capacity" doc:"places"`
	Free     city.Int `json:"free" doc:"null: not known"`
	Occupied city.Int `json:"occupied" doc:"null: not known; may exceed the capacity"`
	Unknown  int      `json:"unknown" doc:"places of which nothing recent is known"`
	State    string   `json:"state" enum:"closed,unknown,full,almost_full,open"`
	Quality  string   `json:"quality" enum:"none,stale,partial,estimated,live"`
}

// Accessible is the accessible places of a site.
type Accessible struct {
	Capacity int      `json:"capacity"`
	Free     city.Int `json:"free" doc:"null: no sensor tells"`
}

// Site is a parking place as it is now.
type Site struct {
	ID           string           `json:"id"`
	Name         string           `json:"name"`
	Kind         string           `json:"kind" enum:"on_street,off_street"`
	Location     inventory.LatLon `json:"location"`
	Address      TextOrNull       `json:"address"`
	Kecamatan    TextOrNull       `json:"kecamatan"`
	Segment      TextOrNull       `json:"segment" doc:"id of the road segment it lies on"`
	Classes      []SiteClass      `json:"classes"`
	Accessible   Accessible       `json:"accessible"`
	Quality      string           `json:"quality" enum:"none,stale,partial,estimated,live"`
	Confidence   float64          `json:"confidence" minimum:"0" maximum:"1"`
	ObservedAt   TimeOrNull       `json:"observed_at" doc:"the newest observation that counts; null: never"`
	AgeS         city.Int         `json:"age_s" doc:"seconds since observed_at; null: never"`
	Tariff       TextOrNull       `json:"tariff" doc:"id of the tariff"`
	Payment      []string         `json:"payment"`
	Restrictions []string         `json:"restrictions"`
	Official     bool             `json:"official"`
	OpeningHours TextOrNull       `json:"opening_hours" doc:"OSM syntax"`
}

// SiteSpot is one place of a site.
type SiteSpot struct {
	ID         string     `json:"id"`
	Class      TextOrNull `json:"class"`
	State      string     `json:"state" enum:"free,occupied,unknown"`
	Accessible bool       `json:"accessible"`
}

// SiteDetail is one site with its spots.
type SiteDetail struct {
	Site
	Spots []SiteSpot `json:"spots"`
}

// NearbySite is a site near a point.
type NearbySite struct {
	Site
	DistanceM      int        `json:"distance_m" doc:"as the crow flies, m"`
	WalkMin        float64    `json:"walk_min" doc:"distance x 1.3 / 80 m/min"`
	PFreeOnArrival city.Milli `json:"p_free_on_arrival" doc:"0..1; null until forecasts exist"`
	Price1h        city.Int   `json:"price_1h" doc:"rupiah for an hour from the arrival; null: no tariff"`
}

// ParkingPoint is one step of a site's class. Averages are over time.
type ParkingPoint struct {
	T           Time       `json:"t" doc:"begin of the step"`
	FreeAvg     city.Milli `json:"free_avg"`
	FreeMin     city.Int   `json:"free_min"`
	OccupiedAvg city.Milli `json:"occupied_avg"`
	Arrivals    city.Int   `json:"arrivals"`
	Departures  city.Int   `json:"departures"`
	Coverage    float64    `json:"coverage" minimum:"0" maximum:"1"`
	Closed      float64    `json:"closed" minimum:"0" maximum:"1" doc:"share of the step in which the site was closed"`
}

// ParkingHistory is what a site's class was.
type ParkingHistory struct {
	Site   string         `json:"site"`
	Class  string         `json:"class"`
	StepS  int64          `json:"step_s"`
	Points []ParkingPoint `json:"points"`
}
