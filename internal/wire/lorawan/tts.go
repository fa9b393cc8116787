package lorawan

import (
	"strings"

	"github.com/simpang-id/simpang/internal/city"
)

// The Things Stack v3, as its MQTT server publishes it.
type ttsMessage struct {
	IDs struct {
		Device  string `json:"device_id"`
		DevEUI  string `json:"dev_eui"`
		DevAddr string `json:"dev_addr"`
	} `json:"end_device_ids"`
	ReceivedAt string     `json:"received_at"`
	Simulated  bool       `json:"simulated"`
	Uplink     *ttsUplink `json:"uplink_message"`
	Join       *struct {
		Session    string `json:"session_key_id"`
		ReceivedAt string `json:"received_at"`
	} `json:"join_accept"`
}

type ttsUplink struct {
	Session    string `json:"session_key_id"`
	Port       uint8  `json:"f_port"`
	FCnt       uint32 `json:"f_cnt"`
	Payload    []byte `json:"frm_payload"`
	Simulated  bool   `json:"simulated"`
	ReceivedAt string `json:"received_at"`
	Version    struct {
		Brand string `json:"brand_id"`
		Model string `json:"model_id"`
	} `json:"version_ids"`
	Gateways []struct {
		heard
		Time string `json:"time"`
	} `json:"rx_metadata"`
}

// ParseTTS reads a message of The Things Stack v3. The time is that at which
// its network server received the frame, which every copy of the message
// shares; where it is missing, the earliest of a gateway's clock.
func ParseTTS(payload []byte) (Event, error) {
	var m ttsMessage
	if err := unmarshal(payload, &m); err != nil {
		return Event{}, err
	}
	e := Event{EUI: eui(m.IDs.DevEUI), ID: m.IDs.Device, Simulated: m.Simulated, Session: m.IDs.DevAddr}
	if e.EUI == "" && e.ID == "" {
		return Event{}, refuse(city.ReasonMissingMember, "end_device_ids names no device: is it a message of The Things Stack v3?")
	}
	var err error
	switch {
	case m.Uplink != nil:
		u := m.Uplink
		e.Kind, e.Port, e.FCnt, e.Payload = Uplink, u.Port, u.FCnt, u.Payload
		e.Simulated = e.Simulated || u.Simulated
		e.Session = u.Session + "/" + e.Session
		e.Model = strings.TrimSpace(u.Version.Brand + " " + u.Version.Model)
		var times []string
		for _, g := range u.Gateways {
			e.hear(g.heard)
			times = append(times, g.Time)
		}
		e.At, err = instant(u.ReceivedAt, earliest(times), m.ReceivedAt)
	case m.Join != nil:
		e.Kind, e.Session = Join, m.Join.Session+"/"+e.Session
		e.At, err = instant(m.Join.ReceivedAt, m.ReceivedAt)
	}
	return e, err
}
