package main

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestThreadsAreMoreThanFewCores(t *testing.T) {
	for cores, want := range map[int]int{1: 2, 2: 4, 8: 16, 12: 16, 64: 64} {
		require.Equal(t, want, threadsOf(cores), "%d cores", cores)
	}
	before := runtime.GOMAXPROCS(0)
	undo := spreadThreads()
	require.Equal(t, threadsOf(before), runtime.GOMAXPROCS(0))
	undo()
	require.Equal(t, before, runtime.GOMAXPROCS(0))
	t.Setenv("GOMAXPROCS", "3")
	spreadThreads()
	require.Equal(t, before, runtime.GOMAXPROCS(0), "who runs it decides")
}
