package lorawan

import (
	"encoding/json"

	"github.com/simpang-id/simpang/internal/city"
)

// ChirpStack v4, any event of its MQTT integration in JSON. Which one it is
// stands in the topic only; here it is known by its members.
type chirpMessage struct {
	Time   string `json:"time"`
	Device struct {
		DevEUI string `json:"devEui"`
		Name   string `json:"deviceName"`
		Model  string `json:"deviceProfileName"`
	} `json:"deviceInfo"`
	DevAddr string `json:"devAddr"`

	// up
	Dedup    string          `json:"deduplicationId"`
	FCnt     uint32          `json:"fCnt"`
	Port     uint8           `json:"fPort"`
	Data     []byte          `json:"data"`
	TxInfo   json.RawMessage `json:"txInfo"`
	Gateways []struct {
		heard
		Time   string `json:"gwTime"`
		NsTime string `json:"nsTime"`
	} `json:"rxInfo"`

	// status
	Margin      *int     `json:"margin"`
	External    bool     `json:"externalPowerSource"`
	Unavailable bool     `json:"batteryLevelUnavailable"`
	Battery     *float64 `json:"batteryLevel"`

	// the others
	Queued      string          `json:"queueItemId"`
	Downlink    json.RawMessage `json:"downlinkId"`
	Level       json.RawMessage `json:"level"`
	Location    json.RawMessage `json:"location"`
	Integration string          `json:"integrationName"`
}

func (m *chirpMessage) kind() Kind {
	switch {
	case m.Queued != "" || m.Downlink != nil || m.Level != nil || m.Location != nil || m.Integration != "":
		return Other
	case m.Margin != nil || m.Battery != nil || m.External || m.Unavailable:
		return Status
	case m.Gateways != nil || m.TxInfo != nil || m.Data != nil || m.Port != 0 || m.FCnt != 0:
		return Uplink
	case m.DevAddr != "":
		return Join
	}
	return Other
}

// ParseChirpStack reads an event of ChirpStack v4. A status event that names no
// margin and no battery says nothing and is Other.
func ParseChirpStack(payload []byte) (Event, error) {
	var m chirpMessage
	if err := unmarshal(payload, &m); err != nil {
		return Event{}, err
	}
	e := Event{Kind: m.kind(), EUI: eui(m.Device.DevEUI), ID: m.Device.Name, Session: m.DevAddr, Model: m.Device.Model}
	if e.EUI == "" && e.ID == "" {
		return Event{}, refuse(city.ReasonMissingMember, "deviceInfo names no device: is it an event of ChirpStack v4, in JSON?")
	}
	times := []string{}
	switch e.Kind {
	case Other:
		return e, nil
	case Uplink:
		e.Port, e.FCnt, e.Payload, e.Dedup = m.Port, m.FCnt, m.Data, m.Dedup
		for _, g := range m.Gateways {
			e.hear(g.heard)
			times = append(times, g.NsTime, g.Time)
		}
	case Status: // 0 stands for power from outside
		if m.Battery != nil && *m.Battery > 0 && *m.Battery <= 100 && !m.External && !m.Unavailable {
			e.BatteryPct = city.MilliOf(*m.Battery)
		}
	case Join:
	}
	var err error
	e.At, err = instant(m.Time, earliest(times))
	return e, err
}
