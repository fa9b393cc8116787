package source_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source"
)

func TestPatience(t *testing.T) {
	for _, c := range []struct {
		silence  time.Duration
		restarts int
		want     time.Duration
	}{
		{time.Minute, 0, time.Minute},
		{time.Minute, 1, 2 * time.Minute},
		{time.Minute, 5, 32 * time.Minute},
		{time.Minute, 6, time.Hour},
		{time.Minute, 1 << 30, time.Hour},
		{3 * time.Hour, 4, 3 * time.Hour},
	} {
		require.Equal(t, c.want, source.Patience(c.silence, c.restarts), "%+v", c)
	}
}
