package onboard

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/lorawan"
)

const (
	maxText   = 64 // bytes of a stranger's own words
	shownData = 32 // bytes of a payload
	shownLane = 4
)

// evidence is what the newest messages of one stranger say, the newest first.
type evidence struct {
	device   string
	sources  []string
	network  *Network
	samples  []Sample
	readings []city.Reading
	uplinks  []lorawan.Event
	times    []int64 // of each message that measures: the device's, else ours
}

// see takes in one item.
func (e *evidence) see(l *List, item *journal.Item) {
	sample := Sample{Recv: item.Recv, Reason: item.Reason}
	if parse := l.o.Network(item.Source, item.Raw); parse != nil {
		e.seeEvent(parse, item, &sample)
	} else if decoded := l.o.Decode(item.Source, item.Device, item.Raw); len(decoded.Readings) > 0 {
		r := &decoded.Readings[0]
		sample.Kind, sample.Says = r.Kind, says(r)
		e.readings = append(e.readings, *r)
		e.times = append(e.times, r.At)
	}
	e.samples = append(e.samples, sample)
}

func (e *evidence) seeEvent(parse lorawan.Parse, item *journal.Item, sample *Sample) {
	var event lorawan.Event
	failed := wire.Contain(item.Raw, func() wire.Decoded {
		var err error
		if event, err = parse(item.Raw); err != nil {
			return wire.Decoded{Refused: []city.Refusal{{}}}
		}
		return wire.Decoded{}
	})
	if len(failed.Refused) > 0 {
		return
	}
	if e.network == nil {
		e.network = &Network{EUI: event.EUI, Name: clip(event.ID)}
	}
	if e.network.Model == "" {
		e.network.Model = clip(event.Model)
	}
	sample.Says = signal(nil, event.RSSI, event.SNR)
	if event.Kind != lorawan.Uplink || event.Simulated {
		return
	}
	sample.Port = event.Port
	sample.Says = append([]Member{{"payload_hex", hex.EncodeToString(event.Payload[:min(len(event.Payload), shownData)])}}, sample.Says...)
	if event.Port > 0 && len(event.Payload) > 0 {
		e.uplinks = append(e.uplinks, event)
		e.times = append(e.times, event.At)
	}
}

// says tells what a reading says, without what could be of a person or tells
// what was paid.
func says(r *city.Reading) (m []Member) {
	switch {
	case r.Spot != nil:
		m = []Member{{"occupied", strconv.FormatBool(r.Spot.Occupied)}}
		m = measured(m, "battery_v", r.Spot.Battery)
		m = measured(m, "temperature_c", r.Spot.Temperature)
		m = signal(m, r.Spot.RSSI, r.Spot.SNR)
	case r.Gate != nil:
		direction := "in"
		if r.Gate.Out {
			direction = "out"
		}
		m = []Member{{"direction", direction}, {"class", r.Gate.Class.String()}, {"count", strconv.FormatUint(uint64(r.Gate.Count), 10)}}
	case r.Count != nil:
		m = []Member{{"class", r.Count.Class.String()}, {"occupied", strconv.FormatUint(uint64(r.Count.Occupied), 10)}}
	case r.Traffic != nil:
		m = []Member{{"period_s", strconv.FormatUint(uint64(r.Traffic.PeriodS), 10)}, {"lanes", strconv.Itoa(len(r.Traffic.Lanes))}}
		for _, lane := range r.Traffic.Lanes[:min(len(r.Traffic.Lanes), shownLane)] {
			vehicles := uint64(lane.SM) + uint64(lane.KR) + uint64(lane.KB) + uint64(lane.KTB) + uint64(lane.Unknown)
			m = append(m, Member{"lane_" + strconv.Itoa(int(lane.Lane)) + "_vehicles", strconv.FormatUint(vehicles, 10)})
		}
	case r.Receipt != nil:
		m = []Member{{"method", r.Receipt.Method.String()}, {"class", r.Receipt.Class.String()}}
	case r.Health != nil:
		m = measured(m, "battery_v", r.Health.Battery)
		m = measured(m, "battery_pct", r.Health.BatteryPct)
		m = signal(m, r.Health.RSSI, r.Health.SNR)
		if r.Health.UptimeS.OK {
			m = append(m, Member{"uptime_s", strconv.FormatInt(r.Health.UptimeS.V, 10)})
		}
		if r.Health.Firmware != "" {
			m = append(m, Member{"firmware", clip(r.Health.Firmware)})
		}
		if n := len(r.Health.Errors); n > 0 {
			m = append(m, Member{"errors", strconv.Itoa(n)})
		}
	}
	return append(m, Member{"seq", strconv.FormatUint(r.Seq, 10)})
}

func signal(m []Member, rssi, snr city.Milli) []Member {
	return measured(measured(m, "rssi_dbm", rssi), "snr_db", snr)
}

func measured(m []Member, name string, v city.Milli) []Member {
	if !v.OK {
		return m
	}
	return append(m, Member{name, string(wire.AppendMilli(nil, v.V))})
}

// clip bounds a stranger's words and takes out what is no text.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s[:min(len(s), 4*maxText)])
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return s
}
