package lorawan

import (
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// Read reads the payload of an uplink of a device that the inventory calls id.
// Errors are *wire.RefusedError.
type Read func(id string, d *vendors.Device, e *Event) (vendors.Said, error)

// BuiltIn reads payloads by the decoders of package vendors.
func BuiltIn(_ string, d *vendors.Device, e *Event) (vendors.Said, error) {
	return vendors.Decode(d, e.Port, e.Payload)
}

// Readings makes readings of an event of a device that the inventory calls id.
// Errors are *wire.RefusedError.
func Readings(e *Event, id string, d *vendors.Device, read Read) ([]city.Reading, error) {
	signal := &city.Health{RSSI: e.RSSI, SNR: e.SNR, BatteryPct: e.BatteryPct}
	switch e.Kind {
	case Join:
		return []city.Reading{e.beside(id, 1, signal)}, nil
	case Status:
		return []city.Reading{e.beside(id, 2, signal)}, nil
	case Other:
		return nil, nil
	case Uplink:
	}
	frame := city.Reading{Device: id, Seq: uint64(e.FCnt), At: e.At, Frame: true}
	if e.Simulated {
		return nil, refuse(city.ReasonSimulated, "a test from the network's console, no measurement: it is kept here and counts nowhere")
	}
	if e.Port == 0 { // of the network alone
		frame.Kind, frame.Health = city.KindHealth, signal
		return []city.Reading{frame}, nil
	}
	said, err := read(id, d, e)
	if err != nil {
		return nil, err
	}
	health := said.Health
	if health == nil {
		health = signal
	} else {
		health.RSSI, health.SNR = e.RSSI, e.SNR
	}
	if !e.state(&frame, &said) {
		frame.Kind, frame.Health = city.KindHealth, health
		return []city.Reading{frame}, nil
	}
	readings := []city.Reading{frame}
	for i := range said.More { // they have no frame counter of their own
		more := e.beside(id, besideStates+uint64(i), nil)
		if e.state(&more, &said.More[i]) {
			readings = append(readings, more)
		}
	}
	if frame.Kind == city.KindSpot && said.Health == nil { // it tells the signal itself
		return readings, nil
	}
	return append(readings, e.beside(id, 0, health)), nil
}

// state puts the state that was said into a reading; false: none was.
func (e *Event) state(r *city.Reading, s *vendors.Said) bool {
	switch {
	case s.Spot != nil:
		r.Kind, r.Spot = city.KindSpot, s.Spot
		r.Spot.RSSI, r.Spot.SNR = e.RSSI, e.SNR
	case s.Gate != nil:
		r.Kind, r.Gate = city.KindGate, s.Gate
	case s.Count != nil:
		r.Kind, r.Count = city.KindCount, s.Count
	case s.Traffic != nil:
		r.Kind, r.Traffic = city.KindTraffic, s.Traffic
	default:
		return false
	}
	if s.At.OK {
		r.At = s.At.V
	}
	return true
}

// What comes at the same time is told apart by these numbers: health beside a
// frame is 0, a join 1, a status event 2.
const (
	besideStates = 3
	besideStep   = 16
)

// beside is a reading without a frame counter of its own, which is of health
// until it is given a state.
func (e *Event) beside(id string, no uint64, h *city.Health) city.Reading {
	return city.Reading{
		Device: id, Kind: city.KindHealth, HasBoot: true, Boot: city.BesideBoot,
		Seq: uint64(e.At)*besideStep + no, At: e.At, Health: h,
	}
}
