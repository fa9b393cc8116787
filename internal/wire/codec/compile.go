package codec

import (
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// The bounds of a file.
const (
	maxCodecs    = 100
	maxReadings  = 8 // a codec
	maxLanes     = 16
	defaultLimit = 50 * time.Millisecond
	leastLimit   = time.Millisecond
	mostLimit    = time.Second
)

// Load makes the codecs of a file, or tells all that is wrong with it. The
// scripts are another matter.
func Load(f *File) ([]Codec, []Problem) {
	c := &compiler{}
	if len(f.Codecs) == 0 || len(f.Codecs) > maxCodecs {
		c.fault("codecs", "has %d codecs: name 1 to %d", len(f.Codecs), maxCodecs)
		return nil, c.problems
	}
	var all []Codec
	seen := map[string]int{}
	for i := range f.Codecs {
		at := fmt.Sprintf("codecs[%d]", i)
		codec := c.codec(&f.Codecs[i], at)
		if first, ok := seen[codec.Profile]; ok {
			c.fault(at+".profile", "is %s, as that of codecs[%d]: give each its own", short(codec.Profile), first)
		}
		seen[codec.Profile] = i
		all = append(all, codec)
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	return all, nil
}

type compiler struct{ problems []Problem }

func (c *compiler) fault(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{path, fmt.Sprintf(format, args...)})
}

func (c *compiler) codec(f *VendorFile, at string) Codec {
	out := Codec{Profile: f.Profile, About: f.About, File: f.File, SHA256: strings.ToLower(f.SHA256), Limit: defaultLimit, Mapping: &Mapping{}}
	if out.About == "" {
		out.About = "device with a codec of its vendor"
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	switch _, builtIn := vendors.Find(f.Profile); {
	case f.Profile == "" || len(f.Profile) > 64 || strings.Trim(f.Profile, letters) != "":
		c.fault(at+".profile", "is %q: write the name that devices.csv uses, of letters, digits, dot, underscore and hyphen", short(f.Profile))
	case builtIn:
		c.fault(at+".profile", "is %s, which is built in: give the codec a name of its own", f.Profile)
	}
	if f.File == "" || filepath.Base(f.File) == "." {
		c.fault(at+".file", "is missing: name the vendor's JavaScript file")
	}
	if sum, err := hex.DecodeString(f.SHA256); err != nil || len(sum) != 0 && len(sum) != 32 {
		c.fault(at+".sha256", "is no SHA-256: write the 64 hex digits that sha256sum prints, or remove it")
	}
	if f.TimeLimit != "" {
		d, err := time.ParseDuration(f.TimeLimit)
		if err != nil || d < leastLimit || d > mostLimit {
			c.fault(at+".time_limit", "is %q: write a time span from %s to %s, like 50ms", short(f.TimeLimit), leastLimit, mostLimit)
		}
		out.Limit = d
	}
	if len(f.Readings) == 0 || len(f.Readings) > maxReadings {
		c.fault(at+".readings", "has %d: name 1 to %d", len(f.Readings), maxReadings)
	}
	for i := range f.Readings {
		r := c.reading(&f.Readings[i], fmt.Sprintf("%s.readings[%d]", at, i))
		if r == nil {
			continue
		}
		out.Mapping.readings = append(out.Mapping.readings, *r)
		if r.kind != city.KindHealth && !slices.Contains(out.Kinds, r.kind) {
			out.Kinds = append(out.Kinds, r.kind)
		}
	}
	if len(out.Kinds) == 0 && len(out.Mapping.readings) > 0 {
		out.Kinds = []city.Kind{city.KindSpot, city.KindGate, city.KindCount, city.KindTraffic}
	}
	return out
}

// reading makes a reading of its member's expressions, nil where its kind is
// none.
func (c *compiler) reading(f *ReadingFile, at string) *reading {
	kind, _ := city.ParseKind(f.Kind)
	known := members[kind]
	if known == nil {
		c.fault(at+".kind", "is %q: write spot, gate, count, traffic or health", short(f.Kind))
		return nil
	}
	r := &reading{kind: kind, path: relative(at), members: map[string]*value{}, whole: f.WholeDirection}
	given := f.given()
	for _, name := range known {
		plain := strings.TrimPrefix(name, "*")
		if plain != name && given[plain] == "" {
			c.fault(at, "has no %s, which a reading of kind %s must have: add it", plain, kind)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(known, name) && !slices.Contains(known, "*"+name) {
			c.fault(at+"."+name, "means nothing to kind %s: remove it (known: %s)", kind, strings.ReplaceAll(strings.Join(known, ", "), "*", ""))
			continue
		}
		if name != "lanes" && name != "whole_direction" {
			r.members[name] = c.member(at+"."+name, memberOf(kind, name), given[name])
		}
	}
	if f.When != "" {
		r.when = c.member(at+".when", boolean, f.When)
	}
	if given["count"] != "" && given["total"] != "" {
		c.fault(at+".total", "stands beside count, which is what it grew by: keep one")
	}
	if given["total_end"] != "" && given["total"] == "" {
		c.fault(at+".total_end", "stands without total, whose end it is: add total or remove it")
	}
	if kind == city.KindTraffic {
		c.lanes(r, f, at)
	}
	return r
}

func (c *compiler) lanes(r *reading, f *ReadingFile, at string) {
	if len(f.Lanes) > maxLanes {
		c.fault(at+".lanes", "has %d: name %d at most", len(f.Lanes), maxLanes)
	}
	type place struct {
		lane     uint16
		backward bool
	}
	seen, total := map[place]int{}, false
	for i := range f.Lanes {
		l := &f.Lanes[i]
		path := fmt.Sprintf("%s.lanes[%d]", at, i)
		p := place{uint16(max(l.Lane, 1)), l.Direction == "backward"}
		if l.Lane < 0 || l.Lane > 64 {
			c.fault(path+".lane", "is %d: write 1 to 64", l.Lane)
		}
		if l.Direction != "" && l.Direction != "forward" && l.Direction != "backward" {
			c.fault(path+".direction", "is %q: write forward or backward", short(l.Direction))
		}
		if first, ok := seen[p]; ok {
			c.fault(path, "is the lane of lanes[%d] too: keep one", first)
		}
		seen[p] = i
		one := lane{lane: p.lane, backward: p.backward}
		for _, m := range []struct {
			name, text string
			kind       memberKind
			into       **value
		}{
			{"SM", l.SM, vehicles, &one.classes[0]},
			{"KR", l.KR, vehicles, &one.classes[1]},
			{"KB", l.KB, vehicles, &one.classes[2]},
			{"KTB", l.KTB, vehicles, &one.classes[3]},
			{"unknown", l.Unknown, vehicles, &one.classes[4]},
			{"total", l.Total, total64, &one.total},
			{"speed_kmh", l.SpeedKmh, measured(0, wire.MaxSpeed), &one.speed},
			{"occupancy_pct", l.OccupancyPct, measured(0, wire.MaxOccupancy), &one.occupancy},
		} {
			if m.text != "" {
				*m.into = c.member(path+"."+m.name, m.kind, m.text)
			}
		}
		if one.total != nil {
			if total || one.classes != [5]*value{} {
				c.fault(path+".total", "stands beside another count: a reading has one total, and that lane no classes")
			}
			total = true
		}
		r.lanes = append(r.lanes, one)
	}
}

// member compiles an expression, and tries it where it asks for nothing.
func (c *compiler) member(path string, kind memberKind, text string) *value {
	v := &value{memberKind: kind, path: relative(path)}
	if slices.Contains(kind.words, text) {
		v.word = text
		return v
	}
	x, constant, err := compile(relative(path), text, kind.types()...)
	if err != nil {
		c.fault(path, "%v", err)
		return nil
	}
	v.expression = x
	if constant {
		if _, err := v.get(&env{}); err != nil {
			c.fault(path, "%s", strings.TrimLeft(strings.TrimPrefix(err.Error(), v.path), ": "))
		}
	}
	return v
}

// types are what an expression of this kind may be.
func (k *memberKind) types() []reflect.Kind {
	kinds := slices.Clone(k.kinds)
	return append(kinds, reflect.Invalid)
}

// relative leaves the place of the codec out of a path: refusals name its
// profile.
func relative(path string) string {
	if _, after, ok := strings.Cut(path, "]."); ok && strings.HasPrefix(path, "codecs[") {
		return after
	}
	return path
}

func number64(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
