package send

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire/frames"
)

// SerialOptions say how a serial line is used.
type SerialOptions struct {
	Port   io.ReadWriteCloser // Read must return now and then, at least after Close; (0, io.EOF) is no news
	Report Report
	Log    *slog.Logger
	Resend time.Duration // without an acknowledgement; default 2 s
}

// Serial sends sentences over one line, one of each device and window of all
// under way at once, each again until its acknowledgement comes.
type Serial struct {
	o     SerialOptions
	slots slots
	in    chan *entry
	acks  chan frames.Acked
	out   chan []byte
	stop  context.CancelFunc
	ctx   context.Context //nolint:containedctx // the life of the line, ended by Close
	wg    sync.WaitGroup
}

var _ Sender = (*Serial)(nil)

// window is how many sentences are on the line at once: some 3 KB, less than
// the buffer of a tty.
const window = 32

// maxTries is how often a broken sentence is sent: where its number cannot be
// read there is no answer to wait for.
const maxTries = 5

// NewSerial starts to use the line.
func NewSerial(o SerialOptions) *Serial {
	if o.Report == nil {
		o.Report = Discard
	}
	if o.Resend == 0 {
		o.Resend = 2 * time.Second
	}
	s := &Serial{o: o, slots: newSlots(), in: make(chan *entry), acks: make(chan frames.Acked, window), out: make(chan []byte, window)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.wg.Go(s.read)
	s.wg.Go(s.write)
	s.wg.Go(s.run)
	return s
}

// Send queues a sentence.
func (s *Serial) Send(ctx context.Context, m message.Message) error {
	if err := s.slots.take(ctx, nil); err != nil {
		return err
	}
	select {
	case s.in <- &entry{m: m}:
		return nil
	case <-ctx.Done():
		s.slots.give()
		return fmt.Errorf("sending: %w", context.Cause(ctx))
	}
}

// Idle blocks until everything is acknowledged.
func (s *Serial) Idle(ctx context.Context) error { return s.slots.idle(ctx, nil) }

// Close gives up what waits and closes the port.
func (s *Serial) Close() error {
	s.stop()
	err := s.o.Port.Close()
	s.wg.Wait()
	if err != nil {
		return fmt.Errorf("serial line: %w", err)
	}
	return nil
}

// waiting is what is to be said: each device's sentences in order, and whose
// turn it is.
type waiting struct {
	devices map[string][]*sentence
	ready   []string // devices whose first sentence is not on the line
	onLine  int
}

type sentence struct {
	entry
	due time.Time // when it is sent again
}

func (s *Serial) run() {
	w := waiting{devices: map[string][]*sentence{}}
	tick := time.NewTicker(min(s.o.Resend/4, 100*time.Millisecond))
	defer tick.Stop()
	for {
		s.fill(&w)
		select {
		case e := <-s.in:
			list := append(w.devices[e.m.Device], &sentence{entry: *e})
			w.devices[e.m.Device] = list
			if len(list) == 1 {
				w.ready = append(w.ready, e.m.Device)
			}
		case a := <-s.acks:
			if list := w.devices[a.Device]; len(list) > 0 && list[0].tries > 0 && answers(a, &list[0].m) {
				s.o.Report.acked(&list[0].m)
				s.next(&w, a.Device)
			}
		case <-tick.C:
			s.again(&w)
		case <-s.ctx.Done():
			for _, list := range w.devices {
				for _, e := range list {
					s.o.Report(truth.Unacked, &e.m)
					s.slots.give()
				}
			}
			return
		}
	}
}

func answers(a frames.Acked, m *message.Message) bool {
	return a.HasBoot == m.HasBoot && a.Boot == m.Boot && a.Seq == m.Seq
}

// fill puts sentences on the line while there is room.
func (s *Serial) fill(w *waiting) {
	for w.onLine < window && len(w.ready) > 0 {
		first := w.devices[w.ready[0]][0]
		if !s.say(first) {
			return
		}
		w.ready = w.ready[1:]
		w.onLine++
	}
}

// say gives a sentence to the writer; false if the line is stuck.
func (s *Serial) say(e *sentence) bool {
	select {
	case s.out <- e.m.Payload:
	default:
		return false
	}
	if e.tries++; e.tries > 1 {
		s.o.Report(truth.Resent, &e.m)
	}
	e.due = time.Now().Add(s.o.Resend)
	return true
}

// next drops a device's first sentence and lets the one after it speak.
func (s *Serial) next(w *waiting, device string) {
	w.onLine--
	s.slots.give()
	list := w.devices[device]
	if list = list[1:]; len(list) == 0 {
		delete(w.devices, device)
		return
	}
	w.devices[device] = list
	w.ready = append(w.ready, device)
}

// again repeats what was not answered in time.
func (s *Serial) again(w *waiting) {
	now := time.Now()
	for device, list := range w.devices {
		e := list[0]
		switch {
		case e.tries == 0 || now.Before(e.due):
		case e.m.Expect == message.Refused && e.tries >= maxTries:
			s.o.Log.Warn("no answer to a broken sentence: given up", "device", device, "reason", e.m.Reason)
			s.o.Report(truth.Unacked, &e.m)
			s.next(w, device)
		default:
			s.say(e)
		}
	}
}

func (s *Serial) write() {
	for {
		select {
		case line := <-s.out:
			if _, err := s.o.Port.Write(line); err != nil && s.ctx.Err() == nil {
				s.o.Log.Warn("serial line: not written", "error", err)
				s.pause()
			}
		case <-s.ctx.Done():
			return
		}
	}
}

// read finds the acknowledgements among what comes.
func (s *Serial) read() {
	var scanner frames.Scanner
	buf := make([]byte, 4096)
	for s.ctx.Err() == nil {
		n, err := s.o.Port.Read(buf)
		scanner.Feed(buf[:n], func(line []byte, _ *city.Refusal) {
			a, wrong := frames.ParseAck(line)
			if line == nil || wrong != nil {
				return
			}
			select {
			case s.acks <- a:
			case <-s.ctx.Done():
			}
		})
		if err != nil && n == 0 && err != io.EOF { //nolint:errorlint // tarm/serial returns it bare
			s.pause()
		}
	}
}

func (s *Serial) pause() {
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	}
}
