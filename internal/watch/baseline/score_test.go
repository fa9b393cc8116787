package baseline

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestJudge scores by the letter of issue 5: of 200 readings 30 are learning, and
// flags less than 2 apart are one run.
func TestJudge(t *testing.T) {
	t.Parallel()
	list := make([]Reading, 200)
	for i := range list {
		list[i].At = int64(i)
	}
	windows := []Window{{100, 110}, {150, 160}}
	require.Equal(t, Score{2, 1, 2}, Judge(list, windows, []int{10, 29, 50, 51, 52, 54, 110}))
	require.Equal(t, Score{2, 2, 0}, Judge(list, windows, []int{100, 155}))
	require.True(t, Score{2, 2, 1}.Good())
	require.False(t, Score{2, 1, 0}.Good())
	require.False(t, Score{2, 2, 2}.Good())
}
