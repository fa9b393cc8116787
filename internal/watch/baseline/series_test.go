package baseline

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestARestartChangesNothing: written and read anywhere, a series goes on as if
// nothing had been.
func TestARestartChangesNothing(t *testing.T) {
	t.Parallel()
	p := Defaults()
	shapes := made()
	rapid.Check(t, func(t *rapid.T) {
		list, _ := shapes[rapid.IntRange(0, len(shapes)-1).Draw(t, "shape")].make(rapid.Uint64().Draw(t, "seed"), 1)
		cut := rapid.IntRange(0, 800).Draw(t, "cut")
		var one, other Series
		for i, r := range list[:1000] {
			if i == cut {
				data, err := other.MarshalBinary()
				require.NoError(t, err)
				other = Series{}
				require.NoError(t, other.UnmarshalBinary(data))
			}
			kind, time := kindOf(r.At)
			a, _ := one.Add(&p, r.At, kind, time, r.Value)
			b, _ := other.Add(&p, r.At, kind, time, r.Value)
			require.Equal(t, a, b)
		}
	})
}

// TestAnyUnit: a series in another unit, or shifted, has the same anomalies.
func TestAnyUnit(t *testing.T) {
	t.Parallel()
	p := Defaults()
	list, _ := made()[0].make(3, 2)
	want := Flags(&p, list)
	require.NotEmpty(t, want)
	for _, by := range []float64{1024, 1.0 / 4096} {
		other := make([]Reading, len(list))
		for i, r := range list {
			other[i] = Reading{r.At, r.Value * by}
		}
		require.Equal(t, want, Flags(&p, other), "times %v", by)
	}
}

// TestWhateverComes: no value makes it anything but a number, and what is no
// reading is not taken.
func TestWhateverComes(t *testing.T) {
	t.Parallel()
	p := Defaults()
	rapid.Check(t, func(t *rapid.T) {
		var s Series
		at := int64(0)
		for range rapid.IntRange(1, 200).Draw(t, "n") {
			at += rapid.Int64Range(-1000, 3*dayMs).Draw(t, "dt")
			kind := Kind(rapid.IntRange(0, int(Kinds)).Draw(t, "kind"))
			value := rapid.Float64().Draw(t, "value")
			before := s
			v, ok := s.Add(&p, at, kind, (at%dayMs+dayMs)%dayMs, value)
			if !ok {
				require.Equal(t, before, s)
				continue
			}
			for _, x := range []float64{v.Mid, v.Low, v.High, v.Score} {
				require.False(t, math.IsNaN(x), "%+v", v)
			}
			require.LessOrEqual(t, v.Low, v.High)
		}
	})
}

// TestAnomaliesTeachSlowly: hours of nonsense hardly move what is expected, and
// what lasts for days is the new normal.
func TestAnomaliesTeachSlowly(t *testing.T) {
	t.Parallel()
	p := Defaults()
	d := rand.New(rand.NewPCG(1, 2))
	var s Series
	at := int64(dayMs * 4)
	give := func(days float64, mean float64) (v Verdict) {
		for until := at + int64(days*dayMs); at < until; {
			at += 5 * minuteMs
			v, _ = s.Add(&p, at, Working, at%dayMs, mean+d.NormFloat64())
		}
		return v
	}
	v := give(14, 50)
	require.InDelta(t, 50, v.Mid, 1)
	require.False(t, v.Anomalous)
	v = give(0.15, 10)
	require.True(t, v.Anomalous)
	require.False(t, v.Above)
	give(1, 50)
	v = give(0.8, 50)
	require.InDelta(t, 50, v.Mid, 2.5)
	require.False(t, v.Anomalous)
	v = give(30, 20)
	require.Less(t, v.Mid, 35.0, "most of the way to the new level")
	require.False(t, v.Anomalous)
	v = give(60, 20)
	require.InDelta(t, 20, v.Mid, 3)
}

// TestAnUnseenKindOfDay borrows from the one next to it with a wider band, and
// says so until it was seen.
func TestAnUnseenKindOfDay(t *testing.T) {
	t.Parallel()
	p := Defaults()
	d := rand.New(rand.NewPCG(1, 2))
	var s Series
	at := int64(dayMs * 4)
	day := func(kind Kind, busy float64) (noon Verdict) {
		for until := at + dayMs; at < until; {
			at += 5 * minuteMs
			time := at % dayMs
			v, _ := s.Add(&p, at, kind, time, 10+busy*bump(float64(time)/hourMs, 12, 2)+d.NormFloat64())
			if time == dayMs/2 {
				noon = v
			}
		}
		return noon
	}
	var seen Verdict
	for range 10 {
		seen = day(Working, 50)
	}
	require.False(t, seen.Unseen)
	lebaran := day(Lebaran, 5)
	require.True(t, lebaran.Unseen)
	require.Greater(t, lebaran.High-lebaran.Low, 1.5*(seen.High-seen.Low))
	for range 4 {
		lebaran = day(Lebaran, 5)
	}
	require.False(t, lebaran.Unseen)
	require.InDelta(t, 15, lebaran.Mid, 8)
	require.InDelta(t, 60, day(Working, 50).Mid, 8, "a working day is as it was")
}

func FuzzUnmarshal(f *testing.F) {
	var s Series
	p := Defaults()
	for i := range int64(50) {
		s.Add(&p, i*hourMs, Kind(i/24%2), i%24*hourMs, float64(i%7))
	}
	data, err := s.MarshalBinary()
	require.NoError(f, err)
	f.Add(data)
	f.Add([]byte{version})
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Series
		if s.UnmarshalBinary(data) != nil {
			return
		}
		again, err := s.MarshalBinary()
		require.NoError(t, err)
		var other Series
		require.NoError(t, other.UnmarshalBinary(again))
	})
}

// BenchmarkSeries watches 100,000 series, one after the other, so that none is
// in the processor's cache.
func BenchmarkSeries(b *testing.B) {
	p := Defaults()
	series := make([]Series, 100_000)
	at, i := int64(dayMs), 0
	for b.Loop() {
		series[i].Add(&p, at+int64(i), Kind(at/dayMs%2), at%dayMs, float64(i*7919%101))
		if i++; i == len(series) {
			i, at = 0, at+5*minuteMs
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "readings/s")
}

// TestAnUnknownKindOfDayIsNoShift: a kind of day that was never seen, half
// busier again than the others, is no lasting shift on its first day.
func TestAnUnknownKindOfDayIsNoShift(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(5, 6))
	var s Series
	p := Defaults()
	at := int64(0)
	day := func(kind Kind, more float64) (flagged int) {
		for m := int64(0); m < dayMs; m += 5 * minuteMs {
			level := 20 + 60*math.Exp(-math.Pow(float64(m)/float64(hourMs)-13, 2)/20)
			if v, ok := s.Add(&p, at+m, kind, m, more*level+2*dice.NormFloat64()); ok && v.Anomalous {
				flagged++
			}
		}
		at += dayMs
		return flagged
	}
	for range 10 {
		day(Ramadan, 1)
	}
	require.Zero(t, day(LebaranWorking, 1.6))
	require.NotZero(t, day(Ramadan, 3), "a known one is, where it is large")
}
