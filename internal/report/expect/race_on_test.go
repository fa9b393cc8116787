//go:build race

package expect_test

// underRace: the long calibrations compute in one goroutine, so that the race
// detector has nothing to find there and takes ten times as long.
const underRace = true
