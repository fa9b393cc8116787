package replay_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/replay"
	"github.com/simpang-id/simpang/internal/city"
)

const counts = `Garage;Places;Cars;When
B;10;3;2014-05-22 09:00:00
A;10;5;2014-05-22 09:00:00
A;10;-6;2014-05-22 09:30:00
A;10;5;2014-05-22 09:00:00
A;10;12;2014-05-22 09:00:00
B;10;many;2014-05-22 10:00:00
B;10;;2014-05-22 10:30:00
B;10;4;yesterday
C;closed;4;2014-05-22 09:00:00
`

const countsMap = `
kind: count
delimiter: ";"
device: {column: Garage, template: "count-{value}", lower: true}
time: {columns: [When], layout: "2006-01-02 15:04:05", zone: Europe/Copenhagen}
values:
  class: {fixed: car}
  occupied: {column: Cars}
where: {Places: "10"}
`

func open(t *testing.T, csv, mapping string, f message.Format) *replay.Replay {
	t.Helper()
	m, err := replay.ParseMapping([]byte(mapping))
	require.NoError(t, err)
	r, err := replay.Open(strings.NewReader(csv), m, f)
	require.NoError(t, err)
	return r
}

func all(r *replay.Replay) (list []message.Message) {
	for {
		m, ok := r.Next()
		if !ok {
			return list
		}
		list = append(list, m)
	}
}

// Rows come by time, equal ones with one number, and impossible ones as they
// are.
func TestCounts(t *testing.T) {
	type sent struct {
		id, payload string
		expect      message.Expect
		reason      city.Reason
	}
	want := []sent{
		{"count-b::1", `{"at":"2014-05-22T07:00:00Z","class":"car","kind":"count","occupied":3,"seq":1}`, message.Accepted, ""},
		{"count-a::1", `{"at":"2014-05-22T07:00:00Z","class":"car","kind":"count","occupied":5,"seq":1}`, message.Accepted, ""},
		{"count-a::1", `{"at":"2014-05-22T07:00:00Z","class":"car","kind":"count","occupied":5,"seq":1}`, message.Duplicate, ""},
		{"count-a::2", `{"at":"2014-05-22T07:00:00Z","class":"car","kind":"count","occupied":12,"seq":2}`, message.Accepted, ""},
		{"count-a::3", `{"at":"2014-05-22T07:30:00Z","class":"car","kind":"count","occupied":-6,"seq":3}`, message.Refused, city.ReasonImpossible},
		{"count-b::2", `{"at":"2014-05-22T08:00:00Z","class":"car","kind":"count","occupied":"many","seq":2}`, message.Refused, city.ReasonWrongType},
		{"count-b::3", `{"at":"2014-05-22T08:30:00Z","class":"car","kind":"count","seq":3}`, message.Refused, city.ReasonMissingMember},
	}
	r := open(t, counts, countsMap, message.Native)
	require.Equal(t, []string{"count-a", "count-b"}, r.Devices())
	require.Len(t, r.Faults, 1)
	require.Equal(t, 9, r.Faults[0].Line)
	var got []sent
	for _, m := range all(r) {
		got = append(got, sent{m.ID(), string(m.Payload), m.Expect, m.Reason})
	}
	require.Equal(t, want, got)

	for i, m := range all(open(t, counts, countsMap, message.Frames)) {
		require.Equal(t, want[i].expect, m.Expect, "%s", m.Payload)
		require.Equal(t, want[i].reason, m.Reason, "%s", m.Payload)
	}
}

func TestTrafficInBothFormats(t *testing.T) {
	const csv = "\ufeffday,clock,n,v\n2014-08-01,07:50,5,50\n2014-08-01,07:55,0,-1\n"
	const mapping = `
kind: traffic
device: {fixed: tc-1}
time: {columns: [day, clock], layout: "2006-01-02 15:04", zone: UTC}
values: {period_s: {fixed: "300"}}
lanes:
  - lane: {fixed: "1"}
    unknown: {column: n}
    speed_kmh: {column: v, absent: ["-1"]}
`
	for _, f := range []message.Format{message.Native, message.Frames} {
		list := all(open(t, csv, mapping, f))
		require.Len(t, list, 2)
		for i, want := range []city.Lane{
			{Lane: 1, HasCounts: true, Unknown: 5, Speed: city.SomeMilli(50_000)},
			{Lane: 1, HasCounts: true},
		} {
			if f == message.Frames { // a sentence counts vehicles of no class as KR
				want.KR, want.Unknown = want.Unknown, 0
			}
			require.Equal(t, []city.Lane{want}, list[i].Reading.Traffic.Lanes)
			require.Equal(t, uint32(300), list[i].Reading.Traffic.PeriodS)
		}
	}
}

func TestOtherKinds(t *testing.T) {
	for _, c := range []struct{ csv, mapping string }{
		{"d,t,x\ns1,1772414100,busy\n", `{kind: spot, device: {column: d}, time: {columns: [t], layout: unix}, values: {occupied: {column: x, map: {busy: "true", free: "false"}}}}`},
		{"d,t,x\ng1,1772414100000,out\n", `{kind: gate, device: {column: d}, time: {columns: [t], layout: unix_ms}, values: {direction: {column: x}, class: {fixed: car}}}`},
		{"d,t,x\nm1,1772414100,5000\n", `{kind: receipt, device: {column: d}, time: {columns: [t], layout: unix}, values: {amount: {column: x}, receipt: {column: t}, method: {fixed: cash}, void: {fixed: "false"}}}`},
	} {
		for _, f := range []message.Format{message.Native, message.Frames} {
			list := all(open(t, c.csv, c.mapping, f))
			require.Len(t, list, 1)
			require.Equal(t, message.Accepted, list[0].Expect, "%s", list[0].Payload)
			require.Equal(t, int64(1772414100000), list[0].Reading.At)
		}
	}
}

func TestShift(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 30, 0, time.UTC)
	r := open(t, counts, countsMap, message.Native) // 07:00 to 08:30 UTC
	r.ShiftTo(now, 0)
	_, last := r.Span()
	require.Equal(t, now.Add(-30*time.Second).UnixMilli(), last)

	r.ShiftTo(now, 90) // takes a minute
	first, last := r.Span()
	require.Equal(t, now.Add(30*time.Second).UnixMilli(), last)
	require.Equal(t, 90*time.Minute, time.Duration(last-first)*time.Millisecond)
	m, _ := r.Next()
	require.Equal(t, first, m.Reading.At)
}

func TestMappingFaultsAreToldAtOnce(t *testing.T) {
	for text, want := range map[string][]string{
		"kind: health": {"kind is", "device: give", "time: give"},
		"{kind: count, device: {fixed: a}, time: {columns: [t], layout: unix, zone: Mars}, values: {occupied: {column: a, fixed: b}, speed: {fixed: x}}, lanes: [{lane: {fixed: 1}}]}": {
			"time.zone", "values.occupied: give", "values.speed is no member", "lanes: give them for traffic",
		},
		"{kind: traffic, device: {column: a, template: x}, time: {columns: [t], layout: unix}, delimiter: ab, lanes: [{lame: {fixed: 1}}]}": {
			"delimiter", "no {value}", "lame is no member",
		},
		"knid: count": {"field knid not found"},
	} {
		_, err := replay.ParseMapping([]byte(text))
		for _, part := range want {
			require.ErrorContains(t, err, part)
		}
	}
	m, err := replay.ParseMapping([]byte(countsMap))
	require.NoError(t, err)
	_, err = replay.Open(strings.NewReader("Garage;Cars\nA;1\n"), m, message.Native)
	require.ErrorContains(t, err, "no column When")
	require.ErrorContains(t, err, "no column Places")
	_, err = replay.Open(strings.NewReader("Garage;Places;Cars;When\nA;10;1;never\n"), m, message.Native)
	require.ErrorContains(t, err, "no row to replay")
	require.ErrorContains(t, err, "line 2")
}

// A name that cannot be an id, or that would be another topic, becomes one.
func TestDeviceIDs(t *testing.T) {
	r := open(t, "Garage;Places;Cars;When\nBull Ring;10;1;2014-05-22 09:00:00\nA/B+\u00e9;10;1;2014-05-22 09:00:00\nx_1.2;10;1;2014-05-22 09:00:00\n", countsMap, message.Native)
	require.Equal(t, []string{"count-a-b--", "count-bull-ring", "count-x_1.2"}, r.Devices())
}

// The example maps fit the files that they are for, where those are there.
func TestExamples(t *testing.T) {
	for _, c := range []struct {
		mapping, csv             string
		rows, duplicate, refused int
	}{
		{"birmingham", "parking/birmingham.csv", 17970, 99, 12},
		{"aarhus-parking", "parking/AarhusParkingDataBRUUNS.csv", 6908, 0, 0},
		{"aarhus-traffic", "traffic/AarhusTrafficData158505.csv", 16954, 4, 0},
	} {
		t.Run(c.mapping, func(t *testing.T) {
			m, err := replay.LoadMapping(filepath.Join("../../configs/replay", c.mapping+".yaml"))
			require.NoError(t, err)
			file, err := os.Open(filepath.Join("../../../shared/data", c.csv))
			if err != nil {
				t.Skip("shared/data is not here: the real data cannot be replayed")
			}
			defer func() { require.NoError(t, file.Close()) }()
			r, err := replay.Open(file, m, message.Native)
			require.NoError(t, err)
			require.Empty(t, r.Faults)
			n := map[message.Expect]int{}
			for _, m := range all(r) {
				n[m.Expect]++
				if m.Expect == message.Refused {
					require.Equal(t, city.ReasonImpossible, m.Reason)
				}
			}
			require.Equal(t, map[message.Expect]int{
				message.Accepted: c.rows - c.duplicate - c.refused, message.Duplicate: c.duplicate, message.Refused: c.refused,
			}, map[message.Expect]int{message.Accepted: n[message.Accepted], message.Duplicate: n[message.Duplicate], message.Refused: n[message.Refused]})
		})
	}
}
