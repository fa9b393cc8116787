package vendors_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// The vendors' own examples are not ours to copy: they are read where they lie.
const examples = "/work/shared/data/devices/lorawan-examples.jsonl"

// of the codecs' names; a codec that is not here is none of ours.
var codecs = map[string]string{
	"tps110-0292": "bosch-tps110", "tps110-0392": "bosch-tps110", "ncc405": "nwave-ncc405", "nps310sm": "nwave-nps310sm",
	"nps405": "nwave-nps405", "tekzipark": "tekzitel-tekzipark",
}

func TestVendorsExamples(t *testing.T) {
	data, err := os.ReadFile(examples)
	if os.IsNotExist(err) {
		t.Skip(examples + " is not there")
	}
	require.NoError(t, err)
	judged := 0
	for scanner := bufio.NewScanner(bytes.NewReader(data)); scanner.Scan(); {
		var e struct {
			Codec, Desc, Hex string
			FPort            uint8
			Expected         struct {
				Data   map[string]any
				Errors []string
			}
		}
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &e))
		profile, ok := codecs[e.Codec]
		if !ok {
			continue
		}
		got, err := vendors.Decode(&vendors.Device{Profile: profile}, e.FPort, bytesOf(t, e.Hex))
		if len(e.Expected.Errors) > 0 {
			require.Error(t, err, e.Desc)
			judged++
			continue
		}
		require.NoError(t, err, e.Desc)
		judged += compare(t, e.Codec+" "+e.Desc, e.Expected.Data, got)
	}
	require.GreaterOrEqual(t, judged, 19)
}

// compare holds every member that our kinds have to what the vendor's example
// says, and returns how many there were.
func compare(t *testing.T, what string, want map[string]any, got vendors.Said) (judged int) {
	t.Helper()
	var spot city.Spot
	var health city.Health
	if got.Spot != nil {
		spot = *got.Spot
	}
	if got.Health != nil {
		health = *got.Health
	}
	battery := spot.Battery
	if !battery.OK {
		battery = health.Battery
	}
	for name, value := range want {
		judged++
		switch name {
		case "occupied":
			require.NotNil(t, got.Spot, what)
			require.Equal(t, value == true || value == 1.0, spot.Occupied, what)
		case "temperature", "Temperature":
			require.Equal(t, city.MilliOf(value.(float64)), spot.Temperature, what)
		case "battery_voltage":
			require.Equal(t, city.MilliOf(value.(float64)), battery, what)
		case "firmware_version", "firmwareVersion":
			require.Equal(t, value, health.Firmware, what)
		case "previous_state_duration":
			require.Equal(t, city.SomeInt(int64(math.Round(value.(float64)*60))), spot.DwellS, what)
		case "counter_value":
			require.Equal(t, city.SomeInt(int64(value.(float64))), got.Gate.Total, what)
		case "debugCodes":
			require.Len(t, health.Errors, len(value.([]any)), what)
		case "Good_Battery":
			require.Equal(t, value == 0.0, len(health.Errors) > 0 && health.Errors[0] == "battery low", what)
		default: // no member of ours
			judged--
		}
	}
	return judged
}
