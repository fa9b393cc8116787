package main

import (
	"os"
	"runtime"
)

// Where cores are few, the committer's way back from an fsync leads through
// Go's queue, behind followers that may each compute for 10 ms before they are
// interrupted. With more threads than cores the kernel decides instead, and it
// prefers who has waited.
const (
	threadsPerCore = 2
	enoughThreads  = 16
)

// threadsOf returns how many goroutines may run at once on so many cores.
func threadsOf(cores int) int { return max(cores, min(cores*threadsPerCore, enoughThreads)) }

// spreadThreads lets more goroutines run at once than there are cores, until
// it is undone. The variable GOMAXPROCS wins over it.
func spreadThreads() (undo func()) {
	if os.Getenv("GOMAXPROCS") != "" {
		return func() {}
	}
	before := runtime.GOMAXPROCS(threadsOf(runtime.GOMAXPROCS(0)))
	return func() { runtime.GOMAXPROCS(before) }
}
