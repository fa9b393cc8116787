package influx

import (
	"context"
	"math/rand/v2"
	"regexp"
	"strconv"
	"time"
)

// deliver sends a batch until the server has it, but for the points that it
// refuses for themselves: these are set aside. An error is that of ctx.
func (s *stream) deliver(ctx context.Context, b *batch) error {
	if len(b.ends) == 0 {
		return nil
	}
	if err := s.t.pace.wait(ctx, s.t.o.Now(), len(b.ends)); err != nil {
		return err
	}
	return s.part(ctx, b.text, b.ends, 0)
}

// part sends the lines of text; ends are those of lines, counted from base.
func (s *stream) part(ctx context.Context, text []byte, ends []int, base int) error {
	o, m := &s.t.o, s.t.o.Metrics
	for n := 0; ; n++ {
		began := o.Now()
		err := s.t.client.send(ctx, text)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		m.seconds.WithLabelValues(o.ID).Observe(o.Now().Sub(began).Seconds())
		if died(err) {
			s.mu.Lock()
			s.past.dead = true
			s.mu.Unlock()
		}
		end, why, wait := judge(err)
		m.requests.WithLabelValues(o.ID, outcomeNames[end]).Inc()
		up := 1.0
		if end == again || end == person {
			up = 0
		}
		m.up.WithLabelValues(o.ID).Set(up)
		switch end {
		case accepted:
			m.points.WithLabelValues(o.ID, "written").Add(float64(len(ends)))
			s.waits("", false)
			return nil
		case expired:
			old := min(dropped(why), len(ends))
			m.points.WithLabelValues(o.ID, "expired").Add(float64(old))
			m.points.WithLabelValues(o.ID, "written").Add(float64(len(ends) - old))
			s.waits("", false)
			return nil
		case refused, tooLarge:
			if len(ends) > 1 {
				half := len(ends) / 2
				cut := ends[half-1]
				if err := s.part(ctx, text[:cut-base], ends[:half], base); err != nil {
					return err
				}
				return s.part(ctx, text[cut-base:], ends[half:], cut)
			}
			if taken, err := s.refusesAll(ctx); err != nil {
				return err
			} else if taken {
				return s.setAside(ctx, why, text)
			}
			end, why = person, "it refuses everything, also a point made for trying ("+why+"): look at url, org and bucket"
		default:
		}
		s.waits(why, end == person)
		if err := s.rest(ctx, n, wait); err != nil {
			return err
		}
		if end == person {
			if err := s.t.client.transport.renew(); err != nil {
				s.waits(err.Error(), true)
			}
		}
	}
}

var droppedPattern = regexp.MustCompile(`dropped=(\d+)`)

// dropped is how many points a server says that it did not keep; 1 where it
// does not say.
func dropped(said string) int {
	if m := droppedPattern.FindStringSubmatch(said); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return n
		}
	}
	return 1
}

// refusesAll tries a point that every server takes: what refuses this one too
// does not refuse others for themselves. taken: it was taken.
func (s *stream) refusesAll(ctx context.Context) (taken bool, err error) {
	o := &s.t.o
	line := appendTag([]byte("simpang"), "city", o.Origin.City)
	f := &fields{b: append(appendTag(line, "gateway", o.Origin.Gateway), ' ')}
	f.int("probe", 1)
	err = s.t.client.send(ctx, f.end(o.Now().UnixNano()))
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	end, _, _ := judge(err)
	return end == accepted, nil
}

// setAside puts a line where a person can look at it, and tries until it is
// there.
func (s *stream) setAside(ctx context.Context, why string, line []byte) error {
	for n := 0; ; n++ {
		err := s.t.aside.put(s.t.o.Now(), why, line)
		if err == nil {
			s.t.o.Metrics.points.WithLabelValues(s.t.o.ID, "refused").Inc()
			return nil
		}
		s.waits(err.Error(), false)
		if err := s.rest(ctx, n, 0); err != nil {
			return err
		}
	}
}

// The waits after a failure: as long as firstRest, and twice as long each time.
const (
	firstRest = 500 * time.Millisecond
	mostRest  = 20 * time.Second
)

// rest waits after n failures before this one, a fifth of it chance.
func (s *stream) rest(ctx context.Context, n int, least time.Duration) error {
	d := max(min(firstRest<<min(n, 10), mostRest), least)
	return pause(ctx, d-time.Duration(rand.Int64N(int64(d)/5+1)))
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
