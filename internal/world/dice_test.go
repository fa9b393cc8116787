package world

import "math/rand/v2"

// dice are all the chance that a world has.
type dice struct{ *rand.Rand }

func newDice(seed, stream uint64) dice { return dice{rand.New(rand.NewPCG(seed, stream))} }

// n returns a number of 0..n-1.
func (d dice) n(n int) int { return d.IntN(n) }

// chance is true in so many of a hundred cases.
func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

// between returns a number of lo..hi.
func (d dice) between(lo, hi int64) int64 { return lo + d.Int64N(hi-lo+1) }

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

func pickOf[T any](d dice, of []T) *T { return &of[d.IntN(len(of))] }
