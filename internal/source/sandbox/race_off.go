//go:build !race

package sandbox

// raced tells that this is a build of tests under the race detector.
const raced = false
