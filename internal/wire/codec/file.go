package codec

import (
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// File is the file of codecs as people write it.
type File struct {
	Codecs []VendorFile `yaml:"codecs"`
}

// VendorFile is one vendor's codec.
type VendorFile struct {
	Profile   string        `yaml:"profile"`    // as devices.csv names it
	About     string        `yaml:"about"`      // vendor and model, for people
	File      string        `yaml:"file"`       // the JavaScript, relative to this file
	SHA256    string        `yaml:"sha256"`     // of that file, hex; then no other is run
	TimeLimit string        `yaml:"time_limit"` // of one call, in time of the processor; default 50ms
	Readings  []ReadingFile `yaml:"readings"`
}

// ReadingFile is one reading that may come of a payload. Each member is an
// expression over data, port, bytes and warnings.
type ReadingFile struct {
	Kind string `yaml:"kind"` // spot, gate, count, traffic, health
	When string `yaml:"when"` // whether this payload tells it; default: each does
	At   string `yaml:"at"`   // the device's own time; default: the network's

	Occupied     string `yaml:"occupied"`      // spot: true or false; count: vehicles
	DwellS       string `yaml:"dwell_s"`       // spot
	TemperatureC string `yaml:"temperature_c"` // spot
	BatteryV     string `yaml:"battery_v"`     // spot, health
	BatteryPct   string `yaml:"battery_pct"`   // health
	UptimeS      string `yaml:"uptime_s"`      // health
	Firmware     string `yaml:"firmware"`      // health
	Errors       string `yaml:"errors"`        // health: a text or a list of texts
	Direction    string `yaml:"direction"`     // gate: in or out
	Class        string `yaml:"class"`         // gate, count
	Count        string `yaml:"count"`         // gate: vehicles, default 1
	Total        string `yaml:"total"`         // gate: a counter that never goes back, instead of count
	TotalEnd     string `yaml:"total_end"`     // gate: where total begins at 0 again, 65536; without it a fall is a reset
	PeriodS      string `yaml:"period_s"`      // traffic; default interval_s of devices.csv

	Lanes          []LaneFile `yaml:"lanes"`           // traffic
	WholeDirection bool       `yaml:"whole_direction"` // traffic: its lanes are all that a direction has, however many the road has
}

// LaneFile is one lane of a traffic reading.
type LaneFile struct {
	Lane         int    `yaml:"lane"`      // default 1
	Direction    string `yaml:"direction"` // forward (default), backward: a word, no expression
	SM           string `yaml:"SM"`
	KR           string `yaml:"KR"`
	KB           string `yaml:"KB"`
	KTB          string `yaml:"KTB"`
	Unknown      string `yaml:"unknown"`
	Total        string `yaml:"total"` // a counter that never goes back, instead of the classes
	SpeedKmh     string `yaml:"speed_kmh"`
	OccupancyPct string `yaml:"occupancy_pct"`
}

// Problem is one fault of a file of codecs.
type Problem struct {
	Path    string // of the key, codecs[0].readings[1].when
	Message string // what is wrong, and what to do
}

// Codec is one codec, ready for use.
type Codec struct {
	Profile string
	About   string
	File    string // as written
	SHA256  string // of the script; "": any
	Limit   time.Duration
	Kinds   []city.Kind // that its readings may have, health apart
	Mapping *Mapping
}

// The members of a reading by its kind; those with a star it must have.
var members = map[city.Kind][]string{
	city.KindSpot:    {"*occupied", "at", "battery_v", "dwell_s", "temperature_c"},
	city.KindGate:    {"*direction", "at", "class", "count", "total", "total_end"},
	city.KindCount:   {"*occupied", "at", "class"},
	city.KindTraffic: {"*lanes", "at", "period_s", "whole_direction"},
	city.KindHealth:  {"battery_pct", "battery_v", "errors", "firmware", "uptime_s"},
}

// given returns the members that a reading names, by their keys.
func (f *ReadingFile) given() map[string]string {
	all := map[string]string{
		"at": f.At, "occupied": f.Occupied, "dwell_s": f.DwellS, "temperature_c": f.TemperatureC, "battery_v": f.BatteryV, "battery_pct": f.BatteryPct,
		"uptime_s": f.UptimeS, "firmware": f.Firmware, "errors": f.Errors, "direction": f.Direction, "class": f.Class, "count": f.Count, "total": f.Total, "total_end": f.TotalEnd,
		"period_s": f.PeriodS,
	}
	if len(f.Lanes) > 0 {
		all["lanes"] = "-"
	}
	if f.WholeDirection {
		all["whole_direction"] = "-"
	}
	for name, text := range all {
		if text == "" {
			delete(all, name)
		}
	}
	return all
}
