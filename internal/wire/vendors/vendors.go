package vendors

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

// Device is what the inventory says of a device.
type Device struct {
	Profile    string
	Kind       city.Kind  // what it measures; a counter may be a gate or traffic
	Class      city.Class // of a gate; ClassNone: not limited to one
	PeriodS    uint32     // how often it reports, s; 0: not known
	Lanes      int        // of its direction, which a counter sees as one; 0: not known
	Categories []Vehicle  // what a radar's categories 1.. stand for; none: not told
}

// Vehicle is a class of PKJI 2023.
type Vehicle uint8

// The classes; what is Unknown counts as KR.
const (
	Unknown Vehicle = iota
	SM
	KR
	KB
	KTB
)

// MaxCategories is how many categories a radar has.
const MaxCategories = 4

// ParseVehicle returns the class of that name: SM, KR, KB, KTB or unknown.
func ParseVehicle(name string) (Vehicle, bool) {
	i := slices.Index([]string{"unknown", "SM", "KR", "KB", "KTB"}, name)
	return Vehicle(max(i, 0)), i >= 0
}

// Said is what one payload says: at most one state, and what the device says
// of itself beside it, nil where it says nothing.
type Said struct {
	Spot    *city.Spot
	Gate    *city.Gate    // Count is what Total grew by: to be found by who knows the one before
	Count   *city.Count   // of codecs only
	Traffic *city.Traffic // as Gate
	Health  *city.Health
	At      city.Int // when it was so, Unix ms, by the device's own clock; of codecs only
	More    []Said   // the states beside the first, of codecs only: each has one, and no Health
}

// Profile is one kind of device that can be read.
type Profile struct {
	About string      // vendor and model
	Kinds []city.Kind // that devices.csv may give it

	decode func(d *Device, port uint8, p []byte) (Said, error)
}

var (
	places   = []city.Kind{city.KindSpot}
	counters = []city.Kind{city.KindGate, city.KindTraffic}
	roads    = []city.Kind{city.KindTraffic}
)

var profiles = map[string]Profile{
	"bosch-tps110":           {"Bosch TPS110 parking sensor", places, bosch},
	"bosch-tpl110":           {"Bosch TPL110 parking sensor", places, bosch},
	"nwave-nps310sm":         {"nwave NPS310SM parking sensor", places, nps310},
	"nwave-nps405":           {"nwave NPS405 parking sensor", places, nps405},
	"nwave-nps405-old":       {"nwave NPS405 parking sensor, state in the highest bit", places, nps405Old},
	"nwave-ncc405":           {"nwave NCC405 vehicle counter; as a gate: of vehicles that come in", counters, ncc405},
	"nwave-ncc405-out":       {"nwave NCC405 vehicle counter at an exit", []city.Kind{city.KindGate}, ncc405Out},
	"dingtek-do20x":          {"Dingtek DO200, DO201, DO202 parking sensor", places, dingtek},
	"pni-placepod":           {"PNI PlacePod parking sensor", places, placepod},
	"libelium-smart-parking": {"Libelium Smart Parking v3", places, libelium},
	"tekzitel-tekzipark":     {"Tekzitel Tekzipark parking sensor", places, tekzipark},
	"parametric-tcr":         {"Parametric (PMX) TCR traffic radar", roads, tcr},
}

// Find returns the profile of that name.
func Find(name string) (Profile, bool) {
	p, ok := profiles[name]
	return p, ok
}

// Names returns the names of all profiles, sorted.
func Names() []string { return slices.Sorted(maps.Keys(profiles)) }

// Decode reads one payload that came on a port of LoRaWAN. Errors are
// *wire.RefusedError: no_profile where the device has none that is known,
// bad_payload where the bytes are none of it, impossible_value where they say
// what cannot be.
func Decode(d *Device, port uint8, payload []byte) (Said, error) {
	profile, ok := profiles[d.Profile]
	switch {
	case d.Profile == "":
		return Said{}, &wire.RefusedError{Reason: city.ReasonNoProfile, Detail: "its line in devices.csv has no profile: fill it in (" + strings.Join(Names(), ", ") + "), reload, and retry this item"}
	case !ok:
		return Said{}, &wire.RefusedError{Reason: city.ReasonNoProfile, Detail: fmt.Sprintf("there is no profile %q: use one of %s", d.Profile, strings.Join(Names(), ", "))}
	}
	said, err := profile.decode(d, port, payload)
	if err == nil {
		err = impossible(&said)
	}
	if err != nil {
		return Said{}, fmt.Errorf("%s: %w", d.Profile, err)
	}
	return said, nil
}

// impossible holds what was said to the limits that all formats share.
func impossible(s *Said) error {
	var temperature, battery city.Milli
	if s.Spot != nil {
		temperature, battery = s.Spot.Temperature, s.Spot.Battery
	}
	if s.Health != nil && !battery.OK {
		battery = s.Health.Battery
	}
	switch {
	case temperature.OK && (temperature.V < wire.MinTemperature || temperature.V > wire.MaxTemperature):
		return &wire.RefusedError{Reason: city.ReasonImpossible, Detail: fmt.Sprintf("it says %d degrees Celsius: check the sensor, and the profile in devices.csv", temperature.V/1000)}
	case battery.OK && battery.V > wire.MaxBattery:
		return &wire.RefusedError{Reason: city.ReasonImpossible, Detail: fmt.Sprintf("it says %d V of its battery: check the profile in devices.csv", battery.V/1000)}
	}
	return nil
}

func refuse(format string, args ...any) error {
	return &wire.RefusedError{Reason: city.ReasonBadPayload, Detail: fmt.Sprintf(format, args...)}
}

func unknownPort(port uint8) error {
	return refuse("port %d is none of this device: check the profile in devices.csv", port)
}

func tooShort(p []byte, need int) error {
	return refuse("%d bytes where at least %d are needed: check the profile in devices.csv", len(p), need)
}

// firmware joins the parts of a version.
func firmware(parts ...byte) string {
	var b []byte
	for i, part := range parts {
		if i > 0 {
			b = append(b, '.')
		}
		b = fmt.Append(b, part)
	}
	return string(b)
}

func degrees(b byte) city.Milli { return city.SomeMilli(int64(int8(b)) * 1000) }

func u16(p []byte) uint16 { return uint16(p[0])<<8 | uint16(p[1]) }
