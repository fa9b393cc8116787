package api_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/token"
)

func TestTheFleet(t *testing.T) {
	st := newStage(t)
	st.Devices.States = []health.DeviceState{{
		ID: "spot-1", LastSeen: apitest.Noon.UnixMilli(), Firmware: "1.4", Battery: city.SomeMilli(3512), RSSI: city.SomeMilli(-97_000), SNR: city.SomeMilli(6500),
		LastGap: city.SomeInt(apitest.Noon.Add(-50 * time.Hour).UnixMilli()),
	}}
	st.Devices.Forecasts = map[string]health.Forecast{"spot-1": {Days: city.SomeInt(140)}}
	one := st.as(t, token.Dishub, "/v1/devices/spot-1").body
	for _, want := range []string{
		`"firmware":"1.4"`, `"battery_v":3.512`, `"rssi_dbm":-97`, `"snr_db":6.5`, `"battery_days":140`, `"battery_days_reason":null`,
		`"battery_low_v":3.1`, `"last_gap":"2026-02-28T10:00:00+07:00"`, `"gap_days":2`,
	} {
		require.Contains(t, one, want)
	}
	list := st.as(t, token.Dishub, "/v1/devices?kind=meter").body
	require.Contains(t, list, `"battery_days":null,"battery_days_reason":"no_voltage"`)
	require.Contains(t, list, `"last_gap":null,"gap_days":null`)
	csv := st.as(t, token.Admin, "/v1/devices?format=csv").body
	require.Contains(t, csv, "silent,battery_days,battery_days_reason,battery_low_v,last_gap,gap_days\r\n")
	require.Contains(t, csv, ",140,,3.1,2026-02-28T10:00:00+07:00,2\r\n")
}
