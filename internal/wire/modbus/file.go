package modbus

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// File is a map as people write it.
type File struct {
	Timeout string     `yaml:"timeout"` // of one answer; default 1s
	Retries *int       `yaml:"retries"` // after a question without a good answer; default 1
	Every   string     `yaml:"every"`   // between two polls of a unit; default 10s
	Units   []UnitFile `yaml:"units"`
}

// UnitFile is one unit on the line.
type UnitFile struct {
	Unit      int            `yaml:"unit"`   // its address, 1 to 247
	Device    string         `yaml:"device"` // id in devices.csv
	Kind      string         `yaml:"kind"`   // spot, gate, count, traffic, health
	Every     string         `yaml:"every"`  // default that of the file
	Registers []RegisterFile `yaml:"registers"`
}

// RegisterFile is one value of a unit.
type RegisterFile struct {
	Function  string   `yaml:"function"`  // coil, discrete, holding, input
	Register  int      `yaml:"register"`  // its number on the wire: the first is 0
	Type      string   `yaml:"type"`      // bool, uint16, int16, uint32, int32, uint64, float32; default uint16, of coils bool
	Bit       *int     `yaml:"bit"`       // of a register as bool: 0 is the lowest
	Words     string   `yaml:"words"`     // of several registers: high_first (default), low_first
	Scale     *float64 `yaml:"scale"`     // times the value; default 1; -1 turns a bool around
	Unknown   []int64  `yaml:"unknown"`   // values that stand for no measurement
	Means     string   `yaml:"means"`     // what it is, by the kind of the unit
	Class     string   `yaml:"class"`     // count and gate
	Lane      int      `yaml:"lane"`      // traffic, default 1
	Direction string   `yaml:"direction"` // traffic: forward (default), backward
}

// Problem is one fault of a map.
type Problem struct {
	Path    string // of the key, units[0].registers[1].type
	Message string // what is wrong, and what to do
}

// means is what a register may mean, by the kind of its unit. What is true of
// those is a counter that only grows; readings get its differences.
var means = map[city.Kind]map[string]bool{
	city.KindSpot:    {"occupied": false, "battery_v": false, "temperature_c": false},
	city.KindGate:    {"in": true, "out": true},
	city.KindCount:   {"occupied": false},
	city.KindTraffic: {"SM": true, "KR": true, "KB": true, "KTB": true, "unknown": true, "speed_kmh": false, "occupancy_pct": false},
	city.KindHealth:  {"battery_v": false, "uptime_s": false},
}

var functions = map[string]byte{"coil": Coils, "discrete": Discretes, "holding": Holding, "input": Input}

// words is how many registers a type takes.
var words = map[string]int{"bool": 1, "uint16": 1, "int16": 1, "uint32": 2, "int32": 2, "uint64": 4, "float32": 2}

// The bounds of a map.
const (
	maxUnits     = 247
	maxRegisters = 500 // a unit
	maxEvery     = time.Hour
)

// Compile makes a map of a file, or tells all that is wrong.
func Compile(f *File) (*Map, []Problem) {
	c := &compiler{}
	m := &Map{Timeout: c.span("timeout", f.Timeout, time.Second, 10*time.Millisecond, time.Minute), Retries: 1}
	every := c.span("every", f.Every, 10*time.Second, 100*time.Millisecond, maxEvery)
	if f.Retries != nil {
		m.Retries = *f.Retries
		if m.Retries < 0 || m.Retries > 5 {
			c.fault("retries", "is %d: write 0 to 5", m.Retries)
		}
	}
	if len(f.Units) == 0 || len(f.Units) > maxUnits {
		c.fault("units", "has %d units: a line has 1 to %d", len(f.Units), maxUnits)
		return nil, c.problems
	}
	for i := range f.Units {
		at := fmt.Sprintf("units[%d]", i)
		u := &f.Units[i]
		for j := range i {
			if f.Units[j].Device == u.Device {
				c.fault(at+".device", "is that of units[%d]: give each its own, of one sequence of readings", j)
			}
		}
		m.Units = append(m.Units, c.unit(u, at, every))
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	return m, nil
}

type compiler struct{ problems []Problem }

func (c *compiler) fault(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{path, fmt.Sprintf(format, args...)})
}

func (c *compiler) span(path, text string, def, least, most time.Duration) time.Duration {
	if text == "" {
		return def
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < least || d > most {
		c.fault(path, "is %q: write a time span from %s to %s, like 5s", short(text), least, most)
		return def
	}
	return d
}

func (c *compiler) unit(f *UnitFile, at string, every time.Duration) Unit {
	u := Unit{Number: byte(f.Unit), Device: f.Device, Every: c.span(at+".every", f.Every, every, 100*time.Millisecond, maxEvery)}
	if f.Unit < 1 || f.Unit > maxUnits {
		c.fault(at+".unit", "is %d: write the unit's address, 1 to %d", f.Unit, maxUnits)
	}
	if f.Device == "" || len(f.Device) > 64 {
		c.fault(at+".device", "is missing or too long: name the unit's id in devices.csv")
	}
	kind, known := city.ParseKind(f.Kind)
	if known {
		_, known = means[kind]
	}
	if !known {
		c.fault(at+".kind", "is %q: write spot, gate, count, traffic or health", short(f.Kind))
		return u
	}
	u.Kind = kind
	if len(f.Registers) == 0 || len(f.Registers) > maxRegisters {
		c.fault(at+".registers", "has %d: name 1 to %d", len(f.Registers), maxRegisters)
		return u
	}
	for i := range f.Registers {
		u.registers = append(u.registers, c.register(&f.Registers[i], fmt.Sprintf("%s.registers[%d]", at, i), kind))
	}
	c.whole(&u, at)
	u.spans = spansOf(u.registers)
	return u
}

// whole checks that the registers of a unit make readings.
func (c *compiler) whole(u *Unit, at string) {
	seen := map[slot]int{}
	for i, r := range u.registers {
		if first, ok := seen[r.slot]; ok {
			c.fault(fmt.Sprintf("%s.registers[%d].means", at, i), "is that of registers[%d] too: keep one", first)
		}
		seen[r.slot] = i
	}
	if u.Kind == city.KindSpot && !slices.ContainsFunc(u.registers, func(r register) bool { return r.means == "occupied" }) {
		c.fault(at+".registers", "none means occupied, which a spot must say")
	}
}

func (c *compiler) register(f *RegisterFile, at string, kind city.Kind) register {
	r := register{start: uint16(f.Register), kind: f.Type, low: f.Words == "low_first", scale: 1, unknown: f.Unknown, slot: slot{means: f.Means}}
	var ok bool
	if r.function, ok = functions[f.Function]; !ok {
		c.fault(at+".function", "is %q: write coil, discrete, holding or input", short(f.Function))
	}
	bits := r.function == Coils || r.function == Discretes
	if r.kind == "" {
		r.kind = "uint16"
		if bits {
			r.kind = "bool"
		}
	}
	size, ok := words[r.kind]
	switch {
	case !ok:
		c.fault(at+".type", "is %q: write bool, uint16, int16, uint32, int32, uint64 or float32", short(f.Type))
	case bits && r.kind != "bool":
		c.fault(at+".type", "is %s, and a %s holds a bool", r.kind, f.Function)
	case f.Register < 0 || f.Register+size > 1<<16:
		c.fault(at+".register", "is %d: write its number on the wire, 0 to 65535 (40001 of a manual is mostly holding 0)", f.Register)
	}
	r.size = size
	if f.Words != "" && f.Words != "high_first" && f.Words != "low_first" {
		c.fault(at+".words", "is %q: write high_first or low_first", short(f.Words))
	}
	if f.Bit != nil {
		r.bit, r.hasBit = *f.Bit, true
		if r.kind != "bool" || bits || *f.Bit < 0 || *f.Bit > 15 {
			c.fault(at+".bit", "is %d: it is of a register of type bool, 0 to 15", *f.Bit)
		}
	}
	if f.Scale != nil {
		r.scale = *f.Scale
		if r.scale == 0 || math.Abs(r.scale) > 1e6 {
			c.fault(at+".scale", "is %g: write a number like 0.1, not 0", r.scale)
		}
	}
	c.meaning(f, &r, at, kind)
	return r
}

// meaning checks what a register means, and what belongs to that.
func (c *compiler) meaning(f *RegisterFile, r *register, at string, kind city.Kind) {
	counter, ok := means[kind][f.Means]
	if !ok {
		names := slices.Sorted(func(yield func(string) bool) {
			for name := range means[kind] {
				if !yield(name) {
					return
				}
			}
		})
		c.fault(at+".means", "is %q: of a %s write %s", short(f.Means), kind, strings.Join(names, ", "))
		return
	}
	r.counter = counter
	if counter && (r.kind == "bool" || r.kind == "float32" || r.scale != math.Trunc(r.scale) || r.scale < 0) {
		c.fault(at+".type", "is %s times %g: a counter is whole, and so is its scale", r.kind, r.scale)
	}
	if kind == city.KindSpot && f.Means == "occupied" && r.kind != "bool" {
		c.fault(at+".type", "is %s: occupied is a bool (with bit for one of a register)", r.kind)
	}
	if kind == city.KindGate || kind == city.KindCount {
		class, ok := city.ParseClass(f.Class)
		if !ok {
			c.fault(at+".class", "is %q: write car, motorcycle, truck, bus, bicycle or unknown", short(f.Class))
		}
		r.class = class
	} else if f.Class != "" {
		c.fault(at+".class", "means nothing to a %s: remove it", kind)
	}
	switch {
	case kind == city.KindTraffic:
		r.lane, r.backward = max(f.Lane, 1), f.Direction == "backward"
		if f.Lane < 0 || f.Lane > 64 {
			c.fault(at+".lane", "is %d: write 1 to 64", f.Lane)
		}
		if f.Direction != "" && f.Direction != "forward" && f.Direction != "backward" {
			c.fault(at+".direction", "is %q: write forward or backward", short(f.Direction))
		}
	case f.Lane != 0 || f.Direction != "":
		c.fault(at+".lane", "and direction mean nothing to a %s: remove them", kind)
	}
}

func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "..."
	}
	return s
}
