package serial

import (
	"context"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/spool"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/escpos"
)

// Tap makes a line one that copies what a till prints.
type Tap struct {
	Device    string            // id in devices.csv; required
	Templates *escpos.Templates // required
	Spool     Spool             // required
	Idle      time.Duration     // a receipt ends when nothing came for so long; default 2 s
}

// Spool keeps what was printed, durable before anything is made of it. What
// fails is tried again with the same.
type Spool interface {
	Boot(ctx context.Context, source string, now int64) (uint64, error)
	Append(ctx context.Context, j *spool.Job, data []byte) error
	End(ctx context.Context, j *spool.Job, data []byte) error
	Drop(ctx context.Context, j *spool.Job) error
	Recover(ctx context.Context, source, ending string) (int, error)
	Next(ctx context.Context, source string, after int64) (spool.Job, bool, error)
	Number(ctx context.Context, j *spool.Job, boot, seq uint64) error
	Taken(ctx context.Context, ids []int64) error
}

var _ Spool = (*spool.Spool)(nil)

// tap hands on what the reader of the line has put into the spool: prints of
// before the start first, each under an identity of its own that it keeps over
// restarts. It goes on while the line is gone.
type tap struct {
	*Source
	boot  uint64
	seq   uint64
	after int64         // the last job that was handed on
	fresh chan struct{} // a job ended
	open  chan struct{} // places in flight
	noise limiter

	mu    sync.Mutex
	taken []int64 // committed, and not yet noted in the spool
	moved chan struct{}
}

// Noise is kept at this rate; the rest is counted only.
const (
	noiseKept  = 4
	noiseEvery = time.Minute
)

func newTap(s *Source) *tap {
	return &tap{
		Source: s, fresh: make(chan struct{}, 1), open: make(chan struct{}, s.o.Window), moved: make(chan struct{}, 1),
		noise: limiter{rate: 1 / noiseEvery.Seconds(), most: noiseKept, left: noiseKept},
	}
}

// start begins to hand on; end waits for the last commits, but not for long.
func (t *tap) start(ctx context.Context) (end func()) {
	if !t.persist(ctx, func() (err error) {
		if t.boot == 0 {
			t.boot, err = t.o.Tap.Spool.Boot(ctx, t.o.ID, time.Now().UnixMilli())
		}
		return err
	}) {
		return func() {}
	}
	if !t.persist(ctx, func() error {
		n, err := t.o.Tap.Spool.Recover(ctx, t.o.ID, string(escpos.EndStopped))
		if n > 0 {
			t.o.Log.Warn("a print was cut off when the gateway last stopped: it is kept and set aside", "prints", n)
		}
		return err
	}) {
		return func() {}
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(flushTime, cancel) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.handOn(ctx, own)
	}()
	return func() {
		<-done
		stop()
		cancel()
	}
}

// persist tries until it works; false: ctx ended.
func (t *tap) persist(ctx context.Context, try func() error) bool {
	for failed := false; ; failed = true {
		err := try()
		if err == nil {
			if failed {
				t.setDetail("")
			}
			return true
		}
		if !failed {
			t.o.Log.Error("the print stream cannot be kept, and is tried again: free some room", "error", err)
		}
		t.setDetail("the print stream cannot be kept: " + err.Error())
		if pause(ctx, t.o.MaxBackoff); ctx.Err() != nil {
			return false
		}
	}
}

// handOn hands on until ctx ends, and then waits until own ends or nothing is
// in flight.
func (t *tap) handOn(ctx, own context.Context) {
	for ctx.Err() == nil {
		t.note(own)
		j, ok, err := t.o.Tap.Spool.Next(ctx, t.o.ID, t.after)
		switch {
		case err != nil && ok:
			t.o.Log.Error("a kept print is damaged and is passed over: simpang verify tells more", "print", j.ID, "error", err)
			t.after = j.ID
			continue
		case err != nil:
			if ctx.Err() == nil {
				t.o.Log.Error("the kept prints cannot be read, and are tried again", "error", err)
			}
			pause(ctx, t.o.MaxBackoff)
			continue
		case ok:
			t.hand(ctx, &j)
			continue
		}
		select {
		case <-ctx.Done():
		case <-t.fresh:
		case <-t.moved:
		}
	}
	for len(t.open) > 0 && own.Err() == nil {
		select {
		case <-own.Done():
		case <-t.moved:
		}
	}
	t.note(context.WithoutCancel(own))
}

// note writes down what was committed.
func (t *tap) note(ctx context.Context) {
	t.mu.Lock()
	ids := t.taken
	t.taken = nil
	t.mu.Unlock()
	if err := t.o.Tap.Spool.Taken(ctx, ids); err != nil {
		t.o.Log.Error("what was committed could not be noted, and is tried again", "error", err)
		t.mu.Lock()
		t.taken = append(t.taken, ids...)
		t.mu.Unlock()
	}
}

// hand makes a message of one print and offers it.
func (t *tap) hand(ctx context.Context, j *spool.Job) {
	p := escpos.ReadPrint(j.Data, escpos.End(j.Ending), j.Whole)
	var decoded wire.Decoded
	seal := func() []byte {
		e := p.Seal(t.o.Tap.Device, j.Boot, j.Seq, j.Ended, j.SHA256)
		payload := e.Payload()
		decoded = wire.Contain(payload, func() wire.Decoded { return t.o.Tap.Templates.Read(&e, payload) })
		return payload
	}
	if !p.Blank() {
		seal()
	}
	if len(decoded.Readings)+len(decoded.Refused) == 0 {
		t.stats.Others.Add(1)
		t.after = j.ID
		t.finish(j.ID, true)
		return
	}
	if j.Boot == 0 {
		if !t.persist(ctx, func() error { return t.o.Tap.Spool.Number(ctx, j, t.boot, t.seq+1) }) {
			return
		}
		t.seq++
	}
	m := source.Message{Source: t.o.ID, Device: t.o.Tap.Device, Payload: seal(), Decoded: decoded}
	select {
	case t.open <- struct{}{}:
	case <-ctx.Done():
		return
	}
	t.stats.Unacked.Add(1)
	m.Done = func(done bool) {
		t.finish(j.ID, done)
		<-t.open
		t.stats.Unacked.Add(-1)
		signal(t.moved)
	}
	if err := t.o.Sink.Offer(ctx, m); err != nil { // it comes again at the next start
		<-t.open
		t.stats.Unacked.Add(-1)
		return
	}
	t.after = j.ID
	t.stats.Prints.Add(uint64(len(decoded.Readings)))
	t.stats.Unread.Add(uint64(len(decoded.Refused)))
}

func (t *tap) finish(id int64, done bool) {
	if !done {
		t.stats.NotTaken.Add(1)
		return
	}
	t.mu.Lock()
	t.taken = append(t.taken, id)
	t.mu.Unlock()
}
