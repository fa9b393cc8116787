package serial

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/modbus"
)

// Poll makes a line one whose units are asked for registers.
type Poll struct {
	Map    *modbus.Map                                      // required
	Encode func(*city.Reading) []byte                       // as the payload of a message; required
	Decode func(device string, payload []byte) wire.Decoded // of that payload, with its checks; required
}

// errNoAnswer means that a unit said nothing in time.
var errNoAnswer = errors.New("no answer in time")

// poll asks the units in turn. A reading that could not be taken is not asked
// for again: the next poll tells what is then. What the counters were is kept
// while the line is gone.
type poll struct {
	*Source
	units []polled
	boot  uint64 // our clock at the start, ms: more than at any start before
}

// polled is a unit with what is remembered of it.
type polled struct {
	*modbus.Unit
	due    time.Time
	failed int // polls in a row
	fault  string
	state  modbus.State
	seq    uint64
}

// longestWait is how long a unit that does not answer is left alone at most.
const longestWait = time.Minute

func newPoll(s *Source) *poll {
	p := &poll{Source: s, units: make([]polled, len(s.o.Poll.Map.Units))}
	for i := range p.units {
		p.units[i].Unit = &s.o.Poll.Map.Units[i]
	}
	return p
}

// run asks until the line or ctx ends.
func (p *poll) run(ctx context.Context, l *line) error {
	if p.boot == 0 {
		p.boot = uint64(time.Now().UnixMilli())
	}
	heard := time.Now()
	for ctx.Err() == nil {
		u := p.next()
		if wait := time.Until(u.due); wait > 0 {
			pause(ctx, wait)
			continue
		}
		answers, err := p.ask(ctx, l, u)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // to be stopped is no fault
		}
		switch {
		case errors.Is(err, errUnplugged) || errors.Is(err, errLine):
			return err
		case err != nil:
			p.unanswered(u, err)
		default:
			heard, p.restarts = time.Now(), 0
			p.answered(u)
			if err := p.offer(ctx, u, answers, heard); err != nil {
				return err
			}
		}
		if p.o.MaxSilence > 0 && time.Since(heard) > source.Patience(p.o.MaxSilence, p.restarts) {
			p.restarts++
			p.stats.Silences.Add(1)
			return errSilent
		}
	}
	return nil
}

// next is the unit that is due first.
func (p *poll) next() *polled {
	first := &p.units[0]
	for i := range p.units {
		if p.units[i].due.Before(first.due) {
			first = &p.units[i]
		}
	}
	return first
}

func (p *poll) answered(u *polled) {
	u.due, u.failed = time.Now().Add(u.Every), 0
	if u.fault != "" {
		u.fault = ""
		p.o.Log.Info("a unit answers again", "unit", u.Number, "device", u.Device)
		p.tell()
	}
}

func (p *poll) unanswered(u *polled, err error) {
	wait := u.Every
	for range min(u.failed, 10) {
		wait = min(2*wait, max(longestWait, u.Every))
	}
	u.failed++
	u.due = time.Now().Add(wait)
	if fault := err.Error(); fault != u.fault {
		u.fault = fault
		p.o.Log.Warn("a unit gives no good answer", "unit", u.Number, "device", u.Device, "error", err)
		p.tell()
	}
}

// tell says in the status which units do not answer.
func (p *poll) tell() {
	const most = 5
	var faults []string
	for i := range p.units {
		if u := &p.units[i]; u.fault != "" {
			faults = append(faults, fmt.Sprintf("unit %d (%s): %s", u.Number, u.Device, u.fault))
		}
	}
	if len(faults) > most {
		faults = append(faults[:most], fmt.Sprintf("and %d more", len(faults)-most))
	}
	p.setState(true, strings.Join(faults, "; "))
}

// ask asks a unit all its questions.
func (p *poll) ask(ctx context.Context, l *line, u *polled) ([][]byte, error) {
	answers := make([][]byte, 0, len(u.Spans()))
	for _, s := range u.Spans() {
		request := modbus.Request(u.Number, s.Function, s.Start, s.Count)
		answer, err := p.question(ctx, l, request)
		for tries := 0; err != nil && tries < p.o.Poll.Map.Retries && ctx.Err() == nil && !fatal(err); tries++ {
			answer, err = p.question(ctx, l, request)
		}
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
	return answers, nil
}

// fatal tells whether asking again is of no use.
func fatal(err error) bool {
	_, refused := errors.AsType[*modbus.ExceptionError](err)
	return refused || errors.Is(err, errUnplugged) || errors.Is(err, errLine)
}

// errLine means that the line cannot be written.
var errLine = errors.New("the line cannot be written")

// question sends one request and waits for its answer. Where none came, or
// another than that, the line is listened to until it is silent: an answer that
// comes late must not be taken for that of the next question.
func (p *poll) question(ctx context.Context, l *line, request []byte) ([]byte, error) {
	p.stats.Questions.Add(1)
	if err := l.flush(); err != nil {
		return nil, err
	}
	time.Sleep(frameGap(p.o.Baud)) // the silence between frames
	if err := l.Write(request, p.o.WriteTimeout); err != nil {
		return nil, fmt.Errorf("%w: %w", errLine, err)
	}
	frame, err := listen(ctx, l, p.o.Poll.Map.Timeout)
	if err == nil {
		var data []byte
		if data, err = modbus.Answer(request, frame); err == nil {
			return data, nil
		}
	}
	_, refused := errors.AsType[*modbus.ExceptionError](err)
	switch {
	case errors.Is(err, errUnplugged):
		return nil, err
	case refused:
		p.stats.Exceptions.Add(1)
		return nil, err
	case errors.Is(err, errNoAnswer):
		p.stats.NoAnswers.Add(1)
	default:
		p.stats.BadAnswers.Add(1)
	}
	return nil, errors.Join(err, settle(ctx, l, p.o.Poll.Map.Timeout))
}

// frameGap is the silence of 3.5 characters of 11 bits between frames, 1.75 ms
// above 19,200 bit/s.
func frameGap(baud int) time.Duration {
	return max(1750*time.Microsecond, 35*11*time.Second/10/time.Duration(baud))
}

// listen reads one answer.
func listen(ctx context.Context, l *line, timeout time.Duration) ([]byte, error) {
	until := time.Now().Add(timeout)
	frame := make([]byte, 0, modbus.MaxFrame)
	for {
		want, known := modbus.Size(frame)
		if known && len(frame) >= want {
			return frame[:want], nil
		}
		if !known {
			want = len(frame) + 1
		}
		n, err := l.Read(frame[len(frame):want])
		if err != nil {
			return nil, err
		}
		frame = frame[:len(frame)+n]
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if n == 0 && !time.Now().Before(until) {
			return nil, errNoAnswer
		}
	}
}

// settle listens until the line is silent, but no longer than another time-out.
func settle(ctx context.Context, l *line, timeout time.Duration) error {
	var late [modbus.MaxFrame]byte
	for until := time.Now().Add(timeout); ctx.Err() == nil && time.Now().Before(until); {
		n, err := l.Read(late[:])
		if n == 0 || err != nil {
			return err
		}
	}
	return nil
}

// offer hands on the readings of one poll.
func (p *poll) offer(ctx context.Context, u *polled, answers [][]byte, at time.Time) error {
	readings, change := u.Readings(answers, at.UnixMilli(), &u.state)
	if change.Reset > 0 {
		p.stats.Resets.Add(uint64(change.Reset))
		p.o.Log.Warn("counters of a unit began anew: what passed before that, since the last poll, is not known", "unit", u.Number, "device", u.Device, "counters", change.Reset)
	}
	for i := range readings {
		r := &readings[i]
		u.seq++
		r.HasBoot, r.Boot, r.Seq = true, p.boot, u.seq
		payload := p.o.Poll.Encode(r)
		m := source.Message{
			Source: p.o.ID, Device: u.Device, Payload: payload,
			Decoded: wire.Contain(payload, func() wire.Decoded { return p.o.Poll.Decode(u.Device, payload) }),
			Done: func(done bool) {
				p.stats.Unacked.Add(-1)
				if !done {
					p.stats.NotTaken.Add(1)
				}
			},
		}
		p.stats.Received.Add(1)
		p.stats.Unacked.Add(1)
		p.lastMessage.Now()
		if err := p.o.Sink.Offer(ctx, m); err != nil {
			p.stats.Unacked.Add(-1)
			return err
		}
	}
	return nil
}
