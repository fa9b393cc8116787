package lora_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/source/lora"
	"github.com/simpang-id/simpang/internal/wire/lorawan"
)

// TestTheNetworksNameOfAFrame: a copy has the first one's identity, another name
// with other content is another frame, and a network that has one name for all
// loses none.
func TestTheNetworksNameOfAFrame(t *testing.T) {
	t.Parallel()
	v := cityOf(t)
	n := networks["chirpstack"]
	began := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	decoder := func() func(name string, after time.Duration, fcnt int, payload byte) city.Reading {
		d := lora.New(n.parse, func() *inventory.Version { return v }, lorawan.BuiltIn)
		return func(name string, after time.Duration, fcnt int, payload byte) city.Reading {
			message := n.up("bosch-tps110", "", fcnt, 1, []byte{payload})
			message["deduplicationId"], message["time"] = name, began.Add(after).Format(time.RFC3339Nano)
			body, err := json.Marshal(message)
			require.NoError(t, err)
			got := d.Decode("", body)
			require.Empty(t, got.Refused)
			return got.Readings[0]
		}
	}
	at := func(after time.Duration) int64 { return began.Add(after).UnixMilli() }

	up := decoder()
	require.Equal(t, at(0), up("a", 0, 7, 1).At)
	again := up("a", 3*time.Minute, 7, 1)
	require.Equal(t, at(0), again.At, "sent again by the network, later")
	require.True(t, again.Frame)
	twice := up("b", 20*time.Second, 7, 1)
	require.True(t, twice.Frame, "the device sent the same again: a copy within a minute")
	other := up("c", 30*time.Second, 7, 0)
	require.False(t, other.Frame, "the counter began anew within a minute")
	require.Equal(t, at(30*time.Second), other.At)

	one := decoder()
	require.Equal(t, at(0), one("x", 0, 7, 1).At)
	require.Equal(t, at(time.Minute), one("x", time.Minute, 8, 1).At)
	require.Equal(t, at(3*time.Hour), one("x", 3*time.Hour, 8, 1).At)
}
