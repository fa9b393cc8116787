package onboard_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/onboard"
)

// BenchmarkPage asks for the first hundred of a thousand unknown devices, of
// which a full quarantine keeps 100,000 messages.
func BenchmarkPage(b *testing.B) {
	r := newRig(b)
	for device := range 1000 {
		items := make([]journal.Item, 0, 100)
		for i := range int64(100) {
			id := fmt.Sprintf("unknown-%04d", device)
			raw := fmt.Sprintf(`{"kind":"spot","boot":1,"seq":%d,"at":"2026-03-02T08:15:00+07:00","occupied":%v}`, i, i%2 == 0)
			items = append(items, journal.Item{Recv: i * minute, Source: "broker", Device: id, Topic: "sg/v1/" + id + "/up", Reason: city.ReasonUnknownDevice, Detail: "add it", Raw: []byte(raw)})
		}
		_, err := r.q.Put(b.Context(), items)
		require.NoError(b, err)
	}
	var page []onboard.Stranger
	for b.Loop() {
		var more bool
		page, more = r.page(b, "", 100)
		require.True(b, more)
	}
	require.Len(b, page, 100)
}
