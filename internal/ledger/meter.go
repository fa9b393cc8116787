package ledger

import (
	"database/sql"
	"errors"

	"github.com/simpang-id/simpang/internal/city"
)

// A meter's running totals survive its boots, a void lowers them. Each reading
// is compared with the one before it in the meter's own order (boot, seq;
// without boots at, seq): what it adds must be what the reading did. The flags
// are derived, and computed anew where a reading comes late between two.

// step is a reading's place in its meter's own order.
type step struct {
	boot int64 // -1: the device counts no boots
	at   int64 // 0 where boots order the readings
	seq  int64
	pos  int64
}

type meterRow struct {
	device int64
	reached
}

// reached is how far a meter has come.
type reached struct {
	step
	count  city.Int // total_count
	amount city.Int // total_amount
}

func (a step) before(b step) bool {
	return moment{a.boot, a.at, a.seq, a.pos}.before(moment{b.boot, b.at, b.seq, b.pos})
}

func stepOf(e *Entry) step {
	if e.HasBoot {
		return step{boot: int64(e.Boot), seq: int64(e.Seq), pos: int64(e.Pos)}
	}
	return step{boot: -1, at: e.At, seq: int64(e.Seq), pos: int64(e.Pos)}
}

// totals compares the reading's totals with those before it, and gathers its
// row. The totals of the reading after it are looked at again.
func (w *writer) totals(x *reading) (Flags, error) {
	device, body := x.paper.device, x.e.Reading.Receipt
	r := reached{stepOf(x.own), body.TotalCount, body.TotalAmount}
	last := w.s.meters[device]
	if last == nil {
		var err error
		if last, err = w.neighbour(device, step{boot: 1<<63 - 1}, qBefore); err != nil {
			return 0, err
		}
	}
	if last == nil || last.before(r.step) {
		w.s.meters[device] = &r
		w.meters = append(w.meters, meterRow{device, r})
		if last == nil {
			return 0, nil
		}
		return compare(last, &r, x.own, x.own.Flags), nil
	}
	if w.s.meters[device] == nil {
		w.s.meters[device] = last
	}
	if err := w.write(); err != nil {
		return 0, err
	}
	previous, err := w.neighbour(device, r.step, qBefore)
	if err != nil {
		return 0, err
	}
	next, err := w.neighbour(device, r.step, qBehind)
	if err != nil {
		return 0, err
	}
	w.meters = append(w.meters, meterRow{device, r})
	if next != nil {
		if err := w.reflag(&r, next); err != nil {
			return 0, err
		}
	}
	if previous == nil {
		return 0, nil
	}
	return compare(previous, &r, x.own, x.own.Flags), nil
}

// recheck looks again at the totals of a reading whose effect has changed.
func (w *writer) recheck(b *booked) error {
	device := w.device(b.own.Device)
	at := stepOf(b.own)
	previous, err := w.neighbour(device, at, qBefore)
	if err != nil || previous == nil {
		return err
	}
	own, err := w.neighbour(device, at, qHere)
	if err != nil || own == nil {
		return err
	}
	return w.reflag(previous, own)
}

// reflag compares two neighbours and saves what it says of the later one.
func (w *writer) reflag(previous, r *reached) error {
	b, err := w.standing(r.pos)
	if err != nil {
		return err
	}
	flags := b.record.flags&^totalFlags | compare(previous, r, b.own, b.record.flags)
	if flags == b.record.flags {
		return nil
	}
	b.record.flags = flags
	return w.saveRecord(&b.record)
}

// compare tells what is wrong with the totals of r after previous, where the
// reading's own entry and its flags as known now say what it did.
func compare(previous, r *reached, own *Entry, known Flags) Flags {
	var count, amount int64
	switch {
	case known&(FlagReprint|FlagVoidAgain) != 0: // no effect on the meter either
	case own.Kind == KindVoid || own.Kind == KindKept:
		count, amount = -1, -int64(own.Face)
	default:
		count, amount = 1, int64(own.Face)
	}
	var flags Flags
	for _, t := range [2]struct {
		was, is city.Int
		adds    int64
		least   int64 // what a meter that began anew may show
	}{{previous.count, r.count, count, 1}, {previous.amount, r.amount, amount, max(amount, 0)}} {
		if !t.was.OK || !t.is.OK {
			continue
		}
		switch want := t.was.V + t.adds; {
		case t.is.V > want:
			flags |= FlagTotalGap
		case t.is.V < want && (t.is.V <= t.least || t.is.V <= t.was.V/10):
			flags |= FlagTotalReset
		case t.is.V < want:
			flags |= FlagTotalRollback
		}
	}
	return flags
}

// neighbour returns the reading before, behind or at a step, nil for none.
func (w *writer) neighbour(device int64, s step, q query) (*reached, error) {
	if m := w.f.mem; m != nil {
		return m.neighbour(device, s, q)
	}
	var r reached
	var count, amount sql.NullInt64
	err := w.row(q, device, s.boot, s.at, s.seq, s.pos).Scan(&r.boot, &r.at, &r.seq, &r.pos, &count, &amount)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	r.count, r.amount = city.Int{V: count.Int64, OK: count.Valid}, city.Int{V: amount.Int64, OK: amount.Valid}
	return &r, err
}
