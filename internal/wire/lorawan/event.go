package lorawan

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

// Kind is what an event is about.
type Kind uint8

// The kinds of event. Other is what says nothing of the device: downlinks,
// logs, places.
const (
	Other Kind = iota
	Uplink
	Join
	Status
)

// Event is what a network says of one device. What it does not say is zero.
type Event struct {
	Kind       Kind
	EUI        string // DevEUI, 16 upper-case hex digits
	ID         string // the network's name of the device
	At         int64  // the network's time of receipt, Unix ms
	Session    string // names the session; it changes with a join
	Dedup      string // what the network calls the frame, whichever gateways heard it; "" where it has no name for it
	FCnt       uint32 // frame counter
	Port       uint8
	Payload    []byte
	RSSI       city.Milli // dBm
	SNR        city.Milli // dB
	BatteryPct city.Milli // per cent
	Simulated  bool       // made in the network's console
	Model      string     // what the network calls this kind of device: brand and model, or its profile
}

// Parse reads one message of a network. Errors are *wire.RefusedError.
type Parse func(payload []byte) (Event, error)

func refuse(reason city.Reason, detail string) error {
	return &wire.RefusedError{Reason: reason, Detail: detail}
}

// unmarshal reads the one JSON object that a payload is. Unknown members are
// what a network added since: they are passed over.
func unmarshal(payload []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(payload)))
	err := d.Decode(into)
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return refuse(city.ReasonWrongType, kind.Field+" has a wrong type: is the source's format that of its network?")
	case err != nil && strings.Contains(err.Error(), "base64"):
		return refuse(city.ReasonWrongType, "the frame's payload is no base64")
	case err != nil:
		return refuse(city.ReasonNotJSON, "no JSON object, or cut off: is the source's format that of its network?")
	}
	if _, err = d.Token(); !errors.Is(err, io.EOF) {
		return refuse(city.ReasonNotJSON, "something stands behind the JSON object")
	}
	return nil
}

// eui returns a DevEUI as the inventory keeps it, "" where it is none.
func eui(text string) string {
	text = strings.ToUpper(text)
	if len(text) != 16 || strings.Trim(text, "0123456789ABCDEF") != "" {
		return ""
	}
	return text
}

// instant returns the first of the times that can be read, Unix ms.
func instant(times ...string) (ms int64, err error) {
	given := false
	for _, text := range times {
		if text == "" {
			continue
		}
		given = true
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil && t.UnixMilli() >= 0 {
			return t.UnixMilli(), nil
		}
	}
	if given {
		return 0, refuse(city.ReasonWrongType, "the time of receipt is not RFC 3339")
	}
	return 0, refuse(city.ReasonMissingMember, "there is no time of receipt")
}

// earliest returns the first of several times in RFC 3339, "" for none.
func earliest(times []string) string {
	var first time.Time
	text := ""
	for _, s := range times {
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil && (text == "" || t.Before(first)) {
			first, text = t, s
		}
	}
	return text
}

// heard is what one gateway says of how it heard a frame.
type heard struct {
	RSSI *float64 `json:"rssi"`
	SNR  *float64 `json:"snr"`
}

// hear takes the signal of the gateway that heard best.
func (e *Event) hear(h heard) {
	if h.RSSI == nil || *h.RSSI*1000 < wire.MinRSSI || *h.RSSI*1000 > wire.MaxRSSI {
		return
	}
	rssi := city.MilliOf(*h.RSSI)
	if e.RSSI.OK && rssi.V <= e.RSSI.V {
		return
	}
	e.RSSI, e.SNR = rssi, city.Milli{}
	const possible = 100 // dB
	if h.SNR != nil && *h.SNR > -possible && *h.SNR < possible {
		e.SNR = city.MilliOf(*h.SNR)
	}
}
