// Package inventory is the folder that city staff edit: sites, segments,
// devices, accounts, tariffs and the rest of contract section 5. It is loaded
// strictly, checked whole, and versioned in the journal.
package inventory

import (
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/tariff"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// Version is one loaded inventory. It is immutable.
type Version struct {
	Hash  string            // of the list of files, hex SHA-256
	Files map[string][]byte // name -> content as read

	Sites      []*Site    // sorted by ID, as are all of these
	Segments   []*Segment //
	Devices    []*Device  //
	Accounts   []Account  // sorted by Account, From
	Targets    []Target
	Operators  []Operator
	Attendants []Attendant
	Holidays   []Holiday
	Closures   []Closure
	Tariffs    tariff.Book
	Agencies   []Agency
	Services   []Service // of complaints, in the order of the file
	PKJI       *PKJI
	Rules      *Rules // of the detectors; never nil
	Revenue    RevenueRules

	Zone *time.Location // the city's

	Warnings []Fault // what is allowed, and perhaps not meant
	foreign  []foreign

	sites    map[string]*Site
	segments map[string]*Segment
	devices  map[string]*Device
	euis     map[string]*Device
	bySite   map[string][]*Device
	bySegm   map[string][]*Device
	days     map[string]bool // public holidays, YYYY-MM-DD
	closed   *closureIndex   // of Closures
}

// Site returns the site of that id, nil if there is none.
func (v *Version) Site(id string) *Site { return v.sites[id] }

// Segment returns the segment of that id, nil if there is none.
func (v *Version) Segment(id string) *Segment { return v.segments[id] }

// Device returns the device of that id, nil if there is none.
func (v *Version) Device(id string) *Device { return v.devices[id] }

// LoRaWAN returns the device of a DevEUI (16 upper-case hex digits), or of an id
// that has none in devices.csv; "" is none. It is nil if there is none.
func (v *Version) LoRaWAN(eui, id string) *Device {
	if d := v.euis[eui]; d != nil {
		return d
	}
	if d := v.devices[id]; d != nil && (d.EUI == "" || eui == "") {
		return d
	}
	return nil
}

// SiteDevices returns the devices of a site, sorted by id.
func (v *Version) SiteDevices(site string) []*Device { return v.bySite[site] }

// SegmentDevices returns the devices whose `segment` is this one; backward
// lanes of the opposite's devices feed it too.
func (v *Version) SegmentDevices(segment string) []*Device { return v.bySegm[segment] }

// LatLon is a position, degrees, WGS 84.
type LatLon struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// SiteKind is on_street or off_street.
type SiteKind string

// The kinds of site.
const (
	OnStreet  SiteKind = "on_street"
	OffStreet SiteKind = "off_street"
)

// Levy says which law's money a site's is.
type Levy string

// The levies: retribusi street and special places, and the PBJT tax.
const (
	LevyStreet  Levy = "street"
	LevySpecial Levy = "special"
	LevyPBJT    Levy = "pbjt"
)

// Detection is how a site's occupancy is measured.
type Detection string

// The ways of detection.
const (
	DetectSpots Detection = "spots"
	DetectGates Detection = "gates"
	DetectCount Detection = "count"
)

// Site is a parking place.
type Site struct {
	ID           string
	Name         string
	Kind         SiteKind
	Address      string
	Kecamatan    string
	Kelurahan    string
	Segment      string // id, "" where it lies on none
	Operator     string // id in operators.csv
	NOPD         string // tax object
	Levy         Levy
	Tariff       string // id in tariffs.yaml
	OpeningHours string // OSM syntax, as written
	Detection    Detection
	Capacity     map[city.Class]int
	Classes      []city.Class // the keys of Capacity in the order of city.Classes
	ResetAt      string       // HH:MM in the city's zone, "" never
	Shared       []city.Class // classes that use one space; their capacity is that of the first of them
	KerbLengthM  float64
	Observed     map[city.Class]float64 // share that sensors can see, 0..1; absent: 1
	Accessible   int                    // accessible places
	Payment      []string
	Restrictions []string
	Official     bool
	Location     LatLon // of a line or polygon a point on or in it
	Geometry     []byte // the GeoJSON geometry as written

	hours *OpeningHours // nil: none given
}

// Segment is one direction of a road between two junctions.
type Segment struct {
	ID           string
	Name         string
	Direction    string
	Opposite     string
	RoadType     string // 2/2-TT, 4/2-T, 6/2-T, 8/2-T, one_way
	Lanes        int
	LaneWidthM   float64 // 0: not given
	WidthM       float64 // 0: not given; 2/2-TT: both directions together
	Split        string  // 50-50 ..
	SideFriction string  // SR, R, S, T, ST
	Edge         string  // shoulder, kerb
	EdgeWidthM   float64
	FreeFlowKmh  float64
	RoadClass    string
	LengthM      float64  // of the line
	Line         []LatLon // the line
	Geometry     []byte   // as written
}

// DirectionLanes returns the lanes of the segment's own direction: those of the
// file, but for a number that is the type's of both directions, which is halved.
func (s *Segment) DirectionLanes() int {
	byType := map[string]int{Road22TT: 1, Road42T: 2, Road62T: 3, Road82T: 4}[s.RoadType]
	if s.Lanes <= 0 || s.Lanes == 2*byType {
		return max(byType, 1)
	}
	return s.Lanes
}

// DeviceKind is what devices.csv calls a device.
type DeviceKind string

// The kinds of device.
const (
	DeviceSpot    DeviceKind = "spot"
	DeviceGate    DeviceKind = "gate"
	DeviceCount   DeviceKind = "count"
	DeviceTraffic DeviceKind = "traffic"
	DeviceMeter   DeviceKind = "meter"
)

// Device is one sensor, counter, gate or meter.
type Device struct {
	ID         string
	Kind       DeviceKind
	Site       string
	Spot       string
	Segment    string
	Class      city.Class // ClassNone: not limited to one
	Profile    string
	EUI        string
	IntervalS  int // 0: not given
	Note       string
	Accessible bool // our own column: the spot is an accessible one, in the class's capacity

	Categories []vendors.Vehicle // our own column: what a radar's categories 1.. stand for
}

// Sends tells whether a device of this kind may send readings of kind k.
// Every device may send health.
func (d *Device) Sends(k city.Kind) bool {
	switch k {
	case city.KindHealth:
		return true
	case city.KindSpot:
		return d.Kind == DeviceSpot
	case city.KindGate:
		return d.Kind == DeviceGate
	case city.KindCount:
		return d.Kind == DeviceCount
	case city.KindTraffic:
		return d.Kind == DeviceTraffic
	case city.KindReceipt:
		return d.Kind == DeviceMeter
	default:
		return false
	}
}

// Account is a kode rekening from a date on. Rate (PBJT) or Share (retribusi
// by contract) in millionths, so that no float touches money; -1: not given.
type Account struct {
	Account  string
	Name     string
	Levy     Levy
	Agency   string
	RatePPM  int64
	SharePPM int64
	From     string // YYYY-MM-DD, "" always
}

// Target is what an account should bring.
type Target struct {
	Year    int
	Month   int // 0: the year
	Account string
	Site    string
	Budget  string // murni, perubahan
	Target  city.Rupiah
}

// Operator runs sites and may be a taxpayer.
type Operator struct{ ID, Name, NPWPD string }

// Attendant works at a site between two dates (YYYY-MM-DD, "" open).
type Attendant struct{ ID, Site, Collector, From, To string }

// Holiday is a day or span of days (YYYY-MM-DD, both inclusive).
type Holiday struct {
	Date    string
	Until   string // "" the same day
	Kind    string // national, cuti_bersama, ramadan, lebaran, school
	Name    string
	Working bool
}

// Closure is a closure of a site or segment from closures.csv. From and Until
// in Unix ms; RRule repeats it with the same length (RFC 5545, in the city's
// zone), Except lists days (YYYY-MM-DD) on which it does not hold.
type Closure struct {
	ID         string // our own column, else made of the content: stable for the same content
	Site       string
	Segment    string
	From       int64
	Until      int64 // 0: open end
	RRule      string
	Except     []string
	Reason     string // flood, event, works, cfd
	Note       string // of those set over the API
	PlacesLost city.Int
}

// Agency is an SKPD: an office, no private person.
type Agency struct {
	ID       string
	Name     string
	PIC      string // an office's title, not a person's name
	Duties   []string
	Services []string
	Contact  string
}
