// Package replay makes device messages of a CSV of real observations, by a
// mapping of its columns (docs/firmware-sim.md).
package replay

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	_ "time/tzdata" // zones must be there on a bare machine too

	"go.yaml.in/yaml/v3"

	"github.com/simpang-id/simpang/internal/city"
)

// Mapping is one map file.
type Mapping struct {
	Kind      string             `yaml:"kind"`      // spot, gate, count, traffic or receipt
	Delimiter string             `yaml:"delimiter"` // of the CSV, default a comma
	Device    Device             `yaml:"device"`
	Time      Time               `yaml:"time"`
	Values    map[string]Value   `yaml:"values"` // member of contract section 2 -> where it is from
	Lanes     []map[string]Value `yaml:"lanes"`  // traffic: a lane each; counts by SM, KR, KB, KTB, unknown
	Where     map[string]string  `yaml:"where"`  // only rows whose column has this text

	kind city.Kind
	zone *time.Location
}

// Device says which device a row is of.
type Device struct {
	Fixed    string `yaml:"fixed"`    // all rows
	Column   string `yaml:"column"`   // or the text of a column
	Template string `yaml:"template"` // around it: "count-{value}"; lower: true makes it small
	Lower    bool   `yaml:"lower"`
}

// Time says when a row was observed.
type Time struct {
	Columns []string `yaml:"columns"` // joined by a space
	Layout  string   `yaml:"layout"`  // of Go's time package; "unix" and "unix_ms" are numbers
	Zone    string   `yaml:"zone"`    // where the text names none; default UTC
}

// Value is where a member is from: a column, or the same for all rows.
type Value struct {
	Column string            `yaml:"column"`
	Fixed  string            `yaml:"fixed"`
	Map    map[string]string `yaml:"map"`    // text of the column -> value; others as they are
	Absent []string          `yaml:"absent"` // texts that stand for no value, beside the empty one
}

// members are those that a kind may have, and whether they are text, numbers
// or booleans in JSON.
var members = map[city.Kind]map[string]byte{
	city.KindSpot:    {"occupied": 'b', "dwell_s": 'n', "battery_v": 'n', "temperature_c": 'n', "rssi_dbm": 'n'},
	city.KindGate:    {"direction": 't', "class": 't', "count": 'n'},
	city.KindCount:   {"class": 't', "occupied": 'n'},
	city.KindTraffic: {"period_s": 'n'},
	city.KindReceipt: {"receipt": 't', "amount": 'n', "method": 't', "class": 't', "void": 'b', "total_count": 'n', "total_amount": 'n'},
}

// laneMembers are those of a lane; the upper ones are counts.
var laneMembers = map[string]byte{
	"lane": 'n', "direction": 't', "speed_kmh": 'n', "occupancy_pct": 'n',
	"SM": 'c', "KR": 'c', "KB": 'c', "KTB": 'c', "unknown": 'c',
}

// LoadMapping reads a map file. The error names the file and every fault.
func LoadMapping(name string) (*Mapping, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("map: %w", err)
	}
	m, err := ParseMapping(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// ParseMapping reads a mapping strictly and tells every fault at once.
func ParseMapping(text []byte) (*Mapping, error) {
	m := &Mapping{Delimiter: ","}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(m); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("map: %w", err)
	}
	return m, m.check()
}

func (m *Mapping) check() error {
	var faults []error
	say := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	var ok bool
	if m.kind, ok = city.ParseKind(m.Kind); !ok || members[m.kind] == nil {
		say("kind is %q: use spot, gate, count, traffic or receipt", m.Kind)
	}
	if len([]rune(m.Delimiter)) != 1 {
		say("delimiter is %q: use one character", m.Delimiter)
	}
	if (m.Device.Fixed == "") == (m.Device.Column == "") {
		say("device: give fixed or column")
	}
	if m.Device.Template != "" && !strings.Contains(m.Device.Template, "{value}") {
		say("device.template has no {value}")
	}
	if len(m.Time.Columns) == 0 || m.Time.Layout == "" {
		say("time: give columns and layout")
	}
	var err error
	if m.zone, err = time.LoadLocation(m.Time.Zone); err != nil {
		say("time.zone %q is not known: use a name such as Europe/London", m.Time.Zone)
	}
	for name, v := range m.Values {
		if ok && members[m.kind][name] == 0 {
			say("values.%s is no member of %s", name, m.Kind)
		}
		v.check("values."+name, say)
	}
	if (len(m.Lanes) > 0) != (m.kind == city.KindTraffic) {
		say("lanes: give them for traffic, and for nothing else")
	}
	for i, lane := range m.Lanes {
		for name, v := range lane {
			if laneMembers[name] == 0 {
				say("lanes %d: %s is no member of a lane", i+1, name)
			}
			v.check(fmt.Sprintf("lanes %d: %s", i+1, name), say)
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}

func (v Value) check(name string, say func(string, ...any)) {
	if (v.Column == "") == (v.Fixed == "") {
		say("%s: give column or fixed", name)
	}
}

// columns lists every column that the mapping needs.
func (m *Mapping) columns() []string {
	need := slices.Clone(m.Time.Columns)
	add := func(name string) {
		if name != "" && !slices.Contains(need, name) {
			need = append(need, name)
		}
	}
	add(m.Device.Column)
	for _, v := range m.Values {
		add(v.Column)
	}
	for _, lane := range m.Lanes {
		for _, v := range lane {
			add(v.Column)
		}
	}
	for name := range m.Where {
		add(name)
	}
	return need
}
