package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestJudgeBaselines: each reading that is timed is judged, else it is an error.
func TestJudgeBaselines(t *testing.T) {
	rate, _, err := judgeBaselines(t.Context(), 10, 1000)
	require.NoError(t, err)
	require.Positive(t, rate)
}
