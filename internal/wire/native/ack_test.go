package native_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/native"
)

func TestAcks(t *testing.T) {
	const second = `{"kind":"ack","id":"c-1","ok":true,"detail":"done\u0000"}`
	raw := []byte(`[{"kind":"spot","seq":1,"at":"2026-03-02T08:15:00Z","occupied":true},` + second + `]`)
	d := native.Decode("d1", raw)
	require.Len(t, d.Readings, 1)
	require.Empty(t, d.Refused)
	require.Len(t, d.Acks, 1)
	a := d.Acks[0]
	require.Equal(t, len(raw)-1-len(second), strings.Index(string(raw), string(a.Raw)), "of the element alone")
	a.Raw = nil
	require.Equal(t, wire.Ack{Device: "d1", ID: "c-1", OK: true, Detail: "done", Index: 1}, a)

	for payload, reason := range map[string]city.Reason{
		`{"kind":"ack","ok":true}`:                                        city.ReasonMissingMember,
		`{"kind":"ack","id":"c-1"}`:                                       city.ReasonMissingMember,
		`{"kind":"ack","id":null,"ok":true}`:                              city.ReasonMissingMember,
		`{"kind":"ack","id":5,"ok":true}`:                                 city.ReasonWrongType,
		`{"kind":"ack","id":"c-1","ok":"yes"}`:                            city.ReasonWrongType,
		`{"kind":"ack","id":"","ok":true}`:                                city.ReasonImpossible,
		`{"kind":"ack","id":"c-1","ok":true,"device":"d2"}`:               city.ReasonDeviceMismatch,
		`{"kind":"ack","kind":"spot","id":"c","ok":true}`:                 city.ReasonMissingMember,
		`{"kind":"ack","id":"c-1","ok":true`:                              city.ReasonNotJSON,
		`{"kind":"ack","id":"` + strings.Repeat("x", 65) + `","ok":true}`: city.ReasonImpossible,
	} {
		d := native.Decode("d1", []byte(payload))
		require.Empty(t, d.Acks, payload)
		require.Len(t, d.Refused, 1, payload)
		require.Equal(t, reason, d.Refused[0].Reason, payload)
	}
}

func TestAcksOfAMessageAreBounded(t *testing.T) {
	d := native.Decode("d1", []byte("["+strings.Repeat(`{"kind":"ack","id":"c-1","ok":true},`, 1700)+`{"kind":"spot","seq":1,"at":"2026-03-02T08:15:00Z","occupied":true}]`))
	require.Len(t, d.Acks, 16)
	require.Len(t, d.Readings, 1)
	require.Len(t, d.Refused, 1, "not each of them")
	require.Equal(t, city.ReasonTooLarge, d.Refused[0].Reason)
	require.Equal(t, 16, d.Refused[0].Index)
}

func FuzzAck(f *testing.F) {
	f.Add("c-1", true, "done", "d1")
	f.Add("", false, "\u2028\\\"", "x")
	f.Fuzz(func(t *testing.T, id string, ok bool, detail, device string) {
		raw := native.EncodeAck(&wire.Ack{ID: id, OK: ok, Detail: detail})
		d := native.Decode(device, raw)
		if len(d.Acks) == 0 {
			require.Len(t, d.Refused, 1)
			return
		}
		a := d.Acks[0]
		require.Equal(t, ok, a.OK)
		require.Equal(t, string([]rune(id)), a.ID)
		require.LessOrEqual(t, len(a.Detail), wire.MaxWordBytes)
		require.Equal(t, raw, a.Raw)
	})
}
