// Package scenario is the YAML file that says what a simulated city does
// (docs/firmware-sim.md).
package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/simpang-id/simpang/internal/city"
)

// Scenario is one file with its defaults filled in.
type Scenario struct {
	Inventory string        `yaml:"inventory"` // folder, relative to the file
	Timezone  string        `yaml:"timezone"`
	Start     time.Time     `yaml:"start"`    // zero: so that it ends now
	Duration  time.Duration `yaml:"duration"` // zero: no end
	History   time.Duration `yaml:"history"`  // without start and duration, and speed over 1: how far back it begins
	Seed      uint64        `yaml:"seed"`
	Speed     *float64      `yaml:"speed"` // 0: as fast as acknowledged

	Devices  Devices  `yaml:"devices"`
	Parking  Parking  `yaml:"parking"`
	Payments Payments `yaml:"payments"`
	Traffic  Traffic  `yaml:"traffic"`
	Faults   Faults   `yaml:"faults"`
	Bank     Bank     `yaml:"bank"`
	Planted  Planted  `yaml:"planted"`
	Days     Days     `yaml:"days"`

	Zone *time.Location `yaml:"-"`
}

// Devices says what devices are like.
type Devices struct {
	NoBoot      float64       `yaml:"no_boot"`      // share that does not count its boots
	BatteryV    float64       `yaml:"battery_v"`    // of a new battery
	BatteryDays float64       `yaml:"battery_days"` // until it is empty at 3.0 V
	Health      time.Duration `yaml:"health"`       // between two health readings; 0: none
	Deaf        float64       `yaml:"deaf"`         // share that never answers a command
	Serial      []string      `yaml:"serial"`       // patterns of ids that are on the serial line where both are given
}

// Day is 24 factors, one an hour of the day; only their ratios count.
type Day []float64

// Parking says who parks.
type Parking struct {
	Warm     bool                  `yaml:"warm"`     // places are taken at the start already, gates excepted
	Overfull float64               `yaml:"overfull"` // share of those turned away from gates and counts who park all the same
	Weekend  float64               `yaml:"weekend"`  // factor of arrivals on Saturday and Sunday
	Mood     float64               `yaml:"mood"`     // how days differ: standard deviation of the logarithm
	Classes  ParkingClasses        `yaml:"classes"`
	Sites    map[string]SiteDemand `yaml:"sites"` // by id, else by kind
}

// ParkingClasses is the demand by class of vehicle.
type ParkingClasses struct {
	Car        ParkingClass `yaml:"car"`
	Motorcycle ParkingClass `yaml:"motorcycle"`
	Truck      ParkingClass `yaml:"truck"`
	Bus        ParkingClass `yaml:"bus"`
	Bicycle    ParkingClass `yaml:"bicycle"`
	Unknown    ParkingClass `yaml:"unknown"`
}

// Of returns the demand of one class.
func (p *ParkingClasses) Of(class city.Class) *ParkingClass {
	switch class {
	case city.Car:
		return &p.Car
	case city.Motorcycle:
		return &p.Motorcycle
	case city.Truck:
		return &p.Truck
	case city.Bus:
		return &p.Bus
	case city.Bicycle:
		return &p.Bicycle
	case city.ClassUnknown, city.ClassNone:
	}
	return &p.Unknown
}

// ParkingClass is the demand of one class of vehicle.
type ParkingClass struct {
	Turnover float64       `yaml:"turnover"` // arrivals a place and day
	Median   time.Duration `yaml:"median"`   // of the log-normal length of stay
	Sigma    float64       `yaml:"sigma"`    // of its logarithm
	Arrivals Day           `yaml:"arrivals"`
}

// SiteDemand changes the demand of some sites.
type SiteDemand struct {
	Turnover *float64 `yaml:"turnover"` // factor on the class's
	Median   *float64 `yaml:"median"`   // factor on the class's
	Arrivals Day      `yaml:"arrivals"` // instead of the class's
}

// Payments says how stays are paid; shares are 0..1.
type Payments struct {
	Unpaid       float64            `yaml:"unpaid"`  // stays without a receipt
	Void         float64            `yaml:"void"`    // receipts voided within minutes
	Reprint      float64            `yaml:"reprint"` // receipts printed twice
	Subscription float64            `yaml:"subscription"`
	LostTicket   float64            `yaml:"lost_ticket"`
	Plate        float64            `yaml:"plate"`   // receipts that carry a (made up) plate
	Methods      map[string]float64 `yaml:"methods"` // weights, of those that the site takes
}

// Traffic says what flows.
type Traffic struct {
	Volume   float64        `yaml:"volume"` // degree of saturation in the peak hour, typical segment
	Spread   float64        `yaml:"spread"` // how segments differ: standard deviation of the logarithm
	Weekend  float64        `yaml:"weekend"`
	Mood     float64        `yaml:"mood"` // how days differ: standard deviation of the logarithm
	Classes  TrafficClasses `yaml:"classes"`
	JamSpeed float64        `yaml:"jam_speed_kmh"`
	JamShare float64        `yaml:"jam_capacity"` // what is left of the capacity in a jam
	JamFor   time.Duration  `yaml:"jam_for"`      // median length
}

// TrafficClasses is the flow by the classes of PKJI 2023.
type TrafficClasses struct {
	SM  TrafficClass `yaml:"SM"`
	KR  TrafficClass `yaml:"KR"`
	KB  TrafficClass `yaml:"KB"`
	KTB TrafficClass `yaml:"KTB"`
}

// All returns the classes in the order of the format.
func (t *TrafficClasses) All() [4]*TrafficClass { return [4]*TrafficClass{&t.SM, &t.KR, &t.KB, &t.KTB} }

// TrafficClass is the share of one class, and its day.
type TrafficClass struct {
	Share float64 `yaml:"share"` // of all vehicles
	Hours Day     `yaml:"hours"`
	Inner float64 `yaml:"inner"` // weight of the lane at the median against the kerb's 1
}

// Days is how days of Ramadan and Lebaran (holidays.csv) differ from others, by
// "ramadan" and "lebaran".
type Days map[string]Season

// MostParking is the largest factor of arrivals, 1 at least.
func (d Days) MostParking() float64 {
	most := 1.0
	for _, s := range d {
		most = max(most, s.Parking)
	}
	return most
}

// Season is how the days of a season differ from others.
type Season struct {
	Parking float64       `yaml:"parking"` // factor of arrivals
	Traffic float64       `yaml:"traffic"` // factor of those who want to pass
	Earlier time.Duration `yaml:"earlier"` // by so much the afternoon and evening come
}

// Faults are rates; 0 is off.
type Faults struct {
	Lost       float64       `yaml:"lost"`        // readings never sent
	Doubled    float64       `yaml:"doubled"`     // readings sent twice
	Late       float64       `yaml:"late"`        // readings sent after later ones
	LateBy     time.Duration `yaml:"late_by"`     // at most
	Corrupt    float64       `yaml:"corrupt"`     // readings whose payload is broken
	Conflict   float64       `yaml:"conflict"`    // readings followed by another one of the same number
	ClockWrong float64       `yaml:"clock_wrong"` // readings dated 1970 or 2099
	ClockDrift time.Duration `yaml:"clock_drift"` // standard deviation of a clock's drift a day
	Dead       float64       `yaml:"dead"`        // share of devices that die within a day
	Reboot     float64       `yaml:"reboot"`      // reboots a device and day
	Jam        float64       `yaml:"jam"`         // jams a segment and day
}

// Load reads a scenario file. The error names file and line.
func Load(name string) (*Scenario, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	s, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if !filepath.IsAbs(s.Inventory) {
		s.Inventory = filepath.Join(filepath.Dir(name), s.Inventory)
	}
	return s, nil
}

// Parse reads a scenario; unknown members are errors, every fault is told at
// once, and what is left out is as in Default.
func Parse(text []byte) (*Scenario, error) {
	s := Default()
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(s); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	return s, s.check()
}
