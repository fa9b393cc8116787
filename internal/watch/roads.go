package watch

import (
	"context"

	"github.com/simpang-id/simpang/internal/city"
)

// RoadStep is how a segment flowed in five minutes; what was not measured is
// unset.
type RoadStep struct {
	FlowVPH  city.Milli
	SpeedKmh city.Milli
	DJ       city.Milli // unset where the road was oversaturated
	Coverage float64    // 0..1
}

// Roads tells how segments flow.
type Roads interface {
	// Step returns the five minutes of a segment that begin at a time (Unix ms,
	// a multiple of five minutes) as known at a position of the journal or
	// later; ok is false while that position is not reached: it is asked again.
	Step(ctx context.Context, segment string, from int64, pos uint64) (step RoadStep, ok bool, err error)
}

// stepMs is a step of a road.
const stepMs = 5 * minuteMs

// mostSteps bounds what a segment catches up in one tick, and how far back.
const (
	mostSteps   = 3
	oldestSteps = 12
)
