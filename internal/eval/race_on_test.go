//go:build race

package main

// underRace: a town is played in one goroutine or two, so that the race detector
// finds little there and takes several times as long.
const underRace = true
