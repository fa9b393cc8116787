package vendors

import (
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
)

// bosch reads TPS110 and TPL110. The layout of the debug message (port 6)
// differs with the firmware, which no payload names: nothing is read of it.
func bosch(_ *Device, port uint8, p []byte) (Said, error) {
	switch port {
	case 1: // the state changed
		if len(p) < 1 {
			return Said{}, tooShort(p, 1)
		}
		return Said{Spot: &city.Spot{Occupied: p[0]&1 != 0}}, nil
	case 2: // heartbeat; older firmware sends no temperature
		if len(p) < 1 {
			return Said{}, tooShort(p, 1)
		}
		spot := &city.Spot{Occupied: p[0]&1 != 0}
		if len(p) > 1 {
			spot.Temperature = degrees(p[1])
		}
		return Said{Spot: spot, Health: &city.Health{}}, nil
	case 3: // startup
		if len(p) < 17 {
			return Said{}, tooShort(p, 17)
		}
		health := &city.Health{Firmware: firmware(p[12:15]...)}
		for i := 0; i < 12; i += 4 {
			if code := int(p[i+1]&0xf)<<8 | int(p[i]); code != 0 {
				health.Errors = append(health.Errors, debug(code))
			}
		}
		health.Errors = reset(health.Errors, int(p[15]), boschResets)
		return Said{Spot: &city.Spot{Occupied: p[16]&1 != 0}, Health: health}, nil
	case 4, 5, 6: // information, usage, debug
		return Said{Health: &city.Health{}}, nil
	default:
		return Said{}, unknownPort(port)
	}
}

var boschResets = []string{"", "watchdog", "", "", "other"}

func debug(code int) string {
	switch code {
	case 404:
		return "debug 404: detection is recalibrating"
	case 720, 729:
		return fmt.Sprintf("debug %d: link trouble", code)
	}
	return fmt.Sprintf("debug %d", code)
}

// reset adds the cause of a reset that nobody asked for; names has "" for the
// others.
func reset(errors []string, cause int, names []string) []string {
	if cause < len(names) && names[cause] != "" {
		errors = append(errors, "reset: "+names[cause])
	}
	return errors
}
