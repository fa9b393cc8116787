package certificate_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/certificate"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

// issued is every revision that a follower has issued, by name, with its hash.
func issued(t *testing.T, w *world) map[string]string {
	t.Helper()
	all := map[string]string{}
	keep := func(name string, get func(revision int64) (*certificate.Kept, error)) {
		for n := int64(1); ; n++ {
			kept, err := get(n)
			if err != nil {
				return
			}
			all[fmt.Sprint(name, " ", n)] = kept.SHA256
		}
	}
	for at := begin; at < w.now; at += day {
		date := dateOf(at)
		for _, id := range []string{"d", "e", "f"} {
			keep(id+" "+date, func(n int64) (*certificate.Kept, error) { return w.f.Device(t.Context(), id, date, n) })
		}
		for _, site := range []string{"a", "b"} {
			keep(site+" "+date, func(n int64) (*certificate.Kept, error) {
				return w.f.Place(t.Context(), certificate.SiteKey(site), date, n)
			})
		}
		keep("city "+date, func(n int64) (*certificate.Kept, error) {
			kept, _, err := w.f.City(t.Context(), date, n)
			return kept, err
		})
	}
	return all
}

// state is what was told before a cut.
type state struct {
	cursor uint64
	issued map[string]string
}

// TestPowerLossAmongCertificates: a certificate that was issued before the cut is
// there after it, to the letter, and a flush that returned is not lost; from there
// it goes on to certificates that say what health knows, each naming the one
// before.
func TestPowerLossAmongCertificates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "d,a,,600", "e,a,,3600", "f,b,,600")
	require.NoError(t, w.f.Close())
	dir := powercut.Folder(t)
	disk := powercut.New(t, dir, 0).Checkpoint(12)
	trace, acks := disk.Record(), powercut.NewAcks[state](disk)
	w.f = w.open(dir)
	told := func() { acks.Add(state{w.f.Cursor(), issued(t, w)}) }
	told()
	dice := rand.New(rand.NewPCG(4, 2))
	w.tick(begin)
	for range 60 {
		for range 4 {
			at := w.now
			if dice.IntN(4) == 0 {
				at = max(begin, at-dice.Int64N(6*day))
			}
			w.sent(string("def"[dice.IntN(3)]), 1, uint64(at-begin)/uint64(10*minute), at)
			w.tick(w.now + dice.Int64N(2)*hour)
		}
		w.flush()
		told()
		_, err := w.f.Work(t.Context())
		require.NoError(t, err)
		told()
	}
	w.work()
	told()
	require.NotEmpty(t, issued(t, w))
	require.NoError(t, w.f.Close())
	disk.Off()

	point := 0
	trace.Each(t, 800, func(dir string, ops int) {
		w.f = w.open(dir)
		defer func() { require.NoError(t, w.f.Close()) }()
		if before := acks.Before(ops); len(before) > 0 {
			last := before[len(before)-1]
			require.GreaterOrEqual(t, w.f.Cursor(), last.cursor, "a flush that returned is gone")
			if point%4 == 0 {
				now := issued(t, w)
				for name, hash := range last.issued {
					require.Equal(t, hash, now[name], name)
				}
			}
		}
		if point++; point%10 != 0 {
			return
		}
		w.work()
		for at := begin; at < w.now; at += day {
			if date := dateOf(at); w.f.State(date).Closed {
				listed(t, w, date)
			}
		}
	})
	w.f = w.open(w.dir) // which newWorld closes
}
