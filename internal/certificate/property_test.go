package certificate_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/certificate"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/journal/followertest"
)

// TestNewestRevisionsSayWhatHealthKnows: whatever comes in whatever order, and
// wherever the process dies, a day after the last reading the newest revision of
// each closed day is what health answers, and each revision names the one before.
func TestNewestRevisionsSayWhatHealthKnows(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			dice := rand.New(rand.NewPCG(seed, 7))
			w := newWorld(t, "d,a,,600", "e,a,,3600", "f,b,,600")
			w.tick(begin)
			for range 250 {
				device := string("def"[dice.IntN(3)])
				at := w.now
				if dice.IntN(4) == 0 {
					at -= dice.Int64N(9 * day)
				}
				boot, seq := dice.Uint64N(2), uint64(at-begin+20*day)/uint64(30*minute)
				switch dice.IntN(12) {
				case 0:
					w.tally(device, uint32(dice.IntN(3)), aside(boot, seq, at))
				case 1:
					w.flush()
					w.crash()
				case 2:
					w.flush()
					_, err := w.f.Work(t.Context())
					require.NoError(t, err)
				case 3:
					w.apply()
				case 4:
					w.work()
				default:
					w.sent(device, boot, seq, at)
				}
				w.tick(w.now + dice.Int64N(3)*hour)
			}
			w.work()
			w.tick(w.now + day)
			w.work()
			w.tick(w.now + day)
			w.work()
			closed := 0
			for at := begin; at < w.now; at += day {
				date := dateOf(at)
				if !w.f.State(date).Closed {
					continue
				}
				closed++
				for _, id := range []string{"d", "e", "f"} {
					c, err := w.health.Completeness(t.Context(), id, date)
					require.NoError(t, err)
					x, kept := w.device(id, date, 0)
					require.Equal(t, says(c), saysToo(x), "%s of %s: %s", id, date, kept.Bytes)
					for n := kept.Newest; n > 1; n-- {
						this, _ := w.device(id, date, n)
						_, before := w.device(id, date, n-1)
						require.Equal(t, before.SHA256, this.Before)
					}
				}
				listed(t, w, date)
			}
			require.Greater(t, closed, 3)
		})
	}
}

// listed requires that a day's list names the newest of each place, and each
// place the newest of its devices.
func listed(t *testing.T, w *world, date string) {
	t.Helper()
	c, _ := w.city(date, 0)
	require.Len(t, c.List, 2)
	for _, x := range c.List {
		p, kept := w.place(certificate.SiteKey(x.Site), date, 0)
		require.Equal(t, kept.SHA256, x.SHA256)
		for _, d := range p.List {
			_, kept := w.device(d.Device, date, 0)
			require.Equal(t, kept.SHA256, d.SHA256)
		}
	}
}

func says(c health.Completeness) []int64 {
	list := []int64{c.Expected, c.Received, c.Duplicate, c.Late, c.Quarantined, c.Missing, int64(len(c.Gaps))}
	for _, g := range c.Gaps {
		list = append(list, int64(g.Boot), int64(g.FromSeq), int64(g.ToSeq))
	}
	return list
}

func saysToo(d *certificate.DeviceDay) []int64 {
	none := int64(0)
	expected, missing := d.Expected, d.Missing
	if expected == nil {
		expected, missing = &none, &none
	}
	list := []int64{*expected, d.Received, d.Duplicate, d.Late, d.Quarantined, *missing, d.GapCount}
	for _, g := range d.Gaps {
		list = append(list, int64(*g.Boot), int64(g.FromSeq), int64(g.ToSeq))
	}
	return list
}

func TestSuite(t *testing.T) {
	w := newWorld(t, "d,a,,600", "e,b,,600")
	dice := rand.New(rand.NewPCG(3, 3))
	for seq := range uint64(200) {
		w.sent("d", 1, seq, w.now-dice.Int64N(5)*day)
		if dice.IntN(5) == 0 {
			w.tally("e", 1, aside(1, seq, w.now-day))
		}
		w.tick(w.now + dice.Int64N(40)*minute)
	}
	questions := map[string]followertest.Question[*certificate.Follower]{}
	for _, date := range []string{monday, tuesday} {
		questions["state of "+date] = followertest.Question[*certificate.Follower]{Ask: func(_ context.Context, f *certificate.Follower) (any, error) {
			return f.State(date), nil
		}}
	}
	followertest.Suite(t, followertest.Subject[*certificate.Follower]{
		File: "certificates.db", Entries: w.entries, Questions: questions,
		Open: func(tb testing.TB, dir string) *certificate.Follower {
			tb.Helper()
			f, err := certificate.Open(tb.Context(), filepath.Join(dir, "certificates.db"), certificate.Options{
				Timeline: w.timeline, Zone: zone, City: "bekasi", Source: w.health, Window: time.Hour,
			})
			require.NoError(tb, err)
			return f
		},
	})
}
