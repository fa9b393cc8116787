package truth_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// load returns the small city, and moments of March 2026 in it.
func load(t *testing.T) (v *inventory.Version, at func(clock string) int64) {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Jakarta")
	require.NoError(t, err)
	v, faults, err := inventory.Load("../testdata/city", zone)
	require.NoError(t, err)
	require.Empty(t, faults)
	return v, func(clock string) int64 {
		when, err := time.ParseInLocation("2 15:04", clock, zone)
		require.NoError(t, err)
		return time.Date(2026, 3, when.Day(), when.Hour(), when.Minute(), 0, 0, zone).UnixMilli()
	}
}

// fold writes readings as delivered to a file, in this order, and folds it.
func fold(t *testing.T, v *inventory.Version, readings ...city.Reading) *truth.Expected {
	t.Helper()
	var file bytes.Buffer
	w := truth.NewWriter(&file)
	for i := range readings {
		m, err := message.New(0, &readings[i], message.Native)
		require.NoError(t, err)
		w.Message(truth.Delivered, &m)
	}
	require.NoError(t, w.Close())
	e := truth.NewExpected(v)
	require.NoError(t, truth.Read(&file, e.Line))
	return e
}

func TestOccupied(t *testing.T) {
	v, at := load(t)
	spot := func(device, clock string, taken bool) city.Reading {
		return city.Reading{Device: device, Kind: city.KindSpot, At: at(clock), Spot: &city.Spot{Occupied: taken}}
	}
	pass := func(device, clock string, out bool) city.Reading {
		return city.Reading{Device: device, Kind: city.KindGate, At: at(clock), Gate: &city.Gate{Out: out, Class: city.Car, Count: 1}}
	}
	count := func(device, clock string, n uint32) city.Reading {
		return city.Reading{Device: device, Kind: city.KindCount, At: at(clock), Count: &city.Count{Class: city.Car, Occupied: n}}
	}
	e := fold(t, v,
		spot("spot-c01", "2 09:58", true), spot("spot-c01", "2 09:50", false), // the later one came first
		spot("spot-c02", "2 09:59", true), spot("spot-c02", "2 10:00", false),
		spot("spot-c03", "2 09:40", true),                                                                             // expired: over 15 minutes old
		pass("gate-c-out", "2 00:30", true), pass("gate-c-in", "2 01:00", false), pass("gate-c-in", "2 01:10", false), // the out goes below 0
		pass("gate-c-out", "2 03:10", true), pass("gate-c-in", "2 04:00", false), // reset at 03:00
		count("count-1", "2 09:59", 4), count("count-2", "2 09:58", 3), count("count-1", "2 09:00", 9),
	)
	got := e.Occupied(at("2 10:00"))
	require.Equal(t, truth.Occupied{Vehicles: 1, Sensors: 12, Expired: 10}, got[truth.Place{Site: "S-SPOT", Class: city.Car}])
	require.Equal(t, truth.Occupied{Sensors: 8, Expired: 8}, got[truth.Place{Site: "S-SPOT", Class: city.Motorcycle}])
	require.Equal(t, 1, got[truth.Place{Site: "S-GATE", Class: city.Car}].Vehicles)
	require.Zero(t, e.Occupied(at("3 03:00"))[truth.Place{Site: "S-GATE", Class: city.Car}].Vehicles, "the reset of the next day")
	require.Equal(t, truth.Occupied{Vehicles: 7, Sensors: 2}, got[truth.Place{Site: "S-COUNT", Class: city.Car}])
}

func TestFlows(t *testing.T) {
	v, at := load(t)
	reading := func(device, clock string, lanes ...city.Lane) city.Reading {
		return city.Reading{Device: device, Kind: city.KindTraffic, At: at(clock), Traffic: &city.Traffic{PeriodS: 60, Lanes: lanes}}
	}
	e := fold(t, v,
		reading("tc-1", "2 08:00", city.Lane{Lane: 1, HasCounts: true, SM: 1}),
		reading("tc-1", "2 08:01", city.Lane{Lane: 1, HasCounts: true, KR: 2}, city.Lane{Lane: 1, Backward: true, HasCounts: true, KB: 3, Unknown: 4}),
		reading("tc-1", "2 08:05", city.Lane{Lane: 1, HasCounts: true, KR: 5}),
	)
	require.Equal(t, map[truth.Bucket]truth.Counts{
		{Segment: "r-1-t", From: at("2 07:55")}: {SM: 1},
		{Segment: "r-1-t", From: at("2 08:00")}: {KR: 7},
		{Segment: "r-1-b", From: at("2 08:00")}: {KB: 3, Unknown: 4},
	}, e.Flows())
}

func TestReceipts(t *testing.T) {
	v, at := load(t)
	receipt := func(clock, number string, amount city.Rupiah, void bool) city.Reading {
		return city.Reading{Device: "meter-s-gate-1", Kind: city.KindReceipt, At: at(clock), Receipt: &city.Receipt{
			Number: number, Amount: amount, Method: city.QRIS, Void: void, Plate: "B 1 KAA",
		}}
	}
	e := fold(t, v,
		receipt("2 23:00", "A-1", 5000, false), receipt("2 23:05", "A-1", 5000, false), // a reprint
		receipt("2 23:10", "A-2", 3000, false), receipt("3 00:10", "A-2", 3000, true), // voided the next day
		receipt("3 00:20", "A-9", 9000, true),  // the void of an unknown one
		receipt("3 00:30", "A-1", 7000, false), // the number again, for another amount
	)
	till := func(day string) truth.Till {
		return truth.Till{Device: "meter-s-gate-1", Site: "S-GATE", Day: day, Method: city.QRIS}
	}
	require.Equal(t, map[truth.Till]truth.Money{
		till("2026-03-02"): {Receipts: 2, Amount: 8000}, till("2026-03-03"): {Receipts: 0, Amount: 4000},
	}, e.Receipts())
}

func TestTallies(t *testing.T) {
	v, _ := load(t)
	var file bytes.Buffer
	w := truth.NewWriter(&file)
	r := city.Reading{Device: "spot-c01", Kind: city.KindSpot, HasBoot: true, Boot: 2, Seq: 7, At: 5, Spot: &city.Spot{}}
	m, err := message.New(0, &r, message.Native)
	require.NoError(t, err)
	broken := m.Broken(message.Cut, message.Native)
	for _, what := range []string{truth.Delivered, truth.Duplicate, truth.Resent, truth.Unacked} {
		w.Message(what, &m)
	}
	w.Message(truth.Refused, &broken)
	w.Line(truth.Line{What: truth.Fault, Fault: "lost"})
	require.NoError(t, w.Close())
	require.Contains(t, file.String(), `{"what":"delivered","device":"spot-c01","kind":"spot","boot":2,"seq":7,"at":5,"reading":{"kind":"spot","boot":2,"seq":7,"at":"1970-01-01T00:00:00.005Z","occupied":false}}`+"\n")
	require.Contains(t, file.String(), `{"what":"end","totals":{"delivered":1,"duplicate":1,"fault":1,"fault_lost":1,"refused":1,"resent":1,"unacked":1}}`)

	file.WriteString(`{"what":"deliv`) // cut off by kill -9
	e := truth.NewExpected(v)
	require.NoError(t, truth.Read(&file, e.Line))
	require.Equal(t, truth.Tally{Delivered: 1, Duplicates: 1, Refused: 1, Resent: 1}, *e.Devices["spot-c01"])
	require.Equal(t, map[city.Reason]int{city.ReasonNotJSON: 1}, e.Reasons)
	require.Equal(t, 1, e.Unacked)
}

func TestReadFails(t *testing.T) {
	nothing := func(truth.Line) error { return nil }
	require.ErrorContains(t, truth.Read(strings.NewReader("{}\nnonsense\n"), nothing), "line 2")
	stop := errors.New("enough")
	require.ErrorIs(t, truth.Read(strings.NewReader("{}\n"), func(truth.Line) error { return stop }), stop)
	v, _ := load(t)
	require.ErrorContains(t, truth.NewExpected(v).Line(truth.Line{What: truth.Delivered, Device: "d", Reading: []byte(`{}`)}), "no reading")
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriterTellsOfAFullDisk(t *testing.T) {
	w := truth.NewWriter(full{})
	w.Line(truth.Line{What: truth.Stay})
	require.ErrorContains(t, w.Flush(), "disk full")
	require.ErrorContains(t, w.Close(), "disk full")
}
