package influx

import (
	"context"
	"sync"
	"time"
)

// pace has the streams of a target keep its rate together: each takes the time
// that its points are worth, one after the other.
type pace struct {
	rate int // points/s, 0: no bound

	mu   sync.Mutex
	free time.Time // what was taken is over then
}

// wait waits until so many points may be sent; now is of a clock that only goes
// on, as time.Now is.
func (p *pace) wait(ctx context.Context, now time.Time, points int) error {
	if p.rate <= 0 {
		return nil
	}
	p.mu.Lock()
	begin := now
	if p.free.After(now) {
		begin = p.free
	}
	p.free = begin.Add(time.Duration(points) * time.Second / time.Duration(p.rate))
	p.mu.Unlock()
	return pause(ctx, begin.Sub(now))
}
