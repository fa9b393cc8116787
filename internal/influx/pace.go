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
	now  func() time.Time

	mu   sync.Mutex
	free time.Time // what was taken is over then
}

// wait waits until so many points may be sent.
func (p *pace) wait(ctx context.Context, points int) error {
	if p.rate <= 0 {
		return nil
	}
	p.mu.Lock()
	now := p.now()
	begin := now
	if p.free.After(now) {
		begin = p.free
	}
	p.free = begin.Add(time.Duration(points) * time.Second / time.Duration(p.rate))
	p.mu.Unlock()
	return pause(ctx, begin.Sub(now))
}
