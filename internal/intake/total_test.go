package intake

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

func gateTotal(seq uint64, at, total int64) *city.Reading {
	return &city.Reading{Device: "g", Kind: city.KindGate, Seq: seq, At: at, Frame: true, Gate: &city.Gate{Class: city.Car, Total: city.SomeInt(total), End: 1 << 16}}
}

// A counter's totals become differences; wrap, reset, repeats and what comes
// late are told apart, and a restart changes nothing.
func TestATotalBecomesADifference(t *testing.T) {
	d := NewDedupe(7 * day)
	seq, at := uint64(0), now
	for i, c := range []struct {
		total int64
		count uint32
		flags journal.Flags
	}{
		{1706, 0, 0}, // nothing is before it
		{1710, 4, 0},
		{1710, 0, 0},
		{65530, 63820, 0},
		{4, 10, 0},                  // 16 bits have wrapped
		{9, 5, 0},                   //
		{2, 2, journal.FlagReset},   // it began anew and counted two
		{50_000, 49_998, 0},         //
		{10, 10, journal.FlagReset}, // far from the end
		{61_439, 61_429, 0},         //
		{0, 0, journal.FlagReset},   // 4,097 would be too many for a wrap
		{61_441, 61_441, 0},         //
		{0, 4095, 0},                // the most that a wrap may be
	} {
		seq, at = seq+1, at+day
		r := gateTotal(seq, at, c.total)
		v := d.Judge(r, at)
		require.True(t, v.Accepted)
		require.Equal(t, c.flags, v.Flags, "%d", i)
		v.grew.fill(r)
		require.Equal(t, c.count, r.Gate.Count, "%d", i)
		require.Zero(t, r.Gate.End, "the journal does not keep it")

		again := gateTotal(seq, at, c.total)
		require.True(t, d.Judge(again, at).Duplicate, "the same again, which is not counted")
		require.True(t, d.Judge(r, at).Duplicate, "as it stands in the journal")

		d = stored(t, d)
	}
	late := gateTotal(3_000, at-30_000, 65_000)
	v := d.Judge(late, at)
	require.True(t, v.Accepted)
	v.grew.fill(late)
	require.Zero(t, late.Gate.Count, "a later total has counted it")
}

// stored is the memory as a restart finds it.
func stored(t *testing.T, d *Dedupe) *Dedupe {
	t.Helper()
	store, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "dedupe.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	for id := range d.devices {
		d.memory(id)
	}
	require.NoError(t, store.Save(t.Context(), d.Image(1)))
	again := NewDedupe(d.maxAge)
	_, err = store.Load(t.Context(), again)
	require.NoError(t, err)
	require.Equal(t, d.devices["g"].totals, again.devices["g"].totals)
	return again
}

func TestATotalOnARoad(t *testing.T) {
	d := NewDedupe(7 * day)
	road := func(seq uint64, at, total int64) *city.Reading {
		return &city.Reading{Device: "g", Kind: city.KindTraffic, Seq: seq, At: at, Traffic: &city.Traffic{PeriodS: 300, Lanes: []city.Lane{
			{Lane: 1, Total: city.SomeInt(total)}, {Lane: 2, HasCounts: true},
		}}}
	}
	judge := func(r *city.Reading) *city.Traffic {
		v := d.Judge(r, now)
		require.True(t, v.Accepted)
		v.grew.fill(r)
		return r.Traffic
	}
	first := judge(road(1, now, 100))
	require.Equal(t, uint32(300), first.PeriodS)
	require.False(t, first.Lanes[0].HasCounts, "unknown, not 0")
	require.False(t, first.Lanes[1].HasCounts, "unknown, not 0")
	second := judge(road(2, now+120_000, 130))
	require.Equal(t, uint32(120), second.PeriodS, "since the total before")
	require.Equal(t, uint32(30), second.Lanes[0].Unknown)
	require.True(t, second.Lanes[1].HasCounts)
	third := judge(road(3, now+120_000+2*3600_000, 1000))
	require.False(t, third.Lanes[0].HasCounts, "over an hour has no period")
}

// A frame counter that comes again within a minute is the same frame; later it
// is of another session, or the device began anew.
func TestCopiesOfAFrame(t *testing.T) {
	d := NewDedupe(7 * day)
	frame := func(seq uint64, at int64) *city.Reading {
		r := spot(seq, at, true)
		r.Frame = true
		return r
	}
	judge := func(r *city.Reading, want Verdict, why string) {
		t.Helper()
		got := d.Judge(r, now)
		got.old = false
		require.Equal(t, want, got, why)
	}
	judge(frame(65_535, now), fresh, "the first")
	judge(frame(65_535, now+900), known, "another gateway's copy")
	judge(frame(65_535, now-900), known, "and one that was earlier")
	judge(frame(0, now+600_000), newRun, "16 bits have wrapped")
	judge(frame(1, now+1_200_000), fresh, "and it goes on")
	judge(frame(0, now+1_800_000), newRun, "the device began anew")
	judge(frame(1, now+1_800_900), fresh, "and counts as before")
	again := frame(1, now+1_801_900)
	again.Frame = false // the network says that this is another session
	judge(again, newRun, "a number again within a minute, in another session")
	judge(frame(65_535, now), known, "a repeat of the first run")
}

// TestCountersOfOneDeviceAreTheirOwn: by direction and class, over restarts; a
// total of before a device could have several is of the one that is heard next.
func TestCountersOfOneDeviceAreTheirOwn(t *testing.T) {
	d := NewDedupe(7 * day)
	seq, at := uint64(0), now
	counts := func(out bool, class city.Class, total int64) uint32 {
		seq, at = seq+1, at+10_000
		r := &city.Reading{Device: "g", Kind: city.KindGate, HasBoot: true, Boot: 1, Seq: seq, At: at, Gate: &city.Gate{Out: out, Class: class, Total: city.SomeInt(total)}}
		v := d.Judge(r, at)
		require.True(t, v.Accepted)
		v.grew.fill(r)
		d = stored(t, d)
		return r.Gate.Count
	}
	require.Zero(t, counts(false, city.Car, 100))
	require.Zero(t, counts(true, city.Car, 90))
	require.EqualValues(t, 5, counts(false, city.Car, 105))
	require.EqualValues(t, 1, counts(true, city.Car, 91))
	require.Zero(t, counts(false, city.Motorcycle, 7))

	old := NewDedupe(7 * day)
	old.memory("g").totals = []keyedTotal{{anyKey, total{known: true, v: 40, at: now}}}
	d = old
	require.EqualValues(t, 2, counts(true, city.Car, 42))
	require.Zero(t, counts(false, city.Car, 42))
}

// TestWhatACounterCannotHaveCounted: a wrap is believed where the counter's end is
// known and it can have come that far, and so is a growth.
func TestWhatACounterCannotHaveCounted(t *testing.T) {
	const minute = 60_000
	type step struct {
		total int64
		after int64 // ms
		count uint32
		flags journal.Flags
	}
	for name, c := range map[string]struct {
		end   int64
		steps []step
	}{
		"32 bits wrap":                           {1 << 32, []step{{1<<32 - 3, 0, 0, 0}, {2, minute, 5, 0}}},
		"32 bits that stood below 16 begin anew": {1 << 32, []step{{62_000, 0, 0, 0}, {5, minute, 5, journal.FlagReset}}},
		"16 bits, each ten vehicles":             {655_360, []step{{655_350, 0, 0, 0}, {20, minute, 30, 0}}},
		"no end is known":                        {0, []step{{65_530, 0, 0, 0}, {5, minute, 5, journal.FlagReset}}},
		"another board":                          {0, []step{{100, 0, 0, 0}, {250_000, minute, 0, journal.FlagReset}, {250_003, minute, 3, 0}}},
		"0 while it starts":                      {1 << 16, []step{{40_000, 0, 0, 0}, {0, minute, 0, journal.FlagReset}, {40_002, minute, 0, journal.FlagReset}, {40_003, minute, 1, 0}}},
		"no wrap that fast":                      {1 << 16, []step{{64_000, 0, 0, 0}, {1_000, minute, 0, journal.FlagReset}}},
		"off for a day":                          {0, []step{{100, 0, 0, 0}, {9_000, day, 8_900, 0}}},
	} {
		t.Run(name, func(t *testing.T) {
			d, replayed := NewDedupe(7*day), NewDedupe(7*day)
			at := now
			for i, s := range c.steps {
				at += s.after
				r := gateTotal(uint64(i), at, s.total)
				r.Gate.End = c.end
				v := d.Judge(r, at)
				require.True(t, v.Accepted)
				v.grew.fill(r)
				require.Equal(t, s.count, r.Gate.Count, i)
				require.Equal(t, s.flags, v.Flags, i)
				require.True(t, replayed.Judge(r, at).Accepted)
				require.Equal(t, d.devices["g"].totals, replayed.devices["g"].totals, "a replay remembers the same")
			}
		})
	}
}
