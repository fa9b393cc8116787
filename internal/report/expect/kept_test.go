package expect_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/report/expect"
)

// counting counts questions; daily sensors answer of more than a day with the
// first day alone.
type counting struct {
	expect.Sensors
	daily          bool
	history, stays int
}

func (c *counting) History(ctx context.Context, site string, class city.Class, from, to int64, step time.Duration) ([]occupancy.HistoryPoint, error) {
	c.history++
	if c.daily {
		to = min(to, from+24*hour)
	}
	return c.Sensors.History(ctx, site, class, from, to, step)
}

func (c *counting) Stays(ctx context.Context, site string, from, to int64, limit int) ([]occupancy.Stay, error) {
	c.stays++
	return c.Sensors.Stays(ctx, site, from, to, limit)
}

// TestKeptDays: what is known of other days, and how it was asked, changes no
// answer; it saves the questions.
func TestKeptDays(t *testing.T) {
	for _, kind := range []blindness{siteOutages, fewSensors, everything} {
		w := newTown(t, townVersion(t), 10_300+uint64(kind), kind)
		inRows, byDay := &counting{Sensors: w}, &counting{Sensors: w, daily: true}
		kept := expect.New(inRows, zone)
		for day := 70; day < 76; day++ {
			q := w.question(day)
			want, err := expect.New(byDay, zone).Day(t.Context(), q)
			require.NoError(t, err)
			first, err := kept.Day(t.Context(), q)
			require.NoError(t, err)
			require.Equal(t, want, first)
			inRows.history, inRows.stays = 0, 0
			again, err := kept.Day(t.Context(), q)
			require.NoError(t, err)
			require.Equal(t, want, again)
			require.Equal(t, 1, inRows.history, "the day itself")
			require.Equal(t, 1, inRows.stays, "the day itself")
		}
		require.Positive(t, byDay.history)
	}
}

// TestKeptPricesOfAClosedDay: a closure of another day that is set later counts
// at once, though its prices are kept.
func TestKeptPricesOfAClosedDay(t *testing.T) {
	v := townVersion(t)
	w := newTown(t, v, 10_400, everything)
	closed := &closing{Sensors: w}
	e := expect.New(closed, zone)
	q := w.question(72)
	_, err := e.Day(t.Context(), q)
	require.NoError(t, err)
	closed.all = true
	warm, err := e.Day(t.Context(), q)
	require.NoError(t, err)
	cold, err := expect.New(closed, zone).Day(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, cold, warm)
}

// closing is sensors of a site that is closed before noon, once that is set.
type closing struct {
	expect.Sensors
	all bool
}

func (c *closing) Closed(_ string, from, to int64) [][2]int64 {
	if !c.all {
		return nil
	}
	return [][2]int64{{from, to - 12*hour}}
}
