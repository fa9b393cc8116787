package senml

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

// record is one record of a pack (RFC 8428, section 4).
type record struct {
	BaseName  *string  `json:"bn"`
	BaseTime  *float64 `json:"bt"`
	BaseUnit  *string  `json:"bu"`
	BaseValue *float64 `json:"bv"`
	Version   *float64 `json:"bver"`
	Name      string   `json:"n"`
	Unit      string   `json:"u"`
	Value     *float64 `json:"v"`
	Text      *string  `json:"vs"`
	Bool      *bool    `json:"vb"`
	Time      float64  `json:"t"`
}

const (
	maxVersion = 10      // section 4.4
	relative   = 1 << 28 // s: a time below is relative to now, section 4.5.3
	maxAt      = 253_402_300_799_999
)

// Decode makes readings of one pack from the topic of device; now (Unix ms) is
// what relative times are relative to, 0 where that is not known any more. It
// never fails: what is no reading is in Refused, by name. Raw is payload.
func Decode(device string, payload []byte, now int64) wire.Decoded {
	records, reason, detail := parse(payload)
	if reason != "" {
		return wire.Decoded{Refused: []city.Refusal{{Reason: reason, Detail: detail, Raw: payload}}}
	}
	d := decoder{payload: payload, device: device, now: now}
	for i := range records {
		d.record(i, &records[i])
	}
	for _, g := range d.groups {
		d.finish(g)
	}
	if len(d.out.Readings)+len(d.out.Refused) == 0 {
		d.refuse(0, city.ReasonMissingMember, "a pack without values: send at least one record with v, vb or vs")
	}
	return d.out
}

func parse(payload []byte) (records []record, reason city.Reason, detail string) {
	if len(payload) > wire.MaxPayload {
		return nil, city.ReasonTooLarge, "over 64 KiB: send smaller packs"
	}
	if first := bytes.TrimLeft(payload, " \t\r\n"); len(first) == 0 || first[0] != '[' {
		return nil, city.ReasonNotJSON, "no SenML: a pack is a JSON array of records"
	}
	var names []map[string]json.RawMessage
	if err := json.Unmarshal(payload, &names); err != nil {
		return nil, city.ReasonNotJSON, "no JSON array of objects, or cut off: send one whole"
	}
	for _, members := range names {
		for name := range members {
			if strings.HasSuffix(name, "_") { // section 4.4
				return nil, city.ReasonWrongType, "a member whose name ends in _ must be understood, and is not: leave it out"
			}
		}
	}
	if err := json.Unmarshal(payload, &records); err != nil {
		return nil, city.ReasonWrongType, "a member has another type than RFC 8428 gives it"
	}
	return records, "", ""
}

type decoder struct {
	payload []byte
	device  string
	now     int64
	out     wire.Decoded
	groups  []*group

	name  string
	time  float64
	unit  string
	value *float64
}

// group is what one device said of one time.
type group struct {
	device   string
	at       int64
	relative bool
	index    int // of its first record
	has      map[string]value
}

type value struct {
	number *float64
	text   *string
	yes    *bool
	unit   string
}

func (d *decoder) refuse(index int, reason city.Reason, detail string) {
	d.out.Refused = append(d.out.Refused, city.Refusal{Index: index, Reason: reason, Detail: detail, Raw: d.payload})
}

// record resolves a record with the base values before it.
func (d *decoder) record(i int, r *record) {
	if r.BaseName != nil {
		d.name = *r.BaseName
	}
	if r.BaseTime != nil {
		d.time = *r.BaseTime
	}
	if r.BaseUnit != nil {
		d.unit = *r.BaseUnit
	}
	if r.BaseValue != nil {
		d.value = r.BaseValue
	}
	if r.Version != nil && *r.Version > maxVersion {
		d.refuse(i, city.ReasonWrongType, "bver is over 10: this version of SenML is not known")
		return
	}
	v := value{number: r.Value, text: r.Text, yes: r.Bool, unit: r.Unit}
	if v.unit == "" {
		v.unit = d.unit
	}
	if d.value != nil && v.text == nil && v.yes == nil && (v.number != nil || r.Name != "") {
		sum := *d.value
		if v.number != nil {
			sum += *v.number
		}
		v.number = &sum
	}
	if v.number == nil && v.text == nil && v.yes == nil {
		if r.Name != "" {
			d.out.Ignored++
		}
		return // base values alone
	}
	device, member := split(d.name+r.Name, d.device)
	if device == "" || member == "" {
		d.refuse(i, city.ReasonMissingMember, "the name of a record must be device/member, like spot-a017/occupied")
		return
	}
	at, isRelative, ok := d.instant(d.time + r.Time)
	if !ok {
		d.refuse(i, city.ReasonImpossible, "a time cannot be read; relative ones cannot be retried, for it is not known any more to what")
		return
	}
	member, v = canonical(member, v)
	if _, known := members[member]; !known {
		d.out.Ignored++
		return
	}
	for _, g := range d.groups {
		if g.device == device && g.at == at {
			if _, twice := g.has[member]; twice {
				d.refuse(i, city.ReasonImpossible, member+" is there twice for one device and time")
				return
			}
			g.has[member] = v
			return
		}
	}
	d.groups = append(d.groups, &group{device: device, at: at, relative: isRelative, index: i, has: map[string]value{member: v}})
}

// split takes the device and the member off a name.
func split(name, topic string) (device, member string) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		i = strings.LastIndexByte(name, ':')
	}
	if i < 0 {
		return topic, name
	}
	device, member = name[:i], name[i+1:]
	if i = strings.LastIndexAny(device, "/:"); i >= 0 {
		device = device[i+1:]
	}
	return device, member
}

// instant makes Unix ms of a time in SenML.
func (d *decoder) instant(t float64) (ms int64, isRelative, ok bool) {
	if math.Abs(t) < relative {
		if d.now == 0 {
			return 0, true, false
		}
		return d.now + int64(math.Round(t*1000)), true, true
	}
	v := math.Round(t * 1000)
	if v < 0 || v > maxAt {
		return 0, false, false
	}
	return int64(v), false, true
}
