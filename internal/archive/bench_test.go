package archive

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// spotDay is a day of 3,000 spots with 100 readings of four values each, as a
// fleet sends them.
func spotDay() fakeDay {
	random := rand.New(rand.NewPCG(1, 2))
	day := make(fakeDay, 0, 300_001)
	day = append(day, journal.Entry{Pos: 1, Recv: day0, Type: journal.TypeDay, Day: &journal.Day{}})
	for round := range 100 {
		for device := range 3000 {
			recv := day0 + int64(round)*864_000 + int64(device)*288
			day = append(day, journal.Entry{Pos: uint64(len(day) + 1), Recv: recv, Type: journal.TypeReading, Source: "broker", Reading: &city.Reading{
				Device: fmt.Sprintf("spot-%04d", device), Kind: city.KindSpot, HasBoot: true, Boot: uint64(device % 9), Seq: uint64(device + round), At: recv - int64(random.IntN(1500)),
				Spot: &city.Spot{
					Occupied: random.IntN(2) == 0, DwellS: city.SomeInt(int64(random.IntN(7200))), Battery: city.SomeMilli(int64(3650 - round/4 - device%50)),
					Temperature: city.SomeMilli(int64(240+random.IntN(20)+round/5) * 100), RSSI: city.SomeMilli(int64(-90-device%20-random.IntN(4)) * 1000),
				},
			}})
		}
	}
	return day
}

// BenchmarkSpotDay reports bytes a value (each of dwell, battery, temperature
// and signal, with all columns of the reading beside them), the time of
// archiving 300,000 readings, and of reading one device's day.
func BenchmarkSpotDay(b *testing.B) {
	day := spotDay()
	info := day.info("2026-03-02")
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		size := int64(0)
		for b.Loop() {
			s := openStore(b, b.TempDir())
			_, err := s.Write(b.Context(), info, day.read)
			require.NoError(b, err)
			size = s.Days()[0].File("spot").Bytes
		}
		b.ReportMetric(float64(size)/300_000/4, "B/value")
		b.ReportMetric(float64(size)/300_000, "B/reading")
	})
	s := openStore(b, b.TempDir())
	_, err := s.Write(b.Context(), info, day.read)
	require.NoError(b, err)
	b.Run("device", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			i = (i + 1237) % 3000
			got, err := s.Read(b.Context(), "2026-03-02", "spot", fmt.Sprintf("spot-%04d", i), 0, 1<<62)
			require.NoError(b, err)
			require.Len(b, got, 100)
		}
	})
	b.Run("device cold", func(b *testing.B) {
		i := 0
		for b.Loop() {
			i = (i + 1237) % 3000
			require.NoError(b, s.Close())
			got, err := s.Read(b.Context(), "2026-03-02", "spot", fmt.Sprintf("spot-%04d", i), 0, 1<<62)
			require.NoError(b, err)
			require.Len(b, got, 100)
		}
	})
}
