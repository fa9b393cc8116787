package intake

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

// remembering is the memory of de-duplication as a follower of readings: an
// image is its flush.
type remembering struct {
	tb    testing.TB
	store *Store
	d     *Dedupe
	pos   uint64
}

type seen struct {
	pos uint64
	r   *city.Reading
}

func (m *remembering) Cursor() uint64 {
	pos, err := m.store.Load(m.tb.Context(), NewDedupe(7*day))
	require.NoError(m.tb, err)
	return pos
}

func (m *remembering) Apply(entries []seen) error {
	for _, e := range entries {
		if e.pos > m.pos {
			m.d.Judge(e.r, now)
			m.pos = e.pos
		}
	}
	return nil
}

func (m *remembering) Flush() error {
	return m.store.Save(m.tb.Context(), m.d.Image(m.pos))
}

func (m *remembering) Close() error { return m.store.Close() }

// TestPowerLossForgetsWholeImages: after the cut the memory is that of one
// image, with the position that belongs to it, and after the journal's tail it
// knows every reading again.
func TestPowerLossForgetsWholeImages(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 10))
	var entries []seen
	for i := range 400 {
		reading := booted(1+r.Uint64N(2), uint64(i)+r.Uint64N(3), now+int64(i)*1000, r.IntN(2) == 0)
		reading.Device = fmt.Sprint("d", r.IntN(6))
		if r.IntN(5) == 0 {
			reading.HasBoot = false
		}
		entries = append(entries, seen{uint64(i) + 1, reading})
	}
	powercut.Flushes[seen]{
		File: "dedupe.db", Batches: powercut.InBatches(entries, 9),
		Open: func(tb testing.TB, path string) (powercut.Follower[seen], error) {
			tb.Helper()
			store, err := OpenStore(tb.Context(), path)
			if err != nil {
				return nil, err
			}
			m := &remembering{tb: tb, store: store, d: NewDedupe(7 * day)}
			m.pos, err = store.Load(tb.Context(), m.d)
			return m, err
		},
		Answers: func(tb testing.TB, f powercut.Follower[seen]) any {
			tb.Helper()
			m, ok := f.(*remembering)
			require.True(tb, ok)
			states := map[string][]byte{}
			for id, memory := range m.d.devices {
				states[id] = encodeMemory(nil, memory)
			}
			for _, e := range entries {
				require.False(tb, m.d.Judge(e.r, now).Accepted, "position %d is taken for new", e.pos)
			}
			return states
		},
	}.Run(t, 1200)
}
