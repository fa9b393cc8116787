//go:build race

package powercut

const race = true
