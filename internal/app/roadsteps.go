package app

import (
	"context"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/traffic"
	"github.com/simpang-id/simpang/internal/watch"
)

// roadSteps is traffic as the watch asks it.
type roadSteps struct{ traffic *trafficSeat }

var _ watch.Roads = roadSteps{}

// roadStepMs is five minutes, traffic's finest step.
const roadStepMs = 5 * 60 * 1000

// Step returns a segment's five minutes; one that traffic does not know has
// none. It waits for traffic to be at the position.
func (r roadSteps) Step(ctx context.Context, segment string, from int64, pos uint64) (watch.RoadStep, bool, error) {
	type answer struct {
		step watch.RoadStep
		ok   bool
	}
	a, err := ask(&r.traffic.seat, func(f *traffic.Follower) (answer, error) {
		if f.Cursor() < pos {
			return answer{}, nil
		}
		points, err := f.History(ctx, segment, from, from+roadStepMs, roadStepMs)
		if err != nil {
			if city.KindOf(err) == city.KindNotFound {
				err = nil
			}
			return answer{ok: err == nil}, err
		}
		if len(points) == 0 {
			return answer{ok: true}, nil
		}
		p := &points[0]
		coverage, _ := p.Coverage.Float()
		return answer{watch.RoadStep{FlowVPH: p.FlowVPH, SpeedKmh: p.SpeedKmh, DJ: p.DJ, Coverage: coverage}, true}, nil
	})
	return a.step, a.ok, err
}
