package ledger

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

// TestPowerLossTakesNoMoney: a flush that returned is in the books after the
// cut, whole, and the chain of entries goes on from there to the same end.
func TestPowerLossTakesNoMoney(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	tills := []*till{{device: "meter-a", boot: 1}, {device: "meter-c", boot: 1}, {device: "meter-d", boot: 2}}
	var readings []*city.Reading
	for range 150 {
		m := tills[r.IntN(len(tills))]
		p := m.paper(day0+r.Int64N(400)*6*hour+r.Int64N(4)*2*minute, strconv.Itoa(1+r.IntN(60)), []int64{2000, 3000}[r.IntN(2)], city.Methods[r.IntN(len(city.Methods))])
		p.Receipt.Void = r.IntN(3) == 0
		if r.IntN(2) == 0 {
			p.Receipt.TotalCount = city.SomeInt(r.Int64N(30))
		}
		readings = append(readings, p)
	}
	r.Shuffle(len(readings), func(i, k int) { readings[i], readings[k] = readings[k], readings[i] })
	entries := withActs(log(readings...))
	timeline := testTimeline(t)
	points := 0
	powercut.Flushes[journal.Entry]{
		File: "ledger.db", Batches: powercut.InBatches(entries, 4), Durable: true, Every: 3,
		Open: func(tb testing.TB, path string) (powercut.Follower[journal.Entry], error) {
			tb.Helper()
			return Open(tb.Context(), path, Options{Timeline: timeline, Zone: wib})
		},
		Answers: func(tb testing.TB, f powercut.Follower[journal.Entry]) any {
			tb.Helper()
			books, ok := f.(*Follower)
			require.True(tb, ok)
			if points++; points%8 == 0 {
				_, err := books.Verify(tb.Context(), VerifyOptions{})
				require.NoError(tb, err)
			}
			return dump(tb, books)
		},
	}.Run(t, 1000)
}
