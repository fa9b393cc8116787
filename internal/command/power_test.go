package command_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/command"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

// all is every command that a store tells, with what is due of them at a time
// at which all that is open is.
func all(t *testing.T, s *command.Store) (list []command.Command) {
	t.Helper()
	for _, device := range []string{"d1", "d2", "d3"} {
		of, err := s.List(t.Context(), device, 0, 100)
		require.NoError(t, err)
		list = append(list, of...)
	}
	return list
}

// TestPowerLossAmongCommands: what was ordered, sent, answered or expired before
// the cut is so after it; what was under way is done whole or not at all; and
// what is open is what is tried again, under its id.
func TestPowerLossAmongCommands(t *testing.T) {
	t.Parallel()
	limits := command.Limits{PerDevice: 4, Open: 10, Kept: 3}
	dir := powercut.Folder(t)
	disk := powercut.New(t, dir, 0).Checkpoint(8)
	trace, acks := disk.Record(), powercut.NewAcks[[]command.Command](disk)
	s, err := command.Open(t.Context(), filepath.Join(dir, "commands.db"), limits)
	require.NoError(t, err)
	acks.Add(all(t, s))
	dice := rand.New(rand.NewPCG(3, 1))
	now := int64(1_772_414_100_000)
	for i := range 120 {
		now += 1000 * dice.Int64N(600)
		open, _, err := s.Due(t.Context(), now) // may let some expire
		require.NoError(t, err)
		acks.Add(all(t, s))
		switch {
		case len(open) == 0 || dice.IntN(3) == 0:
			c := command.Command{Device: fmt.Sprint("d", 1+dice.IntN(3)), Kind: command.Tariff, Args: fmt.Appendf(nil, `{"n":%d}`, i%5), By: "tk", At: now, Expires: now + hour}
			_, _, err = s.Order(t.Context(), c)
			require.NoError(t, err)
		case dice.IntN(2) == 0:
			var round []command.Try
			for _, c := range open {
				round = append(round, command.Try{ID: c.ID, At: now, Reached: dice.IntN(4) > 0, Why: "away"})
			}
			require.NoError(t, s.Tried(t.Context(), round))
		default:
			c := open[dice.IntN(len(open))]
			s.Answered([]command.Answer{{Device: c.Device, ID: c.ID, OK: dice.IntN(2) == 0, Detail: "x"}})
			require.NoError(t, s.TakeIn(t.Context(), now))
		}
		acks.Add(all(t, s))
	}
	require.NoError(t, s.Close())
	disk.Off()

	states := acks.All()
	trace.Each(t, 1200, func(dir string, ops int) {
		s, err := command.Open(t.Context(), filepath.Join(dir, "commands.db"), limits)
		require.NoError(t, err)
		defer s.Close()
		acked := max(1, len(acks.Before(ops)))
		got := all(t, s)
		if fmt.Sprint(got) != fmt.Sprint(states[acked-1]) {
			require.Equal(t, states[min(acked, len(states)-1)], got, "neither what was acknowledged nor that and what was under way")
		}
		open := map[string]bool{}
		for _, c := range got {
			if c.State.Open() {
				open[c.ID] = true
			}
		}
		due, _, err := s.Due(t.Context(), 0) // nothing has expired by then
		require.NoError(t, err)
		for _, c := range due {
			require.True(t, open[c.ID])
		}
		counts := s.Counts()
		require.Equal(t, len(open), counts.Queued+counts.Sent)
	})
}
