package onboard

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// leastGaps is how many silences between messages tell an interval.
const leastGaps = 4

// line says what of a line of devices.csv is known.
func (e *evidence) line(v *inventory.Version) Line {
	l := Line{ID: e.device, Note: "heard over " + strings.Join(e.sources, " ")}
	if e.network != nil {
		l.EUI = e.network.EUI
		l.ID = strings.ToLower(cmp.Or(e.network.Name, e.network.EUI))
		l.Profiles = e.profiles()
		l.Profile = named(e.network.Model, l.Profiles)
		if e.network.Model != "" {
			l.Note += ", " + e.network.Model
		}
	}
	if !inventory.ValidID(l.ID) || v != nil && v.Device(l.ID) != nil {
		l.ID = ""
	}
	l.Kind = e.kind(l.Profile)
	l.Class = e.class()
	l.IntervalS = interval(e.times)
	need := func(column, value string) {
		if value == "" {
			l.Missing = append(l.Missing, column)
		}
	}
	need("id", l.ID)
	need("kind", string(l.Kind))
	if l.Kind == inventory.DeviceTraffic {
		need("segment", "")
	} else {
		need("site", "")
	}
	if e.network != nil {
		need("profile", l.Profile)
	}
	return l
}

var kindOf = map[city.Kind]inventory.DeviceKind{
	city.KindSpot: inventory.DeviceSpot, city.KindGate: inventory.DeviceGate, city.KindCount: inventory.DeviceCount,
	city.KindTraffic: inventory.DeviceTraffic, city.KindReceipt: inventory.DeviceMeter,
}

// kind is what all readings but health agree on, or what a profile can only be.
func (e *evidence) kind(profile string) (kind inventory.DeviceKind) {
	for i := range e.readings {
		one, measures := kindOf[e.readings[i].Kind]
		switch {
		case !measures:
		case kind != "" && kind != one:
			return ""
		default:
			kind = one
		}
	}
	if p, ok := vendors.Find(profile); ok && kind == "" && len(p.Kinds) == 1 {
		kind = kindOf[p.Kinds[0]]
	}
	return kind
}

// class is what a gate or counter counts, where it counts one.
func (e *evidence) class() string {
	class := city.ClassNone
	for i := range e.readings {
		var one city.Class
		if r := &e.readings[i]; r.Gate != nil {
			one = r.Gate.Class
		} else if r.Count != nil {
			one = r.Count.Class
		} else {
			continue
		}
		if class != city.ClassNone && class != one {
			return ""
		}
		class = one
	}
	if !inventory.SiteClass(class) {
		return ""
	}
	return class.String()
}

// profiles returns every profile that reads all uplinks, and a state in one at
// least.
func (e *evidence) profiles() (fit []string) {
	if len(e.uplinks) == 0 {
		return nil
	}
	for _, name := range vendors.Names() {
		p, _ := vendors.Find(name)
		all, state := true, false
		for i := range e.uplinks {
			said, err := vendors.Decode(&vendors.Device{Profile: name, Kind: p.Kinds[0]}, e.uplinks[i].Port, e.uplinks[i].Payload)
			all = all && err == nil
			state = state || said.Spot != nil || said.Gate != nil || said.Traffic != nil
		}
		if all && state {
			fit = append(fit, name)
		}
	}
	return fit
}

// named returns the one profile that the network's own words name among those
// that read what came, "" where they name none or several.
func named(model string, fit []string) string {
	words := strings.FieldsFunc(strings.ToLower(model), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	found := ""
	for _, name := range fit {
		_, kind, _ := strings.Cut(name, "-") // bosch-tps110: the model alone names it
		if !slices.Contains(words, kind) && !strings.Contains(strings.Join(words, "-"), name) {
			continue
		}
		if found != "" {
			return ""
		}
		found = name
	}
	return found
}

// interval is what nine in ten silences between the messages do not exceed,
// seconds: sensors that tell changes at once are as often silent for as long as
// their heartbeat. 0 where too little was heard.
func interval(times []int64) int {
	times = slices.Clone(times)
	slices.Sort(times)
	times = slices.Compact(times)
	if len(times) <= leastGaps {
		return 0
	}
	gaps := make([]int64, 0, len(times)-1)
	for i := 1; i < len(times); i++ {
		gaps = append(gaps, times[i]-times[i-1])
	}
	slices.Sort(gaps)
	s := (gaps[(len(gaps)-1)*9/10] + 500) / 1000
	return int(min(max(s, 1), int64(inventory.MaxInterval/time.Second)))
}

// Columns are those of devices.csv that a proposed line has, in the order of
// Cells.
var Columns = []string{"id", "kind", "site", "spot", "segment", "class", "profile", "eui", "interval_s", "note"}

// Cells are the cells of the line under Columns.
func (l *Line) Cells() []string {
	every := ""
	if l.IntervalS > 0 {
		every = strconv.Itoa(l.IntervalS)
	}
	return []string{l.ID, string(l.Kind), "", "", "", l.Class, l.Profile, l.EUI, every, l.Note}
}
