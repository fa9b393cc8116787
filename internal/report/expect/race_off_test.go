//go:build !race

package expect_test

const underRace = false
