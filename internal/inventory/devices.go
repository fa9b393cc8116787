package inventory

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

var deviceColumns = []column{
	{"id", true},
	{"kind", true},
	{"site", false},
	{"spot", false},
	{"segment", false},
	{"class", false},
	{"profile", false},
	{"eui", false},
	{"interval_s", false},
	{"note", false},
	{"accessible", false},
	{"categories", false},
}

// MaxInterval is the longest interval_s that a device may have.
const MaxInterval = 7 * 24 * time.Hour

const maxIntervalS = int64(MaxInterval / time.Second)

func (p *parser) readDevices() {
	euis := map[string]int{}
	ids := map[string]int{}
	for _, r := range p.readTable(fileDevices, deviceColumns).rows {
		d := &Device{
			ID:   r.id("id"),
			Kind: DeviceKind(r.word("kind", string(DeviceSpot), string(DeviceGate), string(DeviceCount), string(DeviceTraffic), string(DeviceMeter))),
			Site: r.text("site"), Spot: r.checked("spot", checkID), Segment: r.text("segment"),
			Profile: r.checked("profile", checkID), EUI: r.checked("eui", checkEUI), Note: r.text("note"), Accessible: r.yes("accessible"),
		}
		if r.text("kind") == "" {
			r.need("kind")
		}
		if name := r.text("class"); name != "" {
			class, wrong := parseSiteClass(name)
			if wrong != "" {
				r.fault("class %s", wrong)
			}
			d.Class = class
		}
		if n, ok := r.whole("interval_s", 1, maxIntervalS); ok {
			d.IntervalS = int(n)
		}
		if d.EUI != "" {
			d.EUI = plainEUI(d.EUI)
			r.twice(euis, d.EUI, "eui "+d.EUI)
			p.v.euis[d.EUI] = d
		}
		p.profile(r, d)
		if d.ID == "" || r.twice(ids, d.ID, "device "+d.ID) {
			continue
		}
		p.devices[d.ID] = r
		p.v.devices[d.ID] = d
		p.v.Devices = append(p.v.Devices, d)
		p.place(r, d)
	}
	p.spots()
}

// profile checks that a device's payloads can be read as what it is.
func (p *parser) profile(r row, d *Device) {
	for word := range strings.FieldsSeq(strings.ReplaceAll(r.text("categories"), ",", " ")) {
		v, ok := vendors.ParseVehicle(word)
		if !ok {
			r.fault("categories has %q: write SM, KR, KB, KTB or unknown, one for each category of the radar", short(word))
		}
		d.Categories = append(d.Categories, v)
	}
	if len(d.Categories) > vendors.MaxCategories {
		r.fault("categories names %d: a radar has %d", len(d.Categories), vendors.MaxCategories)
	}
	found, ok := vendors.Find(d.Profile)
	switch {
	case !ok && d.Profile != "":
		p.v.foreign = append(p.v.foreign, foreign{d, r.line})
	case ok && d.Kind != "" && !slices.ContainsFunc(found.Kinds, d.Sends):
		r.fault("profile %s is a %s, but device %s is a %s: correct the kind or the profile", d.Profile, found.About, d.ID, d.Kind)
	}
}

// place checks where a device stands, and fills in what follows from there.
func (p *parser) place(r row, d *Device) {
	if d.Segment != "" && p.v.segments[d.Segment] == nil {
		r.fault("segment %s of device %s is not in %s: correct it or add the segment", short(d.Segment), d.ID, fileSegments)
	}
	if d.Kind == DeviceTraffic {
		if d.Segment == "" {
			r.fault("device %s counts traffic on no segment: fill in segment", d.ID)
		}
		if d.Site != "" {
			r.fault("device %s counts traffic and names a site: remove the site", d.ID)
		}
		return
	}
	if d.Kind == "" {
		return
	}
	if d.Site == "" {
		r.fault("device %s of kind %s stands at no site: fill in site", d.ID, d.Kind)
		return
	}
	site := p.v.sites[d.Site]
	if site == nil {
		r.fault("site %s of device %s is not in %s: correct it or add the site", short(d.Site), d.ID, fileSites)
		return
	}
	if _, ok := site.Capacity[d.Class]; !ok && d.Class != city.ClassNone {
		r.fault("device %s is for class %s, which site %s has no capacity for: correct the class or the site's capacity", d.ID, d.Class, site.ID)
	}
	p.detects(r, d, site)
	if d.Kind == DeviceSpot {
		p.spotOf(r, d, site)
	}
}

var detectionOf = map[DeviceKind]Detection{DeviceSpot: DetectSpots, DeviceGate: DetectGates, DeviceCount: DetectCount}

// detects checks that a site is measured one way only; where it does not say
// which, its first device does.
func (p *parser) detects(r row, d *Device, site *Site) {
	way, ok := detectionOf[d.Kind]
	switch {
	case !ok:
	case site.Detection == "" && !p.sites[site.ID].has("detection"):
		site.Detection = way
	case site.Detection != way && site.Detection != "":
		r.fault("device %s is a %s, but site %s is measured by %s: correct the kind, the site or its detection", d.ID, d.Kind, site.ID, site.Detection)
	}
}

// spotOf completes a spot sensor: its place is its id where none is named, its
// class the only one of the site.
func (p *parser) spotOf(r row, d *Device, site *Site) {
	if d.Spot == "" && r.text("spot") == "" {
		d.Spot = d.ID
	}
	if d.Class != city.ClassNone || r.text("class") != "" || len(site.Classes) == 0 {
		return
	}
	if len(site.Classes) == 1 || len(site.Shared) == len(site.Classes) {
		d.Class = site.spaceOf(site.Classes[0])
		return
	}
	r.fault("device %s has no class, and site %s has several: fill in class", d.ID, site.ID)
}

// spaceOf returns the class whose capacity a class uses: of classes that share
// one space the first, else itself.
func (s *Site) spaceOf(class city.Class) city.Class {
	if slices.Contains(s.Shared, class) {
		return s.Shared[0]
	}
	return class
}

// ObservedShare returns the share of a class's places that sensors can see, 0
// to 1; 1 where none is given.
func (s *Site) ObservedShare(class city.Class) float64 {
	if share, ok := s.Observed[class]; ok {
		return share
	}
	return 1
}

// spots checks the spot sensors of each site together.
func (p *parser) spots() {
	type key struct {
		site  string
		class city.Class
	}
	places, sensors, accessible := map[string]int{}, map[key]int{}, map[string]int{}
	for _, d := range p.v.Devices {
		site := p.v.sites[d.Site]
		if d.Kind != DeviceSpot || site == nil {
			continue
		}
		r := p.devices[d.ID]
		if d.Spot != "" && r.twice(places, d.Site+"/"+d.Spot, fmt.Sprintf("spot %s of site %s", d.Spot, d.Site)) {
			continue
		}
		k := key{d.Site, site.spaceOf(d.Class)}
		sensors[k]++
		if n, ok := site.Capacity[k.class]; ok && sensors[k] == n+1 {
			r.fault("site %s has more spot sensors for %s than its %d places: correct its capacity or the device's class", d.Site, k.class, n)
		}
		if d.Accessible {
			accessible[d.Site]++
		}
	}
	for _, site := range p.v.Sites {
		f := p.sites[site.ID]
		if n := accessible[site.ID]; n > site.Accessible {
			if f.has("accessible") {
				f.fault("accessible", "accessible is %d, but %d spot sensors stand on accessible places: correct one of them", site.Accessible, n)
			} else {
				site.Accessible = n
			}
		}
		if site.Detection == "" {
			site.Detection = DetectSpots
		}
		for _, class := range site.Classes {
			places, n := site.Capacity[class], sensors[key{site.ID, class}]
			seen := int(float64(places) * site.ObservedShare(class))
			if site.Detection == DetectSpots && site.spaceOf(class) == class && n < seen {
				f.warn("capacity", "%d of %d places for %s have a spot sensor: the others stay unknown; add sensors, or say so in `observed`", n, places, class)
			}
		}
	}
}

var euiPattern = regexp.MustCompile(`^[0-9A-F]{16}$`)

func plainEUI(s string) string {
	return strings.NewReplacer("-", "", ":", "").Replace(strings.ToUpper(s))
}

func checkEUI(s string) string {
	if !euiPattern.MatchString(plainEUI(s)) {
		return fmt.Sprintf("is %q: write the 16 hex digits of the DevEUI", short(s))
	}
	return ""
}
