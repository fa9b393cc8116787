package serial

import (
	"context"
	"time"

	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/spool"
	"github.com/simpang-id/simpang/internal/wire/escpos"
)

// saveEvery is how long bytes of a print that goes on may wait to be durable;
// saveBytes is how many.
const (
	saveEvery = 200 * time.Millisecond
	saveBytes = 4096
)

// tapped is one tapped line from its opening to its unplugging.
type tapped struct {
	*tap
	ctx   context.Context
	cut   *escpos.Splitter
	job   *spool.Job // of what came since the last end; nil: nothing came
	fresh []byte     // bytes of it that are not durable yet
	since time.Time  // when the first of those came
	heard time.Time  // when the last byte came, at first when the line was opened
	calm  bool       // the line has been idle since then
}

// read keeps what comes and cuts it into prints, until the line or ctx ends.
// What was going on by then is cut off: it is kept and set aside.
func (t *tap) read(ctx context.Context, l *line) error {
	r := &tapped{tap: t, ctx: ctx, cut: escpos.NewSplitter(), heard: time.Now()}
	defer r.stop()
	buf := make([]byte, 4096)
	for ctx.Err() == nil {
		n, err := l.Read(buf)
		if err != nil {
			return err
		}
		now := time.Now()
		if n > 0 {
			r.take(buf[:n], now)
		} else if ctx.Err() == nil && now.Sub(r.heard) >= t.o.Tap.Idle && !r.calm {
			r.idle()
		}
		if len(r.fresh) >= saveBytes || len(r.fresh) > 0 && now.Sub(r.since) >= saveEvery {
			r.save()
		}
		if t.o.MaxSilence > 0 && now.Sub(r.heard) > source.Patience(t.o.MaxSilence, t.restarts) {
			t.restarts++
			t.stats.Silences.Add(1)
			return errSilent
		}
	}
	return nil
}

func (r *tapped) take(p []byte, now time.Time) {
	r.heard, r.calm, r.restarts = now, false, 0
	r.stats.TapBytes.Add(uint64(len(p)))
	for len(p) > 0 {
		if r.job == nil {
			r.job = &spool.Job{Source: r.o.ID, Began: now.UnixMilli()}
		}
		if len(r.fresh) == 0 {
			r.since = now
		}
		n, end := r.cut.Feed(p)
		r.fresh = append(r.fresh, p[:n]...)
		p = p[n:]
		if end != "" {
			r.end(end)
		}
	}
}

// idle ends what goes on. Whole commands alone wait for what they belong to.
func (r *tapped) idle() {
	r.calm = true
	if r.cut.Going() {
		r.end(escpos.EndIdle)
	}
	r.cut.Begin()
}

// stop ends what goes on when the line or the gateway does.
func (r *tapped) stop() {
	if r.job == nil || !r.cut.Going() && r.job.ID == 0 {
		return
	}
	r.ctx = context.WithoutCancel(r.ctx)
	p := r.cut.Take(escpos.EndStopped)
	r.close(&p, func(try func() error) {
		if err := try(); err != nil { // what is durable of it is taken up at the next start
			r.o.Log.Error("the last print could not be kept whole", "error", err)
		}
	})
}

// save makes what came durable, but not noise.
func (r *tapped) save() {
	if r.cut.Noise() {
		return
	}
	if r.persist(r.ctx, func() error { return r.o.Tap.Spool.Append(r.ctx, r.job, r.fresh) }) {
		r.fresh = r.fresh[:0]
	}
}

func (r *tapped) end(end escpos.End) {
	p := r.cut.Take(end)
	r.close(&p, func(try func() error) { r.persist(r.ctx, try) })
}

// close ends the job of a print. Noise over its rate is counted only.
func (r *tapped) close(p *escpos.Print, persist func(func() error)) {
	j := r.job
	j.Ending, j.Whole, j.Ended = string(p.End), p.Whole, r.heard.UnixMilli()
	if p.Noise() && !r.noise.allow(r.heard) {
		r.stats.NoiseDropped.Add(1)
		persist(func() error { return r.o.Tap.Spool.Drop(r.ctx, j) })
	} else {
		if p.Noise() {
			r.stats.Noise.Add(1)
		} else {
			r.stats.Received.Add(1)
			r.lastMessage.Now()
		}
		persist(func() error { return r.o.Tap.Spool.End(r.ctx, j, r.fresh) })
		signal(r.tap.fresh)
	}
	r.job, r.fresh = nil, r.fresh[:0]
}
