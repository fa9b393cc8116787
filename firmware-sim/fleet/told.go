package fleet

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// remembered is how many commands a device knows again.
const remembered = 16

// told is what a device is told to do (docs/devices.md).
type told struct {
	V       int             `json:"v"`
	ID      string          `json:"id"`
	Cmd     string          `json:"cmd"`
	At      time.Time       `json:"at"`
	Expires time.Time       `json:"expires_at"`
	Sent    time.Time       `json:"sent_at"`
	Args    json.RawMessage `json:"args"`
}

// answered is what a device said of a command.
type answered struct {
	id  string
	ack []byte
}

// Told has a device do what came on its down topic, and returns what it says of
// it for its up topic; nil: it says nothing, being dead, deaf, on a serial line,
// or told nothing that it understands. A command that it knows is answered again
// and not done again. It may be called beside Next.
func (f *Fleet) Told(device string, payload []byte) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := f.devices[device]
	var t told
	if d == nil || d.deaf || d.format == message.Frames || d.isDead(f.now) || json.Unmarshal(payload, &t) != nil || t.V != 1 || t.ID == "" {
		return nil
	}
	for _, a := range d.told {
		if a.id == t.ID {
			return a.ack
		}
	}
	ok, detail := d.does(&t)
	f.o.Truth.Line(truth.Line{What: truth.Command, Device: device, Kind: t.Cmd, At: f.now})
	ack := native.EncodeAck(&wire.Ack{ID: t.ID, OK: ok, Detail: detail})
	d.told = append(d.told, answered{t.ID, ack})
	if len(d.told) > remembered {
		d.told = d.told[1:]
	}
	return ack
}

// does does what a device is told.
func (d *device) does(t *told) (ok bool, detail string) {
	at := d.f.now
	if !t.Expires.IsZero() && t.Sent.After(t.Expires) {
		return false, "it has expired"
	}
	switch t.Cmd {
	case "time":
		off := d.clock(at) - at
		d.fix += off
		d.lastAt = 0
		return true, fmt.Sprintf("the clock was off by %d ms", off)
	case "reboot":
		d.f.at(at, func(at int64) {
			if !d.isDead(at) {
				d.boots(at)
			}
		})
		return true, "boots now"
	case "tariff":
		var table struct {
			Tariff   string `json:"tariff"`
			Versions []struct {
				ID string `json:"id"`
			} `json:"versions"`
		}
		if json.Unmarshal(t.Args, &table) != nil || len(table.Versions) == 0 {
			return false, "no tariff table"
		}
		if t.At.Before(d.tariffAt) {
			return false, "holds a table that was ordered later: " + d.tariff
		}
		var ids []string
		for _, v := range table.Versions {
			ids = append(ids, v.ID)
		}
		d.tariff, d.tariffAt = strings.Join(ids, " "), t.At
		return true, "holds " + d.tariff
	}
	return false, "does not know " + t.Cmd
}
