package ledger

import (
	"database/sql"
	"errors"
	"math"

	"github.com/simpang-id/simpang/internal/city"
)

// What counts is a pure function of all readings of a device with the same
// number and amount, in the order of their time, whatever order they came in:
//
//   - The first receipt counts. One within 30 days of a receipt that counts is
//     its reprint; the first one after that counts again (numbers roll over).
//   - A void belongs to the last counting receipt before it; the first void of
//     a receipt counts, the others do not. One with no receipt before it does
//     not count.
//
// A reading that comes late is put in its place, and what changes by it for
// the readings after it becomes corrections. Since a receipt with another
// amount is another paper, it changes flags only.
const (
	reprintWithin = 30 * 24 * 3600 * 1000 // ms
	// A clock may run 5 min ahead and be set right between a receipt and its
	// void: a void is taken to be that much later than it says.
	voidShift = 5 * 60 * 1000 // ms
)

// The classes of a paper, as in its table.
const (
	paperHead    = 0 // a receipt that counts
	paperVoid    = 1 // a void that counts
	paperReprint = 2
	paperKept    = 3 // a void that does not count
)

// paperID is a device and the number on paper.
type paperID struct {
	device int64
	number string
}

// paper is a reading among those of the same number.
type paper struct {
	paperID
	class  int
	amount int64
	moment
}

// moment is when a paper was made; no two are equal.
type moment struct {
	at   int64 // Unix ms; of a void shifted
	boot int64
	seq  int64
	pos  int64
}

var (
	firstMoment = moment{math.MinInt64, math.MinInt64, math.MinInt64, 0}
	lastMoment  = moment{at: math.MaxInt64}
)

func (a moment) before(b moment) bool {
	switch {
	case a.at != b.at:
		return a.at < b.at
	case a.boot != b.boot:
		return a.boot < b.boot
	case a.seq != b.seq:
		return a.seq < b.seq
	default:
		return a.pos < b.pos
	}
}

func (w *writer) paperOf(r *city.Reading, pos uint64) paper {
	p := paper{
		paperID: paperID{w.device(r.Device), r.Receipt.Number}, amount: int64(r.Receipt.Amount),
		moment: moment{at: r.At, boot: bootOf(r), seq: int64(r.Seq), pos: int64(pos)},
	}
	if r.Receipt.Void {
		p.at += voidShift
	}
	return p
}

// decide makes the entries of a reading: its own, and those that put right
// what it changes for readings after it.
func (w *writer) decide(x *reading) error {
	own, void := x.own, x.e.Reading.Receipt.Void
	gathered, known := w.fresh[x.paper.paperID]
	if !known {
		var err error
		if known, err = w.stored(x.paper.paperID); err != nil {
			return err
		}
	}
	if gathered { // it must be seen by the queries that follow
		if err := w.write(); err != nil {
			return err
		}
	}
	switch {
	case known && void:
		return w.decideVoid(x)
	case known:
		return w.decideReceipt(x)
	case void:
		own.Kind, x.paper.class = KindKept, paperKept
		own.Flags |= FlagVoidUnknown
	default:
		x.counts()
	}
	return w.keep(x)
}

// counts makes the reading a receipt that counts.
func (x *reading) counts() {
	x.own.Kind, x.paper.class = KindReceipt, paperHead
	x.own.Count, x.own.Amount = 1, x.own.Face
}

func (w *writer) decideReceipt(x *reading) error {
	head, found, err := w.lastHead(x.paper, x.paper.moment)
	if err != nil {
		return err
	}
	if found && x.paper.at-head.at <= reprintWithin {
		of, err := w.standing(head.pos)
		if err != nil {
			return err
		}
		x.own.Kind, x.paper.class = KindReprint, paperReprint
		x.own.Flags |= FlagReprint
		x.own.Ref = of.own.N
		return w.keep(x)
	}
	reused, err := w.otherAmount(x.paper)
	if err != nil {
		return err
	}
	if reused {
		x.own.Flags |= FlagNumberReused
	}
	x.counts()
	if err := w.keep(x); err != nil {
		return err
	}
	if err := w.write(); err != nil {
		return err
	}
	from := x.paper.moment
	if found {
		from = head.moment
	}
	until, err := w.settleReceipts(x)
	if err != nil {
		return err
	}
	return w.settleVoids(x, from, until)
}

func (w *writer) decideVoid(x *reading) error {
	own := x.own
	head, found, err := w.lastHead(x.paper, x.paper.moment)
	if err != nil {
		return err
	}
	if !found {
		own.Kind, x.paper.class = KindKept, paperKept
		other, err := w.otherAmount(x.paper)
		if err != nil {
			return err
		}
		if other {
			own.Flags |= FlagVoidAmount
		} else {
			own.Flags |= FlagVoidUnknown
		}
		return w.keep(x)
	}
	next, found, err := w.first(x.paper, paperHead, after(head.moment), lastMoment)
	if err != nil {
		return err
	}
	until := lastMoment
	if found {
		until = next.moment
	}
	counted, found, err := w.first(x.paper, paperVoid, head.moment, until)
	if err != nil {
		return err
	}
	of, err := w.standing(head.pos)
	if err != nil {
		return err
	}
	own.Ref = of.own.N
	if found && counted.before(x.paper.moment) {
		own.Kind, x.paper.class = KindKept, paperKept
		own.Flags |= FlagVoidAgain
		return w.keep(x)
	}
	x.voids(of)
	if err := w.keep(x); err != nil || !found {
		return err
	}
	if err := w.write(); err != nil {
		return err
	}
	return w.uncountVoid(counted, x)
}

// voids makes the reading the void of a receipt: it takes from where that one
// was added, on its own day.
func (x *reading) voids(of *booked) {
	x.own.Kind, x.paper.class = KindVoid, paperVoid
	x.own.asVoidOf(of.own)
	x.party = of.record.party
}

// asVoidOf gives the entry the effect of a void of the receipt r.
func (e *Entry) asVoidOf(r *Entry) {
	e.Count, e.Amount = -1, -e.Face
	e.Site, e.Kecamatan, e.Operator, e.NPWPD, e.NOPD = r.Site, r.Kecamatan, r.Operator, r.NPWPD, r.NOPD
	e.Levy, e.Account, e.Tariff, e.Class, e.Method = r.Levy, r.Account, r.Tariff, r.Class, r.Method
}

func after(m moment) moment { m.pos++; return m }

func (w *writer) stored(id paperID) (bool, error) {
	if m := w.f.mem; m != nil {
		return m.known(id), nil
	}
	var one int
	err := w.row(qKnown, id.device, id.number).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// lastHead returns the last receipt of the same number and amount that counts
// at or before a moment.
func (w *writer) lastHead(of paper, m moment) (paper, bool, error) {
	if mem := w.f.mem; mem != nil {
		p, found := mem.lastHead(of, m)
		return p, found, nil
	}
	return w.one(of, qLastHead, of.device, of.number, of.amount, m.at, m.boot, m.seq, m.pos)
}

// first returns the first paper of a class of the same number and amount in
// [from, until).
func (w *writer) first(of paper, class int, from, until moment) (paper, bool, error) {
	if m := w.f.mem; m != nil {
		p, found := m.first(of, class, from)
		return p, found && p.before(until), nil
	}
	p, found, err := w.one(of, qFirst, of.device, of.number, class, of.amount, from.at, from.boot, from.seq, from.pos)
	return p, found && p.before(until), err
}

// firstOf is first of two classes.
func (w *writer) firstOf(of paper, a, b int, from, until moment) (paper, bool, error) {
	p, pFound, err := w.first(of, a, from, until)
	if err != nil {
		return p, false, err
	}
	q, qFound, err := w.first(of, b, from, until)
	if !pFound || (qFound && q.before(p.moment)) {
		return q, qFound, err
	}
	return p, pFound, err
}

// all returns every paper of a class of the same number and amount in
// [from, until), in order.
func (w *writer) all(of paper, class int, from, until moment) ([]paper, error) {
	var out []paper
	for {
		p, found, err := w.first(of, class, from, until)
		if err != nil || !found {
			return out, err
		}
		out = append(out, p)
		from = after(p.moment)
	}
}

// otherAmount tells whether a receipt of the same number and another amount
// counts.
func (w *writer) otherAmount(of paper) (bool, error) {
	if m := w.f.mem; m != nil {
		return m.otherAmount(of), nil
	}
	for _, q := range [2]query{qLess, qMore} {
		_, found, err := w.one(of, q, of.device, of.number, of.amount)
		if err != nil || found {
			return found, err
		}
	}
	return false, nil
}

func (w *writer) one(of paper, q query, args ...any) (paper, bool, error) {
	p := of
	err := w.row(q, args...).Scan(&p.class, &p.amount, &p.at, &p.boot, &p.seq, &p.pos)
	if errors.Is(err, sql.ErrNoRows) {
		return paper{}, false, nil
	}
	return p, err == nil, err
}
