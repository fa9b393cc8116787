package series_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/series"
)

func FuzzParseCursor(f *testing.F) {
	for _, seed := range []string{"", "1772400000000.17", "-1.18446744073709551615", ".", "5", "+5.0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := series.ParseCursor(text)
		if err != nil {
			return
		}
		again, err := series.ParseCursor(c.String())
		require.NoError(t, err)
		require.Equal(t, c, again)
	})
}
