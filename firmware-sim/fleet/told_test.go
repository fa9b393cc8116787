package fleet_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/fleet"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/native"
)

func tell(id, cmd, args string, at int64) []byte {
	stamp := func(ms int64) string { return time.UnixMilli(ms).Format(time.RFC3339Nano) }
	return fmt.Appendf(nil, `{"v":1,"id":%q,"cmd":%q,"at":%q,"expires_at":%q,"sent_at":%q,"args":%s}`, id, cmd, stamp(at), stamp(at+60_000), stamp(at), args)
}

func toldFleet(t *testing.T, text string) *fleet.Fleet {
	t.Helper()
	v, s := load(t, text)
	f, err := fleet.New(fleet.Options{Version: v, Scenario: s, Seed: 1, Start: 1_772_406_000_000})
	require.NoError(t, err)
	return f
}

func answer(t *testing.T, raw []byte) wire.Ack {
	t.Helper()
	d := native.Decode("x", raw)
	require.Len(t, d.Acks, 1, "%s", raw)
	return d.Acks[0]
}

func TestTold(t *testing.T) {
	f := toldFleet(t, "faults: {clock_drift: 10m}")
	boot := uint64(0)
	off := func(device string) (ms int64) { // of the next reading of it that goes out
		for {
			m, ok := f.Next()
			require.True(t, ok)
			if m.Device == device {
				boot = m.Boot
				return m.At - m.SendAt
			}
		}
	}
	const device = "spot-c01"
	before := off(device)
	require.NotZero(t, before/1000, "its clock is off")
	raw := f.Told(device, tell("c-1", "time", "{}", f.Now()))
	a := answer(t, raw)
	require.True(t, a.OK)
	require.Contains(t, a.Detail, "the clock was off by ")
	require.Equal(t, raw, f.Told(device, tell("c-1", "time", "{}", f.Now())), "a known command is answered and not done again")
	require.InDelta(t, 0, off(device), 5000, "it drifts on from here")

	require.True(t, answer(t, f.Told(device, tell("c-2", "reboot", "{}", f.Now()))).OK)
	was := boot
	off(device)
	require.Equal(t, was+1, boot)
	a = answer(t, f.Told(device, tell("c-3", "tariff", `{"tariff":"street","versions":[{"id":"street@2015-08-01"}]}`, f.Now())))
	require.True(t, a.OK)
	require.Contains(t, a.Detail, "street@2015-08-01")
	a = answer(t, f.Told(device, tell("c-3b", "tariff", `{"tariff":"street","versions":[{"id":"street@2011-01-01"}]}`, f.Now()-1)))
	require.False(t, a.OK, "it was ordered before the one that is held")
	require.Contains(t, a.Detail, "street@2015-08-01")
	require.False(t, answer(t, f.Told(device, tell("c-4", "tariff", `{}`, f.Now()))).OK)
	require.False(t, answer(t, f.Told(device, tell("c-5", "dance", `{}`, f.Now()))).OK)
	for name, said := range map[string][]byte{"another version": []byte(`{"v":2,"id":"c-9","cmd":"time"}`), "no JSON": []byte("x"), "no id": []byte(`{"v":1}`)} {
		require.Nil(t, f.Told(device, said), name)
	}
	require.Nil(t, f.Told("nobody", tell("c-6", "time", "{}", f.Now())))

	require.Nil(t, toldFleet(t, "devices: {deaf: 1}").Told(device, tell("c-7", "time", "{}", 0)))
}
