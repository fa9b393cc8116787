package app

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/command"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/wire"
)

type noted struct{ told []string }

func (n *noted) Down(_ context.Context, device string, _ []byte, _ byte) (bool, error) {
	n.told = append(n.told, device)
	return true, nil
}

func newCommands(t *testing.T) (c *commands, down *noted, now *int64, clockBad *bool) {
	t.Helper()
	store, err := command.Open(t.Context(), filepath.Join(t.TempDir(), "commands.db"), command.Limits{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	now, clockBad, down = new(int64), new(bool), &noted{}
	c = &commands{
		Store: store, log: slog.New(slog.DiscardHandler), now: func() time.Time { return time.UnixMilli(*now) }, zone: time.UTC,
		clockBad: func() bool { return *clockBad }, ways: []string{"b"}, downs: map[string]downlink{"b": down},
	}
	return c, down, now, clockBad
}

func orderReboot(t *testing.T, c *commands) string {
	t.Helper()
	kept, _, err := c.Order(t.Context(), command.Command{Device: "d1", Kind: command.Reboot, At: 1000, Expires: 1000 + 3_600_000})
	require.NoError(t, err)
	return kept.ID
}

func only(t *testing.T, c *commands) command.Command {
	t.Helper()
	list, err := c.List(t.Context(), "d1", 0, 2)
	require.NoError(t, err)
	require.Len(t, list, 1)
	return list[0]
}

func TestAWrongClockExpiresNoCommand(t *testing.T) {
	c, down, now, bad := newCommands(t)
	orderReboot(t, c)
	*now, *bad = 1<<42, true // a century ahead
	require.Greater(t, c.round(t.Context()), *now, "it looks again soon")
	require.Equal(t, command.Queued, only(t, c).State)
	require.Empty(t, down.told)
	*now, *bad = 2000, false
	c.round(t.Context())
	require.Equal(t, []string{"d1"}, down.told)
	require.Equal(t, command.Sent, only(t, c).State)
}

func TestACommandWaitsWhileItsDeviceSpeaksWhereNothingLeadsDown(t *testing.T) {
	c, down, now, _ := newCommands(t)
	id := orderReboot(t, c)
	heard := func(source string, flags journal.Flags) {
		c.heard([]journal.Entry{{Type: journal.TypeReading, Source: source, Flags: flags, Reading: &city.Reading{Device: "d1"}}})
	}
	*now = 2000
	heard("serial", 0)
	c.round(t.Context())
	require.Empty(t, down.told)
	require.Equal(t, command.Queued, only(t, c).State, "it may speak over another again")
	heard("b", 0)
	heard("serial", journal.FlagRetried) // out of quarantine: it was there long ago
	*now = 20_000
	c.round(t.Context())
	require.Equal(t, []string{"d1"}, down.told)
	c.acked(t.Context(), []wire.Ack{{Device: "d1", ID: id, OK: true}})
	require.Equal(t, command.Sent, only(t, c).State, "the intake waits for no disk")
	<-c.Wake()
	c.round(t.Context())
	require.Equal(t, command.Acknowledged, only(t, c).State)
}

func TestACommandForADeviceThatOnlySpeaksUpIsRefused(t *testing.T) {
	c, _, _, _ := newCommands(t)
	heard := func(source string, flags journal.Flags) {
		c.heard([]journal.Entry{
			{Type: journal.TypeTick, Source: "x"},
			{Type: journal.TypeReading, Source: source, Flags: flags, Reading: &city.Reading{Device: "d1"}},
		})
	}
	o := command.Command{Device: "d1", Kind: command.Time, At: 1000, Expires: 1000 + 3_600_000}
	heard("till-3", 0)
	heard("b", journal.FlagRetried) // out of quarantine: that was long ago
	_, _, err := c.Order(t.Context(), o)
	require.Equal(t, city.KindUnprocessed, city.KindOf(err))
	require.ErrorContains(t, err, "source till-3, which carries nothing down")
	require.ErrorContains(t, err, "at the device itself")
	list, err := c.List(t.Context(), "d1", 0, 2)
	require.NoError(t, err)
	require.Empty(t, list)

	other := o
	other.Device = "d2" // not heard yet: it may speak over any
	_, created, err := c.Order(t.Context(), other)
	require.NoError(t, err)
	require.True(t, created)
	heard("b", 0)
	_, created, err = c.Order(t.Context(), o)
	require.NoError(t, err)
	require.True(t, created)
	require.Empty(t, c.upOnly)
}

func TestWhichSourcesLeadDown(t *testing.T) {
	for _, format := range []string{config.FormatNative, config.FormatTTS, config.FormatChirp, config.FormatSenML} {
		require.True(t, leadsDown(config.Source{Type: config.TypeBroker, Format: format}), format)
		require.Equal(t, format == config.FormatNative, leadsDown(config.Source{Type: config.TypeMQTT, Format: format}), format)
	}
	require.False(t, leadsDown(config.Source{Type: config.TypeSerial, Format: config.FormatFrames}))
}

func TestANativeStrangerIsNoEventOfItsBrokersNetwork(t *testing.T) {
	g := &gateway{cfg: &config.Config{Sources: []config.Source{
		{ID: "b", Type: config.TypeBroker, Format: config.FormatTTS}, {ID: "m", Type: config.TypeMQTT, Format: config.FormatTTS},
	}}}
	own := []byte(`{"kind":"spot","seq":1,"at":"2026-03-02T08:15:00Z","occupied":true}`)
	require.Nil(t, g.network("b", own))
	require.NotNil(t, g.network("b", []byte(`{"end_device_ids":{}}`)))
	require.NotNil(t, g.network("m", own), "there nobody speaks for himself")
}
