package vendors

import (
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
)

const batteryLow = "battery low"

// dingtek reads DO200, DO201 and DO202; the last has temperature and humidity.
func dingtek(_ *Device, port uint8, p []byte) (Said, error) {
	const state, alarm, settings = 1, 2, 3
	switch {
	case port != 3:
		return Said{}, unknownPort(port)
	case len(p) < 7:
		return Said{}, tooShort(p, 7)
	case p[0] != 0x80 || p[1] != 0 || p[2] != 2 || int(p[4]) != len(p):
		return Said{}, refuse("no packet of a DO20x of the length that it says: check the profile in devices.csv")
	case p[3] == settings:
		return Said{Health: &city.Health{Firmware: firmware(p[5], p[6])}}, nil
	case p[3] != state && p[3] != alarm:
		return Said{}, refuse("packet type %d is none of a DO20x", p[3])
	case len(p) < 21:
		return Said{}, tooShort(p, 21)
	}
	spot := &city.Spot{Occupied: p[7]>>4 != 0, Battery: city.SomeMilli(int64(u16(p[9:])) * 10)}
	if len(p) >= 23 {
		spot.Temperature = degrees(p[17])
	}
	health := &city.Health{Battery: spot.Battery}
	if p[8]&0xf != 0 {
		health.Errors = []string{batteryLow}
	}
	return Said{Spot: spot, Health: health}, nil
}

// placepod reads channel, type and value until the end, or what is none of it.
func placepod(_ *Device, _ uint8, p []byte) (Said, error) {
	var spot city.Spot
	state, known := false, false
	for rest := p; len(rest) >= 3; {
		size := 3
		switch kind := u16(rest); kind {
		case 0x1566, 0x3766: // state changed, keep-alive
			if rest[2] <= 1 {
				state, spot.Occupied = true, rest[2] == 1
			}
		case 0x0267:
			if size = 4; len(rest) >= size {
				spot.Temperature = city.SomeMilli(int64(int16(u16(rest[2:]))) * 100)
			}
		case 0x0302:
			if size = 4; len(rest) >= size {
				spot.Battery = city.SomeMilli(int64(u16(rest[2:])) * 10)
			}
		case 0x0101, 0x1c01, 0x3f01, 0x2100, 0x3700: // answers, and a count of vehicles
		default:
			rest = nil
			continue
		}
		if len(rest) < size {
			break
		}
		rest, known = rest[size:], true
	}
	switch {
	case !known:
		return Said{}, refuse("no value of a PlacePod in it: check the profile in devices.csv")
	case !state:
		return Said{Health: &city.Health{Battery: spot.Battery}}, nil
	}
	said := Said{Spot: &spot}
	if spot.Battery.OK {
		said.Health = &city.Health{Battery: spot.Battery}
	}
	return said, nil
}

// libelium reads Smart Parking v3 (and v2). The temperature stands in another
// place in the frame of signal strength.
func libelium(_ *Device, _ uint8, p []byte) (Said, error) {
	const info, keepAlive, failed, start, signal = 0, 1, 3, 4, 8
	if len(p) != 11 {
		return Said{}, refuse("%d bytes where a frame has 11: check the profile in devices.csv", len(p))
	}
	spot, health := &city.Spot{Occupied: p[0]&0x80 != 0}, &city.Health{}
	if p[0]&0x40 != 0 {
		health.Errors = append(health.Errors, batteryLow)
	}
	switch p[0] & 0xf {
	case info, keepAlive:
		spot.Temperature = degrees(p[3])
		if p[2] != 0 {
			health.Errors = append(health.Errors, fmt.Sprintf("sensor error %d", p[2]))
		}
	case failed:
		health.Errors = append(health.Errors, "the sensor reports an error")
	case start:
		health.Firmware = firmware(p[2])
	case signal:
		spot.Temperature = degrees(p[4])
	}
	if p[0]&0xf == info && len(health.Errors) == 0 {
		health = nil
	}
	return Said{Spot: spot, Health: health}, nil
}

// tekzipark reads the flags and the temperature; the beacon behind them may be
// a person's and is not read.
func tekzipark(_ *Device, port uint8, p []byte) (Said, error) {
	switch {
	case port != 1:
		return Said{}, unknownPort(port)
	case len(p) < 2:
		return Said{}, tooShort(p, 2)
	}
	health := &city.Health{}
	if p[0]&0x20 == 0 {
		health.Errors = append(health.Errors, batteryLow)
	}
	if p[0]&0x10 != 0 {
		health.Errors = append(health.Errors, "obstruction")
	}
	if p[0]&0x02 != 0 {
		health.Errors = append(health.Errors, "reset")
	}
	return Said{Spot: &city.Spot{Occupied: p[0]&0x80 != 0, Temperature: degrees(p[1])}, Health: health}, nil
}
