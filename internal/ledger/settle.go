package ledger

import (
	"fmt"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// booked is a reading that stands in the books.
type booked struct {
	record recordRow
	own    *Entry
}

// settleReceipts puts right which receipts after the new one count, and
// returns the moment from which nothing changes.
func (w *writer) settleReceipts(x *reading) (moment, error) {
	for head := x.paper; ; {
		from := moment{head.at + reprintWithin + 1, firstMoment.boot, firstMoment.seq, 0}
		next, found, err := w.firstOf(x.paper, paperHead, paperReprint, from, lastMoment)
		if err != nil {
			return lastMoment, err
		}
		until := lastMoment
		if found {
			until = next.moment
		}
		reprints, err := w.all(x.paper, paperHead, after(head.moment), until)
		if err != nil {
			return lastMoment, err
		}
		for _, p := range reprints {
			if err := w.uncountReceipt(p, x); err != nil {
				return lastMoment, err
			}
		}
		if !found || next.class == paperHead {
			return until, nil
		}
		if err := w.countReceipt(next, x); err != nil {
			return lastMoment, err
		}
		head = next
	}
}

// settleVoids puts right which voids count between a receipt that counts and
// the moment from which nothing changes.
func (w *writer) settleVoids(x *reading, from, until moment) error {
	heads, err := w.all(x.paper, paperHead, from, until)
	if err != nil {
		return err
	}
	counted, err := w.all(x.paper, paperVoid, from, until)
	if err != nil {
		return err
	}
	receipt := map[int64]paper{} // by the position of its void
	var voids []paper
	for i, head := range heads {
		end := until
		if i+1 < len(heads) {
			end = heads[i+1].moment
		}
		void, found, err := w.firstOf(x.paper, paperVoid, paperKept, head.moment, end)
		if err != nil {
			return err
		}
		if found {
			receipt[void.pos] = head
			voids = append(voids, void)
		}
	}
	for _, v := range counted {
		if _, still := receipt[v.pos]; !still {
			if err := w.uncountVoid(v, x); err != nil {
				return err
			}
		}
	}
	for _, v := range voids {
		if err := w.countVoid(v, receipt[v.pos], x); err != nil {
			return err
		}
	}
	return w.nameVoids(x, from, until)
}

// nameVoids says of the voids that do not count that their receipt is void
// already, where it was not known when they came.
func (w *writer) nameVoids(x *reading, from, until moment) error {
	kept, err := w.all(x.paper, paperKept, from, until)
	if err != nil {
		return err
	}
	for _, p := range kept {
		b, err := w.standing(p.pos)
		if err != nil {
			return err
		}
		if b.record.flags&FlagVoidAgain != 0 {
			continue
		}
		b.record.flags = b.record.flags&^(FlagVoidUnknown|FlagVoidAmount) | FlagVoidAgain
		if err := w.saveRecord(&b.record); err != nil {
			return err
		}
		if err := w.recheck(b); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) countReceipt(p paper, cause *reading) error {
	b, err := w.standing(p.pos)
	if err != nil {
		return err
	}
	e := b.correction(KindCorrection, cause, b.own.N)
	e.Count, e.Amount = 1, e.Face
	b.record.flags = b.record.flags&^FlagReprint | FlagCorrected
	return w.correct(b, e, p, paperHead, true)
}

func (w *writer) uncountReceipt(p paper, cause *reading) error {
	b, err := w.standing(p.pos)
	if err != nil {
		return err
	}
	e := b.correction(KindCorrection, cause, b.record.eff)
	e.Count, e.Amount = -1, -e.Face
	b.record.flags |= FlagReprint | FlagCorrected
	return w.correct(b, e, p, paperReprint, false)
}

// countVoid makes p the void that counts for the receipt, where it is not yet.
func (w *writer) countVoid(p, receipt paper, cause *reading) error {
	b, err := w.standing(p.pos)
	if err != nil {
		return err
	}
	of, err := w.standing(receipt.pos)
	if err != nil {
		return err
	}
	if p.class == paperVoid {
		effect, err := w.entry(b.record.eff)
		if err != nil {
			return err
		}
		if b.record.party == of.record.party && effect.Class == of.own.Class && effect.Method == of.own.Method {
			return nil
		}
		if err := w.uncountVoid(p, cause); err != nil {
			return err
		}
		p.class = paperKept
		if b, err = w.standing(p.pos); err != nil {
			return err
		}
	}
	e := b.correction(KindRevoid, cause, of.own.N)
	e.asVoidOf(of.own)
	b.record.flags = b.record.flags&^(FlagVoidUnknown|FlagVoidAgain|FlagVoidAmount) | FlagCorrected
	if err := w.move(b, of.record.party); err != nil {
		return err
	}
	return w.correct(b, e, p, paperVoid, true)
}

func (w *writer) uncountVoid(p paper, cause *reading) error {
	b, err := w.standing(p.pos)
	if err != nil {
		return err
	}
	effect, err := w.entry(b.record.eff)
	if err != nil {
		return err
	}
	e := b.correction(KindRevoid, cause, effect.N)
	e.asVoidOf(effect) // where it was counted, not where its own entry stands
	e.Count, e.Amount = 1, e.Face
	b.record.flags |= FlagVoidAgain | FlagCorrected
	return w.correct(b, e, p, paperKept, false)
}

// correction begins an entry that changes what the reading's own entry did.
func (b *booked) correction(kind EntryKind, cause *reading, ref uint64) *Entry {
	e := *b.own
	e.Kind, e.Cause, e.Ref = kind, cause.own.Pos, ref
	return &e
}

// correct makes the entry, and what is derived from it.
func (w *writer) correct(b *booked, e *Entry, p paper, class int, counts bool) error {
	b.record.flags |= w.afterClose(e.Day)
	e.Flags = b.record.flags &^ totalFlags
	if err := w.number(e, b.record.party, nil); err != nil {
		return err
	}
	b.record.eff = 0
	if counts {
		b.record.eff = e.N
	}
	if err := w.saveRecord(&b.record); err != nil {
		return err
	}
	if err := w.reclass(p, class); err != nil {
		return err
	}
	if err := w.write(); err != nil {
		return err
	}
	return w.recheck(b)
}

// move lists a reading under another party.
func (w *writer) move(b *booked, party int32) error {
	if b.record.party == party {
		return nil
	}
	if m := w.f.mem; m != nil {
		b.record.party = party
		return m.move(b.record.pos, party)
	}
	err := w.exec(qMove, party, b.record.party, b.own.At, int64(b.own.Pos))
	b.record.party = party
	return err
}

func (w *writer) reclass(p paper, class int) error {
	if m := w.f.mem; m != nil {
		return m.reclass(p, class)
	}
	err := w.exec(qReclass, class, p.device, p.number, p.class, p.amount, p.at, p.boot, p.seq, p.pos)
	return err
}

func (w *writer) saveRecord(r *recordRow) error {
	if m := w.f.mem; m != nil {
		return m.save(r)
	}
	err := w.exec(qSave, int64(r.eff), int64(r.party), int64(r.flags), sqlite.Sum("record", r.values(nil)...), int64(r.pos))
	return err
}

// standing reads what the books say of the reading at a position.
func (w *writer) standing(pos int64) (*booked, error) {
	b := &booked{record: recordRow{pos: uint64(pos)}}
	var err error
	if m := w.f.mem; m != nil {
		b.record, err = m.standing(pos)
	} else {
		err = b.record.scan(w.row(qRecord, pos))
	}
	if err != nil {
		return nil, fmt.Errorf("record of position %d: %w", pos, err)
	}
	b.own, err = w.entry(b.record.own)
	return b, err
}

func (w *writer) entry(n uint64) (*Entry, error) {
	var data, hash []byte
	var sum int64
	var err error
	if m := w.f.mem; m != nil {
		data, err = m.entry(n)
	} else if err = w.row(qEntry, int64(n)).Scan(&data, &hash, &sum); err == nil {
		err = sqlite.CheckSum(sum, "entry", int64(n), data, hash)
	}
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", n, err)
	}
	e, err := DecodeEntry(data)
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", n, err)
	}
	return e, nil
}
