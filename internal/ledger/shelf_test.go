package ledger

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

// onDisk is an option of Verify under which nothing is recomputed in memory.
const onDisk = 1

// Wild histories are recomputed in memory as they were on disk: numbers that
// come again and again, readings in any order, voids, totals that leap.
func TestTheShelfIsAsTheTables(t *testing.T) {
	seeds := uint64(12)
	if testing.Short() || raceDetector {
		seeds = 4
	}
	for seed := range seeds {
		numbers := []int{2, 5, 40, 400}[seed%4]
		f := newFollower(t)
		chance := rand.New(rand.NewPCG(seed, 11))
		tills := []*till{{device: "meter-a", boot: 1}, {device: "meter-c", boot: 1}, {device: "stranger", boot: 7}}
		var readings []*city.Reading
		for range 600 {
			m := tills[chance.IntN(len(tills))]
			r := m.paper(day0+chance.Int64N(300)*5*hour, strconv.Itoa(chance.IntN(numbers)), 2000+1000*chance.Int64N(3), city.Methods[chance.IntN(len(city.Methods))])
			r.Receipt.Void = chance.IntN(4) == 0
			r.HasBoot = m.device != "meter-c"
			if chance.IntN(2) == 0 {
				r.Receipt.TotalCount, r.Receipt.TotalAmount = city.SomeInt(chance.Int64N(50)), city.SomeInt(chance.Int64N(100_000))
			}
			readings = append(readings, r)
		}
		for i := range readings {
			if chance.IntN(3) == 0 {
				k := min(len(readings)-1, i+chance.IntN(200))
				readings[i], readings[k] = readings[k], readings[i]
			}
		}
		entries := log(readings...)
		for len(entries) > 0 {
			n := min(len(entries), 1+chance.IntN(100))
			apply(t, f, entries[:n])
			entries = entries[n:]
		}
		v, err := Verify(t.Context(), f.db.Path(), VerifyOptions{Options: f.o})
		require.NoError(t, err, "seed %d", seed)
		require.EqualValues(t, 600, v.Records)
		again, err := Verify(t.Context(), f.db.Path(), VerifyOptions{Options: f.o, Memory: onDisk})
		require.NoError(t, err, "seed %d", seed)
		require.Equal(t, v, again)
	}
}
