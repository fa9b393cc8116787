package vendors

import (
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
)

func nps310(_ *Device, port uint8, p []byte) (Said, error) {
	switch port {
	case 1, 2: // the state changed, heartbeat
		if len(p) < 1 {
			return Said{}, tooShort(p, 1)
		}
		said := Said{Spot: &city.Spot{Occupied: p[0]&1 != 0}}
		if port == 2 {
			said.Health = &city.Health{}
		}
		return said, nil
	case 3:
		return nwaveStartup(p, nps310Resets)
	case 6: // debug
		return Said{Health: &city.Health{}}, nil
	default:
		return Said{}, unknownPort(port)
	}
}

func nps405(_ *Device, port uint8, p []byte) (Said, error) {
	return nps(port, p, func(b byte) (occupied bool, rest int) { return b&1 != 0, int(b >> 1) })
}

// nps405Old is the layout of older firmware: the same bytes mean something else.
func nps405Old(_ *Device, port uint8, p []byte) (Said, error) {
	return nps(port, p, func(b byte) (occupied bool, rest int) { return b&0x80 != 0, int(b & 0x7f) })
}

// nps reads an NPS405; split takes the state off a first byte.
func nps(port uint8, p []byte, split func(byte) (occupied bool, rest int)) (Said, error) {
	switch port {
	case 1:
		if len(p) < 1 {
			return Said{}, tooShort(p, 1)
		}
		occupied, code := split(p[0])
		return Said{Spot: &city.Spot{Occupied: occupied, DwellS: nwaveDwell(code)}}, nil
	case 2: // heartbeat
		if len(p) < 3 {
			return Said{}, tooShort(p, 3)
		}
		occupied, status := split(p[0])
		spot := &city.Spot{Occupied: occupied, Battery: nwaveVolts(p[1]), Temperature: city.SomeMilli(int64(int8(p[2]))*500 + 10_000)}
		health := &city.Health{Battery: spot.Battery}
		if word := batteryHealth(spot.Battery.V, spot.Temperature.V); word != "" {
			health.Errors = append(health.Errors, word)
		}
		if status != 0 {
			health.Errors = append(health.Errors, fmt.Sprintf("hardware status %d", status))
		}
		return Said{Spot: spot, Health: health}, nil
	case 3:
		return nwaveStartup(p, nwaveResets)
	case 6: // debug
		return Said{Health: &city.Health{}}, nil
	case 10: // a permit's tag was seen: its number is personal data and is not read
		if len(p) < 5 {
			return Said{}, tooShort(p, 5)
		}
		occupied, code := split(p[0])
		if !occupied { // then nothing is said of the place
			return Said{Health: &city.Health{}}, nil
		}
		return Said{Spot: &city.Spot{Occupied: true, DwellS: nwaveDwell(code)}}, nil
	default:
		return Said{}, unknownPort(port)
	}
}

// nwaveDwell is how long the state before lasted; the last code says only that
// it was over 660 minutes.
func nwaveDwell(code int) city.Int {
	minutes := code
	switch {
	case code >= 127:
		return city.Int{}
	case code >= 120:
		minutes = 240 + 60*(code-120)
	case code >= 90:
		minutes = 90 + 5*(code-90)
	}
	return city.SomeInt(int64(minutes) * 60)
}

func nwaveVolts(b byte) city.Milli { return city.SomeMilli(2500 + 4*int64(b)) }

// batteryHealth says in a word how a battery of so many mV is at so many
// thousandths of a degree, "" where it is well.
func batteryHealth(mv, milliC int64) string {
	if milliC < -5000 {
		mv += 100
	}
	switch {
	case mv < 2900:
		return "battery critical"
	case mv < 3000:
		return "battery low"
	}
	return ""
}

// The resets that nobody asked for, by their numbers.
var (
	nwaveResets  = []string{"", "watchdog", "", "", "", "", "brownout", "other"}
	nps310Resets = []string{"", "watchdog", "", "", "brownout", "other"}
)

// nwaveStartup reads what the parking sensors say after a reset.
func nwaveStartup(p []byte, resets []string) (Said, error) {
	if len(p) < 5 {
		return Said{}, tooShort(p, 5)
	}
	health := &city.Health{Firmware: firmware(p[:3]...), Errors: reset(nil, int(p[3]), resets)}
	return Said{Spot: &city.Spot{Occupied: p[4]&1 != 0}, Health: health}, nil
}

func ncc405(d *Device, port uint8, p []byte) (Said, error)    { return ncc(d, port, p, false) }
func ncc405Out(d *Device, port uint8, p []byte) (Said, error) { return ncc(d, port, p, true) }

// ncc reads an NCC405, whose counter never goes back.
func ncc(d *Device, port uint8, p []byte, out bool) (Said, error) {
	switch port {
	case 1:
		if len(p) < 2 {
			return Said{}, tooShort(p, 2)
		}
		return counted(d, out, int64(u16(p)), 1<<16), nil
	case 2:
		if len(p) < 3 {
			return Said{}, tooShort(p, 3)
		}
		return Said{Health: &city.Health{Battery: nwaveVolts(p[1])}}, nil
	case 3:
		if len(p) < 4 {
			return Said{}, tooShort(p, 4)
		}
		return Said{Health: &city.Health{Firmware: firmware(p[:3]...), Errors: reset(nil, int(p[3]), nwaveResets)}}, nil
	case 6: // debug
		return Said{Health: &city.Health{}}, nil
	default:
		return Said{}, unknownPort(port)
	}
}
