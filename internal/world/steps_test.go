package world

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire/native"
)

func (w *World) instant() intake.Instant { return intake.Instant{Wall: w.now + w.skew, Mono: w.mono} }

// deliver offers the next message that is due; a full queue holds it back.
func (w *World) deliver() bool {
	m := w.next()
	return m != nil && w.deliverThis(m)
}

func (w *World) deliverThis(m *message) bool {
	payload := append([]byte(nil), m.payload...)
	offer := source.Message{
		Source: m.source, Device: m.device, Topic: m.topic, Payload: payload, Decoded: native.Decode(m.device, payload),
		Done: func(committed bool) { w.acknowledge(m, committed) },
	}
	w.model.offered[&payload[0]] = m
	if err := w.sys.queue.Offer(stopped, offer); err != nil {
		delete(w.model.offered, &payload[0])
		w.note("full, %d waits", m.n)
		return false
	}
	m.out = true
	m.sends++
	w.note("offer %d of %s, send %d", m.n, m.device, m.sends)
	return true
}

// stopped has ended: who must wait under it does not.
var stopped = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// acknowledge is what a source does when the gateway is done with a message.
func (w *World) acknowledge(m *message, committed bool) {
	w.point("acknowledge")
	if committed && !w.model.durable() && w.o.mutant == "" {
		failf("message %d is acknowledged before it is durable", m.n)
	}
	if w.o.mutant == ackEarly && !m.out {
		return
	}
	w.note("ack %d %v", m.n, committed)
	w.answered(m, committed)
}

// do queues a command; false where there is no room.
func (w *World) do(c intake.Command) bool {
	return w.sys.queue.Do(stopped, &c) == nil
}

// command queues a command and commits until it is done; false: our clock is
// not trusted, or the queue is full of what cannot be taken.
func (w *World) command(c intake.Command) bool {
	done := false
	c.Done = func(uint64, intake.Verdict, error) { done = true }
	for range 20 {
		if w.do(c) {
			break
		}
		w.commit()
	}
	for i := 0; i < 20 && !done; i++ {
		w.commit()
	}
	return done
}

func (w *World) tick() {
	w.do(intake.Command{Entries: []journal.Entry{{Type: journal.TypeTick}}, Done: func(uint64, intake.Verdict, error) {}})
}

// decide lets the gate judge what waits.
func (w *World) decide() {
	s := w.sys
	if s.plan != nil {
		return
	}
	if len(s.items) == 0 {
		if s.queue.Len() == 0 {
			return
		}
		var err error
		s.items, err = s.queue.Take(w.ctx, nil)
		must(err, "take from the queue")
	}
	now := w.instant()
	trusted := w.trusted(now)
	if trusted {
		w.model.judge(s.items, now.Wall)
	}
	plan, err := s.gate.Decide(w.ctx, now, s.items)
	_, clock := errors.AsType[*intake.ClockError](err)
	switch {
	case clock && trusted:
		failf("nothing is taken although our clock is right: %v", err)
	case clock:
		w.note("our clock is not trusted")
		return
	case err != nil:
		failf("decide: %v", err)
	case !trusted:
		failf("our clock is wrong, and readings are taken all the same")
	}
	s.plan = plan
	w.note("decide %d items at %d: %s", len(s.items), now.Wall, w.model.pending)
	w.point("decided")
	if w.o.mutant == ackEarly {
		for i := range s.items {
			if m := w.model.offered[payloadOf(&s.items[i])]; m != nil {
				w.acknowledge(m, true)
			}
		}
	}
}

// trusted says by the contract whether our clock may be believed, and notes it
// as the gate does.
func (w *World) trusted(now intake.Instant) bool {
	s := w.sys
	off := s.known && abs(now.Wall-now.Mono-s.offset) > 5*minute
	if (now.Wall < w.model.lastRecv-5*minute || off) && !s.accepted {
		return false
	}
	s.known, s.offset, s.accepted = true, now.Wall-now.Mono, false
	return true
}

func abs(v int64) int64 { return max(v, -v) }

// commit makes what was decided durable.
func (w *World) commit() {
	w.decide()
	s := w.sys
	if s.plan == nil {
		return
	}
	if err := s.gate.Commit(w.ctx, s.plan); errors.Is(err, errFull) {
		return
	} else if err != nil {
		failf("commit: %v", err)
	}
	w.model.done()
	s.plan, s.items = nil, nil
	w.note("committed, head %d", s.journal.Head())
	w.point("committed")
	w.sweep()
}

// follow lets a follower take what comes next.
func (w *World) follow(r *runner) bool {
	s := w.sys
	if r.applied >= s.feed.Head() {
		return false
	}
	w.point("apply")
	entries, err := s.feed.Next(w.ctx, r.applied)
	if _, ok := errors.AsType[*journal.RetiredError](err); ok {
		w.note("%s from the archive after %d", r.Name(), r.applied)
		reached, err := s.series.Replay(w.ctx, r.applied, func(entries []journal.Entry) error {
			r.applied = entries[len(entries)-1].Pos
			return r.Apply(entries)
		})
		must(err, "replay the archive")
		r.applied = max(r.applied, reached)
		return true
	}
	must(err, "read the feed for "+r.Name())
	if n := len(entries); n > 1 && w.dice.chance(30) {
		entries = entries[:1+w.dice.n(n-1)]
	}
	applied := entries[len(entries)-1].Pos
	if w.o.mutant == skipEntry && len(entries) > 2 && w.dice.chance(20) && r.follower != s.series {
		entries = entries[:len(entries)-1]
	}
	must(r.Apply(entries), "apply to "+r.Name())
	r.applied = applied
	w.point("applied")
	return true
}

// flush makes durable what a follower concluded.
func (w *World) flush(r *runner) {
	w.point("flush")
	must(r.Flush(), "flush "+r.Name())
	r.flushed = r.Cursor()
	if r.follower != w.sys.series && r.flushed > w.sys.journal.Head() {
		failf("%s has cursor %d beyond the journal's head", r.Name(), r.flushed)
	}
	w.point("flushed")
}

// image takes an image of de-duplication, or saves the one that was taken.
func (w *World) image() {
	s := w.sys
	if s.plan != nil {
		return // what is decided is in the memory, and not in the journal yet
	}
	if s.image == nil {
		image := s.gate.Image()
		s.image = &image
		w.note("image at %d", image.Pos())
		return // it is saved beside the commits that follow
	}
	w.point("save image")
	image := *s.image
	s.image = nil
	if w.failing("the image", 15) {
		if w.o.mutant != skipImage {
			s.gate.Redo(image)
		}
		return
	}
	err := s.store.Save(w.ctx, image)
	if errors.Is(err, intake.ErrAgain) {
		s.gate.Redo(image)
		w.note("the image is redone")
		return
	}
	must(err, "save the memory of de-duplication")
	s.saved = image.Pos()
	w.note("saved %d", s.saved)
	w.point("saved image")
}

// retry takes up something from quarantine.
func (w *World) retry() {
	s := w.sys
	items, err := s.quarantine.List(w.ctx, journal.Filter{Pending: true}, 0, 1000)
	must(err, "list the quarantine")
	var known []journal.Item
	items = slices.DeleteFunc(items, func(i journal.Item) bool { return w.model.unsureOf(i.Device) })
	for _, i := range items {
		if (i.Reason == city.ReasonUnknownDevice || i.Reason == city.ReasonWrongKind) && s.versions.current.Device(i.Device) != nil {
			known = append(known, i)
		}
	}
	if len(known) == 0 || w.dice.chance(15) {
		known = items
	}
	if len(known) == 0 {
		return
	}
	item, err := s.quarantine.Get(w.ctx, pickOf(w.dice, known).ID)
	must(err, "get from quarantine")
	w.note("retry %d of %s, %s", item.ID, item.Device, item.Reason)
	w.do(intake.Command{Retry: &item, Done: func(_ uint64, v intake.Verdict, err error) {
		w.note("retried: %v %v %s %v", v.Accepted, v.Duplicate, v.Reason, err)
	}})
	if w.settling || !w.dice.chance(40) {
		return
	}
	w.commit()
	if w.cutsLeft > 0 && w.dice.chance(40) { // its receive time is the journal's last, and none of now
		w.cutsLeft--
		panic(cutSignal{"retry"})
	}
}

// closure closes a site over the API, or opens one again.
func (w *World) closure() {
	s := w.sys
	if n := len(s.closures); n > 0 && w.dice.chance(40) {
		id := pickOf(w.dice, s.closures).ID
		w.note("reopen %s", id)
		w.do(intake.Command{Entries: []journal.Entry{{Type: journal.TypeReopen, Closure: &journal.Closure{ID: id}}}, Done: nobody})
		return
	}
	w.closureNo++
	c := journal.Closure{
		ID: fmt.Sprintf("cl-%d", w.closureNo), Site: pickOf(w.dice, w.plan.sites).id, Reason: "works",
		From: w.now + pick(w.dice, -hour, -10*minute, 0, 2*minute, hour),
	}
	if w.dice.chance(60) {
		c.Until = c.From + w.dice.between(5*minute, 5*hour)
	}
	if w.dice.chance(60) {
		c.PlacesLost = city.SomeInt(w.dice.between(1, 6))
	}
	w.note("close %s %s %d..%d", c.ID, c.Site, c.From, c.Until)
	w.do(intake.Command{Entries: []journal.Entry{{Type: journal.TypeClosure, Closure: &c}}, Done: nobody})
}

func nobody(uint64, intake.Verdict, error) {}
