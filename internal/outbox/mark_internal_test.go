package outbox

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/open311"
)

// FuzzMark: whatever stands in an update of theirs, what is taken for one of
// ours is named by our own mark, and what we mark is known again.
func FuzzMark(f *testing.F) {
	for _, seed := range []string{"[SPG-2026-000001/7] Selesai.", "[SPG-2026-000001] x", "[SPG-2026-1/-7]", "[SPG-2026-000001/9999999999999999999]", "SPG-2026-000001/7", "[SPG-x/1]", ""} {
		f.Add(seed, "u-1")
		f.Add("x", seed)
	}
	f.Fuzz(func(t *testing.T, text, id string) {
		u := &open311.Update{ID: id, Description: text}
		if complaint, number := told(u); number != 0 {
			require.Positive(t, number)
			require.True(t, isNumber(strings.TrimPrefix(complaint, "SPG-")), complaint)
			require.True(t, strings.Contains(text, complaint+"/") || strings.HasPrefix(id, complaint+"/"))
		}
		mark := tellMark("SPG-2026-000123", 45)
		complaint, number := told(&open311.Update{ID: id, Description: describe(mark, text)})
		require.Equal(t, "SPG-2026-000123", complaint)
		require.EqualValues(t, 45, number)
	})
}
