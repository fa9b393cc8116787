package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

func TestContentIsThatOfTheKeptReading(t *testing.T) {
	for _, boots := range []bool{true, false} {
		f := newFollower(t)
		r := (&till{device: "meter-a"}).paper(day0, "1", 2000, city.Cash)
		r.HasBoot = boots
		apply(t, f, log(r))
		hash, ok, err := f.Content(t.Context(), r)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, journal.ContentHash(r), hash)
		other := *r
		other.Seq++
		_, ok, err = f.Content(t.Context(), &other)
		require.NoError(t, err)
		require.False(t, ok)
	}
}
