package modbus_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/strictyaml"
	"github.com/simpang-id/simpang/internal/wire/modbus"
)

func TestFrames(t *testing.T) {
	t.Parallel()
	require.Equal(t, uint16(0x4B37), modbus.CRC([]byte("123456789")))
	for want, got := range map[string][]byte{ // facts/devices.md, 5.6
		"01030000000ac5cd": modbus.Request(1, modbus.Holding, 0, 10),
		"010300000002c40b": modbus.Request(1, modbus.Holding, 0, 2),
		"01040000000271cb": modbus.Request(1, modbus.Input, 0, 2),
	} {
		require.Equal(t, want, hex.EncodeToString(got))
	}
}

// sealed is a frame with its CRC.
func sealed(body ...byte) []byte {
	crc := modbus.CRC(body)
	return append(bytes.Clone(body), byte(crc), byte(crc>>8))
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	ask := modbus.Request(7, modbus.Holding, 0, 2)
	data, err := modbus.Answer(ask, sealed(7, 3, 4, 0, 1, 0, 2))
	require.NoError(t, err)
	require.Equal(t, []byte{0, 1, 0, 2}, data)
	for name, frame := range map[string][]byte{
		"another unit":       sealed(8, 3, 4, 0, 1, 0, 2),
		"another function":   sealed(7, 4, 4, 0, 1, 0, 2),
		"another length":     sealed(7, 3, 2, 0, 1),
		"a length that lies": sealed(7, 3, 4, 0, 1),
		"too short":          {7, 3, 4},
	} {
		_, err := modbus.Answer(ask, frame)
		require.ErrorIs(t, err, modbus.ErrForeign, name)
	}
	bad := sealed(7, 3, 4, 0, 1, 0, 2)
	bad[4] ^= 1
	_, err = modbus.Answer(ask, bad)
	require.ErrorIs(t, err, modbus.ErrCRC)
	var refused *modbus.ExceptionError
	_, err = modbus.Answer(ask, sealed(7, 0x83, 2))
	require.ErrorAs(t, err, &refused)
	require.Equal(t, byte(2), refused.Code)
	data, err = modbus.Answer(modbus.Request(7, modbus.Coils, 0, 9), sealed(7, 1, 2, 0xff, 1))
	require.NoError(t, err)
	require.Equal(t, []byte{0xff, 1}, data)
}

func compile(tb testing.TB, text string) *modbus.Map {
	tb.Helper()
	var f modbus.File
	_, faults := strictyaml.Decode([]byte(text), &f)
	require.Empty(tb, faults)
	m, problems := modbus.Compile(&f)
	require.Empty(tb, problems)
	return m
}

// regs are registers as an answer holds them.
func regs(words ...uint16) (data []byte) {
	for _, w := range words {
		data = append(data, byte(w>>8), byte(w))
	}
	return data
}

func TestTypes(t *testing.T) {
	t.Parallel()
	m := compile(t, `
units:
  - unit: 1
    device: d
    kind: count
    registers:
      - {function: input, register: 0, means: occupied, class: car}
      - {function: input, register: 1, type: uint32, means: occupied, class: bus}
      - {function: input, register: 3, type: uint32, words: low_first, means: occupied, class: truck}
      - {function: input, register: 5, type: float32, means: occupied, class: bicycle, scale: 10}
      - {function: input, register: 7, type: int16, means: occupied, class: motorcycle}
      - {function: holding, register: 9, means: occupied, class: unknown, unknown: [65535]}
`)
	u := &m.Units[0]
	require.Equal(t, []modbus.Span{{modbus.Holding, 9, 1}, {modbus.Input, 0, 8}}, u.Spans())
	whole := math.Float32bits(4.2)
	got, change := u.Readings([][]byte{regs(0xFFFF), regs(7, 1, 2, 4, 3, uint16(whole>>16), uint16(whole), 0xFFFF)}, 1000, new(modbus.State))
	require.Zero(t, change)
	occupied := map[city.Class]uint32{}
	for _, r := range got {
		require.Equal(t, []any{"d", city.KindCount, int64(1000)}, []any{r.Device, r.Kind, r.At})
		occupied[r.Count.Class] = r.Count.Occupied
	}
	require.Equal(t, map[city.Class]uint32{
		city.Car: 7, city.Bus: 1<<16 | 2, city.Truck: 3<<16 | 4, city.Bicycle: 42,
		city.Motorcycle: math.MaxUint32, // -1: the decoder refuses it by name
	}, occupied, "0xFFFF stands for no measurement")
}

func TestASpotAndItsHealth(t *testing.T) {
	t.Parallel()
	m := compile(t, `
units:
  - {unit: 1, device: a, kind: spot, registers: [{function: discrete, register: 12, means: occupied}, {function: input, register: 2, type: int16, scale: 0.1, means: temperature_c}]}
  - {unit: 1, device: b, kind: spot, registers: [{function: holding, register: 4, type: bool, bit: 3, scale: -1, means: occupied}, {function: holding, register: 5, scale: 0.001, means: battery_v}]}
  - {unit: 2, device: c, kind: health, registers: [{function: input, register: 0, type: uint32, means: uptime_s}]}
`)
	got, _ := m.Units[0].Readings([][]byte{{1}, regs(0xFFF6)}, 5, new(modbus.State))
	require.Equal(t, []city.Reading{{Device: "a", Kind: city.KindSpot, At: 5, Spot: &city.Spot{Occupied: true, Temperature: city.SomeMilli(-1000)}}}, got)
	got, _ = m.Units[1].Readings([][]byte{regs(8, 3600)}, 5, new(modbus.State))
	require.Equal(t, &city.Spot{Battery: city.SomeMilli(3600)}, got[0].Spot, "turned around")
	got, _ = m.Units[2].Readings([][]byte{regs(1, 0)}, 5, new(modbus.State))
	require.Equal(t, city.SomeInt(65536), got[0].Health.UptimeS)
}

const counting = `
units:
  - unit: 1
    device: tc
    kind: traffic
    registers:
      - {function: input, register: 0, means: SM, lane: 1}
      - {function: input, register: 1, means: KR, lane: 1, unknown: [65535]}
      - {function: input, register: 2, means: KR, lane: 1, direction: backward, scale: 10}
      - {function: input, register: 3, means: speed_kmh, lane: 1, scale: 0.1}
`

func TestCountersBecomeDifferences(t *testing.T) {
	t.Parallel()
	u := &compile(t, counting).Units[0]
	var s modbus.State
	at := int64(1_000_000)
	poll := func(after int64, words ...uint16) (*city.Traffic, modbus.Change) {
		at += after
		got, change := u.Readings([][]byte{regs(words...)}, at, &s)
		if len(got) == 0 {
			return nil, change
		}
		require.Equal(t, at, got[0].At)
		return got[0].Traffic, change
	}
	lane := func(sm, kr uint32, speed int64) city.Lane {
		return city.Lane{Lane: 1, HasCounts: true, SM: sm, KR: kr, Speed: city.SomeMilli(speed)}
	}
	first, _ := poll(0, 100, 65000, 7, 400)
	require.Nil(t, first, "nothing is known of what passed before")
	got, change := poll(60_000, 130, 65010, 9, 425)
	require.Zero(t, change)
	require.Equal(t, &city.Traffic{PeriodS: 60, Lanes: []city.Lane{lane(30, 10, 42500), {Lane: 1, Backward: true, HasCounts: true, KR: 20}}}, got)
	got, change = poll(60_000, 130, 14, 9, 0)
	require.Equal(t, modbus.Change{Wrapped: 1}, change)
	require.Equal(t, lane(0, 540, 0), got.Lanes[0], "nothing passed on one lane is a 0 that was measured")
	got, change = poll(120_000, 5, 20, 9, 0)
	require.Equal(t, modbus.Change{Reset: 1}, change, "130 is far from the end: it began anew")
	require.Equal(t, uint32(120), got.PeriodS, "a poll that was missed makes the period longer")
	require.Equal(t, lane(5, 6, 0), got.Lanes[0])
	got, _ = poll(60_000, 6, 65535, 9, 0)
	require.False(t, got.Lanes[0].HasCounts, "one counter is not known: the lane has none")
	got, _ = poll(60_000, 7, 30, 10, 0)
	require.False(t, got.Lanes[0].HasCounts, "and there is nothing to take the difference to")
	require.Equal(t, uint32(10), got.Lanes[1].KR)
	got, _ = poll(400, 7, 30, 10, 0)
	require.Nil(t, got, "too soon")
	got, _ = poll(3_700_000, 900, 900, 900, 0)
	require.Nil(t, got, "longer than a period may be")
	got, _ = poll(60_000, 901, 902, 900, 0)
	require.Equal(t, lane(1, 2, 0), got.Lanes[0])
}

// TestGatesTellTheirCounters: as they stand, where they moved, and once a minute
// where nothing passed; what passed is for the journal's gate to find out.
func TestGatesTellTheirCounters(t *testing.T) {
	t.Parallel()
	u := &compile(t, `
units:
  - unit: 1
    device: g
    kind: gate
    registers: [{function: input, register: 0, type: uint32, means: in, class: car}, {function: input, register: 2, type: uint16, scale: 10, means: out, class: car}]
`).Units[0]
	var s modbus.State
	in := func(n int64) *city.Gate { return &city.Gate{Class: city.Car, Total: city.SomeInt(n), End: 1 << 32} }
	out := func(n int64) *city.Gate {
		return &city.Gate{Out: true, Class: city.Car, Total: city.SomeInt(n), End: 10 << 16}
	}
	poll := func(at int64, cells ...uint16) (gates []*city.Gate) {
		got, _ := u.Readings([][]byte{regs(cells...)}, at, &s)
		for i := range got {
			gates = append(gates, got[i].Gate)
		}
		return gates
	}
	require.Equal(t, []*city.Gate{in(5), out(50)}, poll(1_000, 0, 5, 5), "the first tells where they stand")
	require.Equal(t, []*city.Gate{in(7)}, poll(11_000, 0, 7, 5))
	require.Empty(t, poll(21_000, 0, 7, 5))
	require.Equal(t, []*city.Gate{out(60)}, poll(31_000, 0, 7, 6))
	require.Equal(t, []*city.Gate{in(7)}, poll(71_000, 0, 7, 6), "it lives, and nothing passed")
	require.Equal(t, []*city.Gate{in(65536), out(60)}, poll(200_000, 1, 0, 6))
}

func TestCompileTellsEveryFault(t *testing.T) {
	t.Parallel()
	var f modbus.File
	_, faults := strictyaml.Decode([]byte(`
timeout: soon
retries: 9
units:
  - {unit: 0, device: a, kind: meter, registers: []}
  - {unit: 1, device: a, kind: spot, registers: [{function: input, register: 1, means: battery_v, words: middle, scale: 0}]}
  - {unit: 1, device: b, kind: traffic, registers: [{function: coil, register: 70000, type: uint64, means: SM, class: car, lane: 99}, {function: read, register: 1, type: float32, means: KR, direction: up}]}
  - {unit: 1, device: c, kind: count, every: 1d, registers: [{function: input, register: 1, means: occupied, lane: 2}, {function: input, register: 2, means: in, class: car, bit: 3}]}
`), &f)
	require.Empty(t, faults)
	_, problems := modbus.Compile(&f)
	var got []string
	for _, p := range problems {
		got = append(got, p.Path)
	}
	require.Equal(t, []string{
		"timeout", "retries", "units[0].unit", "units[0].kind", "units[1].device", "units[1].registers[0].words", "units[1].registers[0].scale", "units[1].registers",
		"units[2].registers[0].type", "units[2].registers[0].class", "units[2].registers[0].lane", "units[2].registers[1].function", "units[2].registers[1].type", "units[2].registers[1].direction",
		"units[3].every", "units[3].registers[0].class", "units[3].registers[0].lane", "units[3].registers[1].bit", "units[3].registers[1].means",
	}, got, "%+v", problems)
}

func TestTheExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../configs/maps/example.yaml")
	require.NoError(t, err)
	m := compile(t, string(text))
	require.NotEmpty(t, m.Units)
	kinds := map[city.Kind]bool{}
	for i := range m.Units {
		kinds[m.Units[i].Kind] = true
	}
	require.Len(t, kinds, 5, "it shows every kind")
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte{7, 3, 4, 0, 1, 0, 2}, byte(7), byte(3), uint16(2))
	f.Add([]byte{7, 0x83, 2}, byte(7), byte(3), uint16(2))
	f.Add([]byte{7, 1, 2, 0xff, 1}, byte(7), byte(1), uint16(9))
	f.Fuzz(func(t *testing.T, body []byte, unit, function byte, count uint16) {
		ask := modbus.Request(unit, function, 0, count)
		frame := sealed(body...)
		for i := range len(frame) + 1 {
			if n, ok := modbus.Size(frame[:i]); ok {
				require.Positive(t, n)
				require.LessOrEqual(t, n, modbus.MaxFrame)
			}
		}
		data, err := modbus.Answer(ask, frame)
		if err != nil {
			require.Nil(t, data)
			return
		}
		require.Equal(t, unit, body[0])
		n, ok := modbus.Size(frame)
		require.True(t, ok)
		require.Len(t, frame, n)
		for i := range frame {
			frame[i] ^= 0x10
			_, err := modbus.Answer(ask, frame)
			require.Error(t, err, "a bit that was flipped is seen")
			frame[i] ^= 0x10
		}
	})
}

func FuzzReadings(f *testing.F) {
	u := &compile(f, strings.ReplaceAll(counting, "register: 3,", "register: 3, type: float32,")).Units[0]
	f.Add([]byte{0, 1, 0, 2, 0, 3, 0, 4, 0, 5}, []byte{0, 2, 0, 2, 0, 9, 0x7f, 0xc0, 0, 0}, int64(60_000))
	f.Fuzz(func(t *testing.T, first, second []byte, after int64) {
		size := 2 * int(u.Spans()[0].Count)
		if len(first) < size || len(second) < size || after < 0 || after > 1<<40 {
			return
		}
		var s modbus.State
		got, _ := u.Readings([][]byte{first[:size]}, 0, &s)
		require.Empty(t, got)
		got, _ = u.Readings([][]byte{second[:size]}, after, &s)
		require.LessOrEqual(t, len(got), 1)
		for _, r := range got {
			require.NotZero(t, r.Traffic.PeriodS)
			require.LessOrEqual(t, r.Traffic.PeriodS, uint32(3600))
			for _, l := range r.Traffic.Lanes {
				require.True(t, l.HasCounts || l.SM+l.KR+l.KB+l.KTB+l.Unknown == 0)
			}
		}
	})
}

// FuzzCompile: a map is refused with places and words, or makes readings of any
// answers without harm.
func FuzzCompile(f *testing.F) {
	f.Add([]byte(counting), []byte{1, 2, 3})
	f.Add([]byte("units: [{unit: 1, device: a, kind: spot, registers: [{function: coil, register: 7, means: occupied}]}]"), []byte{0xff})
	f.Fuzz(func(t *testing.T, file, data []byte) {
		var in modbus.File
		if _, faults := strictyaml.Decode(file, &in); len(faults) > 0 {
			return
		}
		m, problems := modbus.Compile(&in)
		require.Equal(t, m == nil, len(problems) > 0)
		if m == nil {
			return
		}
		for i := range m.Units {
			u := &m.Units[i]
			var answers [][]byte
			for _, s := range u.Spans() {
				require.Positive(t, s.Count)
				require.LessOrEqual(t, int(s.Start)+int(s.Count), 1<<16)
				answer := make([]byte, 2*int(s.Count))
				copy(answer, data)
				answers = append(answers, answer)
			}
			var s modbus.State
			for at := range int64(3) {
				u.Readings(answers, at*60_000, &s)
			}
		}
	})
}
