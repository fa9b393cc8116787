// Package lora is the formats tts and chirpstack of a source: it finds the
// device of a network's event in the inventory, and has it decoded by the
// profile that stands there.
package lora

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/lorawan"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// Decoder decodes the events of one network. It may be used by several
// goroutines.
type Decoder struct {
	parse     lorawan.Parse
	inventory func() *inventory.Version
	read      lorawan.Read

	// The session in which each device was heard last, for one that begins anew
	// may have the frame counters of the one before. What is not known any more
	// is taken for the same: then a frame within a minute of one with its number
	// is a copy of it.
	mu       sync.Mutex
	sessions map[string]string // of devices of the inventory
	frames   map[string]frame  // likewise: the last of each
}

// New returns the decoder of a network's events; inventory returns the newest
// version, read reads payloads.
func New(parse lorawan.Parse, inventory func() *inventory.Version, read lorawan.Read) *Decoder {
	return &Decoder{parse: parse, inventory: inventory, read: read, sessions: map[string]string{}, frames: map[string]frame{}}
}

// Decode makes readings of one event; the topic's device is not asked. What is
// no reading is in Refused, by name; an event that says nothing of a device is
// ignored and counted.
func (d *Decoder) Decode(_ string, payload []byte) wire.Decoded {
	e, err := d.parse(payload)
	if err != nil {
		return wire.Decoded{Refused: []city.Refusal{refusal(err, payload)}}
	}
	named := e.EUI
	if named == "" {
		named = e.ID
	}
	if e.Kind == lorawan.Other {
		return wire.Decoded{Ignored: 1, Device: named}
	}
	v := d.inventory()
	if v == nil {
		none := &wire.RefusedError{Reason: city.ReasonUnknownDevice, Detail: "no inventory is in force yet: see readyz, and retry this item then"}
		return wire.Decoded{Device: named, Refused: []city.Refusal{refusal(none, payload)}}
	}
	device := v.LoRaWAN(e.EUI, e.ID)
	if device == nil {
		return wire.Decoded{Device: named, Refused: []city.Refusal{refusal(unknown(&e, v), payload)}}
	}
	apart := d.meet(device.ID, &e)
	readings, err := lorawan.Readings(&e, device.ID, described(v, device), d.read)
	if err != nil {
		r := refusal(err, payload)
		r.At = city.SomeInt(e.At)
		if e.Kind == lorawan.Uplink && !e.Simulated {
			r.Seq = city.SomeInt(int64(e.FCnt))
		}
		return wire.Decoded{Device: device.ID, Refused: []city.Refusal{r}}
	}
	if d.another(device.ID, e.Session) || apart {
		for i := range readings {
			readings[i].Frame = false
		}
	}
	return wire.Decoded{Device: device.ID, Readings: readings}
}

// another notes a device's session and tells whether it was in another before.
func (d *Decoder) another(device, session string) bool {
	if session == "" || session == "/" {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.sessions[device]
	if before != session {
		d.sessions[device] = strings.Clone(session)
	}
	return before != "" && before != session
}

func refusal(err error, payload []byte) city.Refusal {
	if refused, ok := errors.AsType[*wire.RefusedError](err); ok {
		return city.Refusal{Reason: refused.Reason, Detail: err.Error(), Raw: payload}
	}
	return city.Refusal{Reason: city.ReasonDecoderFailed, Detail: err.Error(), Raw: payload}
}

// unknown says which device spoke, and proposes its line.
func unknown(e *lorawan.Event, v *inventory.Version) error {
	name := clip(e.ID)
	if known := v.Device(e.ID); known != nil {
		return &wire.RefusedError{Reason: city.ReasonUnknownDevice, Detail: fmt.Sprintf(
			"the network's device %s has eui %s, in devices.csv it is %s: correct it, reload, and retry this item", name, e.EUI, known.EUI)}
	}
	if name == "" {
		name = e.EUI
	}
	return &wire.RefusedError{Reason: city.ReasonUnknownDevice, Detail: fmt.Sprintf(
		"device %s with eui %s is not in devices.csv: add a line like id,kind,site,profile,eui = %s,spot,SITE,PROFILE,%s, reload, and retry this item", name, orNone(e.EUI), name, e.EUI)}
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// clip bounds what a stranger's name puts into a text.
func clip(s string) string {
	const most = 64
	s = strings.ToValidUTF8(s, "?")
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

var kinds = map[inventory.DeviceKind]city.Kind{
	inventory.DeviceSpot: city.KindSpot, inventory.DeviceGate: city.KindGate, inventory.DeviceCount: city.KindCount,
	inventory.DeviceTraffic: city.KindTraffic, inventory.DeviceMeter: city.KindReceipt,
}

// described is what the inventory says of a device, as the decoders need it.
func described(v *inventory.Version, d *inventory.Device) *vendors.Device {
	out := &vendors.Device{Profile: d.Profile, Kind: kinds[d.Kind], Class: d.Class, PeriodS: uint32(d.IntervalS), Categories: d.Categories}
	if s := v.Segment(d.Segment); s != nil {
		out.Lanes = s.DirectionLanes()
	}
	return out
}
