package codec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/strictyaml"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/codec"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// FuzzResult: bytes are refused, or are those of a result that says itself again.
func FuzzResult(f *testing.F) {
	for _, r := range []codec.Result{
		{Failure: codec.Threw, Line: 3, Text: "TypeError: x"},
		{Errors: []string{"a", ""}},
		{Data: map[string]any{"a": []any{1.5, nil, true, "x", map[string]any{"b": false}}}, Warnings: []string{"w"}},
	} {
		f.Add(r.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := codec.Parse(b)
		if err != nil {
			require.Empty(t, r)
			return
		}
		again, err := codec.Parse(r.Append(nil))
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}

// FuzzDecode: whatever the bytes, an example decodes the same each time or
// refuses, and the mapping says what our limits allow.
func FuzzDecode(f *testing.F) {
	all := []*example{exampleOf(f, "example-nps405"), exampleOf(f, "example-ncc405"), exampleOf(f, "example-radar"), exampleOf(f, "example-two-way")}
	f.Add(uint8(0), uint8(2), []byte{0xb5, 0xff, 0x20})
	f.Add(uint8(2), uint8(1), []byte{3, 14, 16, 0x69, 0xa4, 0xe4, 0x94, 5, 1, 0x2c, 0, 12, 2, 83, 0, 0, 0, 0, 0, 255})
	f.Add(uint8(3), uint8(1), []byte{0xd0, 3, 4})
	f.Fuzz(func(t *testing.T, which, port uint8, payload []byte) {
		x := all[int(which)%len(all)]
		call := codec.Call{Payload: payload[:min(len(payload), codec.MaxPayload)], Port: port, At: 1_772_414_100_000}
		r := x.script.Decode(call, within(time.Minute))
		require.Equal(t, r, x.script.Decode(call, within(time.Minute)))
		require.Contains(t, []codec.Failure{codec.OK, codec.Threw}, r.Failure)
		if r.Failure == codec.OK && len(r.Errors) == 0 {
			holds(t, x.mapping, &call, r.Data)
		}
	})
}

// FuzzScript: whatever the script, it is refused, stopped, or returns what can
// be said again; the process lives.
func FuzzScript(f *testing.F) {
	for _, file := range []string{"nps405.js", "ncc405.js", "radar.js", "twoway.js"} {
		text, err := os.ReadFile(filepath.Join(examples, file))
		require.NoError(f, err)
		f.Add(string(text))
	}
	f.Add("function decodeUplink(i) { return {data: new Proxy({a: Symbol.iterator, get b() { return [this] }}, {}), errors: []} }")
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 4<<10 { // deeper ones need a process of their own
			return
		}
		s, r := codec.Compile(source)
		if s == nil {
			require.Equal(t, codec.Syntax, r.Failure)
			return
		}
		r = s.Decode(codec.Call{Payload: []byte{1, 2, 3}, Port: 1}, within(50*time.Millisecond))
		again, err := codec.Parse(r.Append(nil))
		require.NoError(t, err, "%+v", r)
		require.Equal(t, r.Failure, again.Failure)
		require.Len(t, again.Data, len(r.Data))
	})
}

// FuzzMapping: an expression is a fault, or computes a value that our limits
// allow, or refuses by name; the data says anything.
func FuzzMapping(f *testing.F) {
	f.Add(`data.n == 5 and bytes[0] > port`, `number(data.t) / 1000`, 5.0, "x")
	f.Add(`data?.gone?.x in [1, "a"]`, `data.l[1] ?? shl(3, data.n)`, -1e300, "3.5")
	f.Add(`data.t matches "^a+$"`, `data.o.n % 7 ** 2`, 0.5, "aaaa")
	f.Fuzz(func(t *testing.T, when, battery string, n float64, text string) {
		file := codec.File{Codecs: []codec.VendorFile{{Profile: "x", File: "x.js", Readings: []codec.ReadingFile{
			{Kind: "spot", When: when, Occupied: when, BatteryV: battery, At: battery, DwellS: battery, TemperatureC: battery},
			{Kind: "gate", When: when, Direction: battery, Count: battery, Class: battery},
			{Kind: "traffic", PeriodS: battery, Lanes: []codec.LaneFile{{SM: battery, SpeedKmh: battery}, {Lane: 2, Total: battery}}},
			{Kind: "health", BatteryPct: battery, Firmware: battery, Errors: battery, UptimeS: battery},
		}}}}
		all, problems := codec.Load(&file)
		if len(problems) > 0 {
			for _, p := range problems {
				require.NotEmpty(t, p.Message)
				require.True(t, strings.HasPrefix(p.Path, "codecs[0]"), p.Path)
			}
			return
		}
		if n != n || n > 1e308 || n < -1e308 {
			n = 0
		}
		holds(t, all[0].Mapping, &codec.Call{Payload: []byte{1, 2}, Port: 3}, map[string]any{"n": n, "t": text, "l": []any{n, text}, "o": map[string]any{"n": n}})
	})
}

// FuzzFile: a file is refused with lines, or is codecs.
func FuzzFile(f *testing.F) {
	text, err := os.ReadFile(filepath.Join(examples, "codecs.yaml"))
	require.NoError(f, err)
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		var file codec.File
		if _, faults := strictyaml.Decode(text, &file); len(faults) > 0 {
			return
		}
		all, problems := codec.Load(&file)
		require.Equal(t, len(problems) == 0, len(all) > 0)
		for _, one := range all {
			require.NotEmpty(t, one.Kinds)
			require.Positive(t, one.Limit)
		}
	})
}

// holds checks what a mapping says against the limits that all formats share.
func holds(t *testing.T, m *codec.Mapping, call *codec.Call, data map[string]any) {
	t.Helper()
	said, err := m.Apply(&vendors.Device{}, call, data, nil)
	if err != nil {
		var refused *wire.RefusedError
		require.ErrorAs(t, err, &refused)
		require.NotEmpty(t, refused.Detail)
		require.Empty(t, said)
		return
	}
	within := func(v city.Milli, least, most int64) {
		if v.OK {
			require.GreaterOrEqual(t, v.V, least)
			require.LessOrEqual(t, v.V, most)
		}
	}
	require.False(t, said.Spot == nil && said.Gate == nil && said.Count == nil && said.Traffic == nil && said.Health == nil)
	for _, s := range append([]vendors.Said{said}, said.More...) {
		within(city.Milli(s.At), 0, 1<<53)
		if x := s.Spot; x != nil {
			within(x.Battery, 0, wire.MaxBattery)
			within(x.Temperature, wire.MinTemperature, wire.MaxTemperature)
			within(city.Milli(x.DwellS), 0, wire.MaxDwellS)
		}
		if x := s.Gate; x != nil {
			require.LessOrEqual(t, x.Count, uint32(wire.MaxVehicles))
			within(city.Milli(x.Total), 0, wire.MaxTotalCount)
		}
		if x := s.Traffic; x != nil {
			require.Positive(t, x.PeriodS)
			require.LessOrEqual(t, x.PeriodS, uint32(wire.MaxPeriodS))
			for _, l := range x.Lanes {
				require.LessOrEqual(t, l.SM+l.KR+l.KB+l.KTB+l.Unknown, uint32(wire.MaxVehicles))
				within(l.Speed, 0, wire.MaxSpeed)
				within(l.Occupancy, 0, wire.MaxOccupancy)
			}
		}
	}
	if x := said.Health; x != nil {
		within(x.Battery, 0, wire.MaxBattery)
		within(x.BatteryPct, 0, 100_000)
		within(city.Milli(x.UptimeS), 0, wire.MaxUptimeS)
		require.LessOrEqual(t, len(x.Firmware), wire.MaxWordBytes)
		require.LessOrEqual(t, len(x.Errors), wire.MaxErrors)
	}
}
