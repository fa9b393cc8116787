package health

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

const someDay = int64(20_500) // of 2026

// sink makes a battery that tells its voltage six times a day for some days: from mv,
// sinking by so much a day, with noise.
func sink(days int, mv, perDay, noise float64, seed uint64) (*battery, int64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	b := &battery{}
	at := int64(0)
	for i := range days * 6 {
		at = someDay*dayMs + int64(i)*4*hourMs
		b.add(int64(mv-perDay*float64(i)/6+noise*rng.NormFloat64()), at)
	}
	return b, at
}

func TestForecastOfABatteryThatSinks(t *testing.T) {
	for _, c := range []struct {
		days         int
		mv, by, left float64
	}{
		{20, 3600, 10, 30},    // (3600 - 20*10 - 3100) / 10
		{60, 3600, 4, 65},     // days of two
		{150, 3600, 2, 100},   // of eight
		{400, 3600, 0.5, 600}, // the oldest are gone
	} {
		for seed := range uint64(20) {
			b, now := sink(c.days, c.mv, c.by, 15, seed)
			require.LessOrEqual(t, len(b.points), maxPoints)
			f := b.forecast(3100, now)
			require.Empty(t, f.Reason, "%+v %+v", c, f)
			require.InDelta(t, c.left, f.Days.V, 0.35*c.left+2, "%+v seed %d %+v", c, seed, f)
			require.Negative(t, f.MVDay.V)
		}
	}
}

func TestForecastSaysWhyThereIsNone(t *testing.T) {
	b, now := sink(60, 3600, 4, 5, 1)
	require.Equal(t, NotHeard, b.forecast(3100, now+20*dayMs).Reason)
	require.Equal(t, city.SomeInt(0), b.forecast(3500, now).Days, "it is low already")
	b, now = sink(5, 3600, 10, 5, 1)
	require.Equal(t, TooShort, b.forecast(3100, now).Reason)
	require.Equal(t, NoVoltage, (&battery{}).forecast(3100, now).Reason)
	b, now = sink(300, 3600, 0.01, 0, 1)
	require.Equal(t, Steady, b.forecast(3100, now).Reason, "it lasts over ten years")
	false5 := 0
	for seed := range uint64(200) {
		b, now = sink(40, 3600, 0, 20, seed)
		if b.forecast(3100, now).Reason == "" {
			false5++
		}
	}
	require.LessOrEqual(t, false5, 20, "a battery that does not sink is told to, of 200")
}

func TestAThirdOfWrongVoltagesMovesNothingAndANewBatteryBeginsAnew(t *testing.T) {
	b, now := sink(20, 3600, 10, 0, 1)
	for i := range b.points {
		if i%4 == 1 {
			b.points[i] = pointOf(b.points[i].day(), 2900)
		}
	}
	require.InDelta(t, 30, b.forecast(3100, now).Days.V, 8)

	b, now = sink(20, 3600, 20, 0, 1) // down to 3.2 V
	for i := range int64(12 * 6) {
		b.add(3600-i*2, now+dayMs+i*4*hourMs)
	}
	f := b.forecast(3100, now+13*dayMs)
	require.InDelta(t, 12, f.Points, 1, "of the new one")
	require.Greater(t, f.Days.V, int64(10))
}

func TestLateVoltagesAndOddTimesChangeNothing(t *testing.T) {
	b, now := sink(20, 3600, 10, 0, 1)
	before := *b
	b.add(100, now-5*dayMs)
	b.add(100, -5)
	b.add(100, 1<<62)
	require.Equal(t, before, *b)
}

func FuzzTrend(f *testing.F) {
	b, _ := sink(60, 3600, 4, 5, 1)
	x := trend{battery: *b, holes: []hole{{runKey{true, 3}, 5, 9, 77}, {runKey{false, 1}, 1, 1, -4}}}
	f.Add(x.encode(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decodeTrend(data)
		if err != nil {
			return
		}
		again, err := decodeTrend(got.encode(nil))
		require.NoError(t, err)
		require.Equal(t, got, again)
		_ = got.battery.forecast(3100, someDay*dayMs)
	})
}
