package serial

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/frames"
)

// errSilent ends a session in which no sentence came for too long.
var errSilent = errors.New("no sentence for longer than max_silence")

// session is one line from its opening to its unplugging.
type session struct {
	*Source
	ctx     context.Context
	line    *line
	answers *answers
	window  chan struct{}
	heard   time.Time // when the last sentence came
	err     error     // why the sink does not take any more
}

// flushTime is how long the last commits and answers may take.
const flushTime = time.Second

// serve reads the line and answers it until one of the two fails or ctx ends;
// what came by then is still answered.
func (s *Source) serve(ctx context.Context, l *line) error {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	group, own := errgroup.WithContext(own)
	defer context.AfterFunc(ctx, func() { time.AfterFunc(flushTime, cancel) })()
	defer context.AfterFunc(own, l.hurry)()
	one := &session{Source: s, ctx: own, line: l, answers: newAnswers(), window: make(chan struct{}, s.o.Window), heard: time.Now()}
	group.Go(func() error {
		err := one.read(ctx)
		if ctx.Err() != nil && err == nil {
			one.answers.drain(own)
		}
		cancel()
		return err
	})
	group.Go(one.write)
	return group.Wait()
}

// read cuts what comes into sentences and hands them to the sink, waiting for
// it: what the kernel cannot hold meanwhile is lost, is not answered, and so
// comes again.
func (s *session) read(ctx context.Context) error {
	var scanner frames.Scanner
	buf := make([]byte, 4096)
	for ctx.Err() == nil && s.ctx.Err() == nil {
		n, err := s.line.Read(buf)
		if err != nil {
			return err
		}
		scanner.Feed(buf[:n], s.take)
		if s.err != nil {
			return s.err
		}
		if len(s.window) > 0 { // these wait for us
			s.heard = time.Now()
		}
		if s.o.MaxSilence > 0 && time.Since(s.heard) > source.Patience(s.o.MaxSilence, s.restarts) {
			s.restarts++
			s.stats.Silences.Add(1)
			return errSilent
		}
	}
	return nil
}

// take hands on one sentence, or what is none.
func (s *session) take(text []byte, refusal *city.Refusal) {
	if s.err != nil {
		return
	}
	m := source.Message{Source: s.o.ID, Payload: text}
	if refusal != nil {
		if !s.noise.allow(time.Now()) {
			s.stats.NoiseDropped.Add(1)
			return
		}
		s.stats.Noise.Add(1)
		m.Payload, m.Silent = refusal.Raw, true
		m.Decoded = wire.Decoded{Refused: []city.Refusal{*refusal}}
		s.offer(m, nil)
		return
	}
	s.heard, s.restarts = time.Now(), 0
	m.Decoded = wire.Contain(text, func() (d wire.Decoded) {
		d, m.Device = frames.Decode(text)
		return d
	})
	ack := ackOf(&m)
	m.Silent = ack == nil
	s.stats.Received.Add(1)
	s.lastMessage.Now()
	s.offer(m, ack)
}

// ackOf is the sentence that acknowledges m, nil where the device or the number
// could not be read.
func ackOf(m *source.Message) []byte {
	if m.Device == "" {
		return nil
	}
	for _, r := range m.Decoded.Readings {
		return frames.Ack(m.Device, r.HasBoot, r.Boot, r.Seq)
	}
	for _, r := range m.Decoded.Refused {
		if r.Seq.OK {
			return frames.Ack(m.Device, r.Boot.OK, uint64(r.Boot.V), uint64(r.Seq.V))
		}
	}
	return nil
}

func (s *session) offer(m source.Message, ack []byte) {
	select {
	case s.window <- struct{}{}:
	case <-s.ctx.Done():
		s.err = s.ctx.Err()
		return
	}
	s.stats.Unacked.Add(1)
	place := s.answers.add(ack)
	m.Done = func(done bool) { s.finish(place, done) }
	if err := s.o.Sink.Offer(s.ctx, m); err != nil {
		s.finish(place, false)
		s.err = err
	}
}

// finish is Done of one message.
func (s *session) finish(place *answer, done bool) {
	acked, ok := s.answers.finish(place, done)
	if !ok {
		return
	}
	<-s.window
	s.stats.Unacked.Add(-1)
	s.stats.Acked.Add(uint64(acked))
	if !done && place.ack != nil {
		s.stats.NotTaken.Add(1)
	}
}

// write writes the answers, until the session ends.
func (s *session) write() error {
	for {
		select {
		case <-s.ctx.Done():
			return nil
		case <-s.answers.ready:
		}
		if out := s.answers.take(); len(out) > 0 {
			err := s.line.Write(out, s.o.WriteTimeout)
			s.answers.written()
			if err != nil {
				return err
			}
		}
	}
}

// limiter lets rate events a second pass, and most at once. For one goroutine.
type limiter struct {
	rate  float64
	most  float64
	left  float64
	until time.Time
}

// newLimiter lets four seconds' worth pass at once.
func newLimiter(rate int) limiter {
	return limiter{rate: float64(rate), most: 4 * float64(rate), left: 4 * float64(rate)}
}

func (l *limiter) allow(now time.Time) bool {
	if !l.until.IsZero() {
		l.left = min(l.most, l.left+l.rate*now.Sub(l.until).Seconds())
	}
	l.until = now
	if l.left < 1 {
		return false
	}
	l.left--
	return true
}
