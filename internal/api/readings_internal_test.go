package api

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// TestReadingsAreWrittenAsTheyAreEncoded compares the quick way with the slow.
func TestReadingsAreWrittenAsTheyAreEncoded(t *testing.T) {
	s := &Server{zone: time.FixedZone("WIB", 7*3600)}
	wholes := rapid.OneOf(rapid.Int64Range(-3000, 3000), rapid.Int64())
	rapid.Check(t, func(t *rapid.T) {
		some := func(name string) city.Int {
			return city.Int{V: wholes.Draw(t, name), OK: rapid.Bool().Draw(t, name+"?")}
		}
		class := func() city.Class { return city.Class(rapid.IntRange(0, 7).Draw(t, "class")) }
		found := make([]journal.Entry, rapid.IntRange(0, 3).Draw(t, "n"))
		for i := range found {
			r := &city.Reading{
				Kind: rapid.SampledFrom(city.Kinds).Draw(t, "kind"), HasBoot: rapid.Bool().Draw(t, "boot?"), Boot: rapid.Uint64Range(0, math.MaxInt64).Draw(t, "boot"),
				Seq: rapid.Uint64().Draw(t, "seq"), At: rapid.Int64Range(0, 1<<42).Draw(t, "at") / 500 * 500,
			}
			found[i] = journal.Entry{
				Pos: rapid.Uint64().Draw(t, "pos"), Recv: rapid.Int64Range(0, 1<<42).Draw(t, "recv"), Flags: journal.Flags(rapid.Uint8().Draw(t, "flags")),
				Source: rapid.SampledFrom([]string{"broker", "", `a"b`, "é"}).Draw(t, "source"), Reading: r,
			}
			switch r.Kind {
			case city.KindSpot:
				r.Spot = &city.Spot{
					Occupied: rapid.Bool().Draw(t, "occupied"), DwellS: some("dwell"), Battery: city.Milli(some("battery")),
					Temperature: city.Milli(some("temperature")), RSSI: city.Milli(some("rssi")),
				}
			case city.KindGate:
				r.Gate = &city.Gate{Out: rapid.Bool().Draw(t, "out"), Class: class(), Count: rapid.Uint32().Draw(t, "count")}
			case city.KindCount:
				r.Count = &city.Count{Class: class(), Occupied: rapid.Uint32().Draw(t, "count")}
			case city.KindTraffic:
				r.Traffic = &city.Traffic{PeriodS: 60, Lanes: []city.Lane{{Lane: 1, Speed: city.Milli(some("speed"))}}}
			case city.KindReceipt:
				r.Receipt = &city.Receipt{Number: "R1", Amount: 3000, Class: class()}
			default:
				texts := rapid.SampledFrom([]string{"", "1.0", "<low>", `a"b`, "é"})
				r.Health = &city.Health{
					Battery: city.Milli(some("battery")), UptimeS: some("uptime"), Firmware: texts.Draw(t, "firmware"),
					Errors: rapid.SliceOfN(texts, 0, 2).Draw(t, "errors"),
				}
			}
		}
		next := TextOrNull(rapid.SampledFrom([]string{"", "abc"}).Draw(t, "next"))
		missing := rapid.SampledFrom([]string{"", "a \"reason\""}).Draw(t, "missing")
		list := ReadingList{List: List[Reading]{Items: make([]Reading, 0, len(found)), Next: next}, Missing: missing}
		if missing != "" {
			list.Quality = partial
		}
		for i := range found {
			list.Items = append(list.Items, s.reading(&found[i]))
		}
		require.Equal(t, string(encode(list)), string(s.readingList(found, next, missing)))
	})
}

// TestTimesOfADay compares times that come one after the other with each time
// by itself: over midnights, over changes of the clock, before 1970.
func TestTimesOfADay(t *testing.T) {
	var zones []*time.Location
	for _, name := range []string{"UTC", "Asia/Jakarta", "America/New_York", "Australia/Lord_Howe", "Africa/Monrovia"} {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		zones = append(zones, zone)
	}
	moments := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1<<42, 1<<42), rapid.SampledFrom([]int64{
		0, -1, 1_772_953_200_000, 1_793_512_800_000, 1_775_314_800_000, 1_791_039_600_000, 63_593_070_000, // 2026's changes of New York and Lord Howe, Liberia's of 1972
	}))
	rapid.Check(t, func(t *rapid.T) {
		d := days{zone: rapid.SampledFrom(zones).Draw(t, "zone")}
		ms := moments.Draw(t, "first")
		for range 12 {
			require.Equal(t, string(appendTime(nil, ms, d.zone)), string(d.append(nil, ms)), "%d in %s", ms, d.zone)
			ms += rapid.OneOf(rapid.Int64Range(-2000, 2000), rapid.Int64Range(-5*3_600_000, 5*3_600_000)).Draw(t, "step")
		}
	})
}

func BenchmarkReadings(b *testing.B) {
	s := &Server{zone: time.FixedZone("WIB", 7*3600)}
	found := make([]journal.Entry, 1000)
	for i := range found {
		found[i] = journal.Entry{Pos: uint64(i), Recv: int64(i)*300_000 + 1<<40, Source: "devices", Reading: &city.Reading{
			Kind: city.KindSpot, HasBoot: true, Boot: 3, Seq: uint64(i), At: int64(i)*299_500 + 1<<40,
			Spot: &city.Spot{Occupied: true, Battery: city.SomeMilli(3612), Temperature: city.SomeMilli(28_500), RSSI: city.SomeMilli(-97_000)},
		}}
	}
	b.Run("quick", func(b *testing.B) {
		for b.Loop() {
			s.readingList(found, "x", "")
		}
	})
	b.Run("encoded", func(b *testing.B) {
		for b.Loop() {
			list := List[Reading]{Items: make([]Reading, 0, len(found)), Next: "x"}
			for i := range found {
				list.Items = append(list.Items, s.reading(&found[i]))
			}
			encode(list)
		}
	})
}
