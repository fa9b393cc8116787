package lorawan

import (
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// Readings makes readings of an event of a device that the inventory calls id.
// Errors are *wire.RefusedError.
func Readings(e *Event, id string, d *vendors.Device) ([]city.Reading, error) {
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
	said, err := vendors.Decode(d, e.Port, e.Payload)
	if err != nil {
		return nil, err
	}
	health := said.Health
	if health == nil {
		health = signal
	} else {
		health.RSSI, health.SNR = e.RSSI, e.SNR
	}
	switch {
	case said.Spot != nil:
		frame.Kind, frame.Spot = city.KindSpot, said.Spot
		frame.Spot.RSSI, frame.Spot.SNR = e.RSSI, e.SNR
		if said.Health == nil {
			return []city.Reading{frame}, nil
		}
	case said.Gate != nil:
		frame.Kind, frame.Gate = city.KindGate, said.Gate
	case said.Traffic != nil:
		frame.Kind, frame.Traffic = city.KindTraffic, said.Traffic
	default:
		frame.Kind, frame.Health = city.KindHealth, health
		return []city.Reading{frame}, nil
	}
	return []city.Reading{frame, e.beside(id, 0, health)}, nil
}

// beside is health that has no frame counter of its own; no tells apart what
// comes at the same time.
func (e *Event) beside(id string, no uint64, h *city.Health) city.Reading {
	return city.Reading{
		Device: id, Kind: city.KindHealth, HasBoot: true, Boot: city.BesideBoot,
		Seq: uint64(e.At)*4 + no, At: e.At, Health: h,
	}
}
