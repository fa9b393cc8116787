package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

// FuzzParseCursor: what a client sends as a cursor is a place, which comes back
// as it was, or is refused by kind.
func FuzzParseCursor(f *testing.F) {
	for _, seed := range []string{"", "mjx2k7cg.a", "-1.0", ".", "5", "+5.0", "zzzzzzzzzzzzzz.1", listRow{at: -1 << 63, pos: 1<<63 - 1}.cursor()} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseCursor(text)
		if err != nil {
			require.Equal(t, city.KindInvalid, city.KindOf(err))
			return
		}
		again, err := parseCursor(r.cursor())
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}
