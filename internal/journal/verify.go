package journal

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
)

// Progress tells how far Verify has come.
type Progress struct {
	Date    string
	Entries uint64 // checked so far
	Total   uint64
}

// verifyChunk bounds how many entries Verify reads under one snapshot.
const verifyChunk = 1 << 16

// Verify reads everything that the journal has and recomputes every checksum
// and hash. The error names the first batch that is not as it was written
// (*DamageError); it also checks that positions have no holes, that every
// entry can be decoded and that each day ties to the one before. progress may
// be nil.
func (j *Journal) Verify(ctx context.Context, progress func(Progress)) error {
	head, days := j.head.Load(), j.list()
	if len(days) == 0 {
		return nil
	}
	v := &verifier{j: j, next: days[0].first}
	if err := v.origin(ctx, days[0]); err != nil {
		return err
	}
	begin := v.next
	for _, d := range days {
		if err := v.structure(ctx, d); err != nil {
			return err
		}
		v.fresh, v.readings = true, 0
		last := min(d.last.Load(), head)
		for v.next <= last {
			before := v.next
			if err := j.each(ctx, d, v.next-1, last, v.row(d)); err != nil {
				return err
			}
			if v.next == before {
				return d.damaged(v.next, fmt.Sprintf("positions %d to %d are missing", v.next, last), nil)
			}
			if progress != nil {
				progress(Progress{Date: d.date, Entries: v.next - begin, Total: head + 1 - begin})
			}
		}
	}
	return nil
}

type verifier struct {
	j        *Journal
	next     uint64 // position that must come
	prev     Hash
	fresh    bool // the next batch is the first of its file
	readings int64
	dec      decoder
	buf      []Entry
}

// origin learns the hash before the oldest day: that of the day that was
// retired last, or zeros before the very first.
func (v *verifier) origin(ctx context.Context, d *day) (err error) {
	v.prev, err = v.j.origin(ctx, d)
	return err
}

// origin returns the hash that the oldest day must tie to.
func (j *Journal) origin(ctx context.Context, d *day) (prev Hash, err error) {
	if d.first == 1 {
		return Hash{}, nil
	}
	var hash []byte
	var last uint64
	err = sql.ErrNoRows
	if j.kept != nil {
		err = j.kept.R.QueryRowContext(ctx, "SELECT last, hash FROM retired WHERE first < ? ORDER BY last DESC LIMIT 1", int64(d.first)).Scan(&last, &hash)
	}
	switch {
	case ctx.Err() != nil:
		return Hash{}, ctx.Err()
	case errors.Is(err, sql.ErrNoRows):
		return Hash{}, d.damaged(d.first, "the journal begins with it, but "+keptName+" knows of no retired day before it", nil)
	case err != nil:
		return Hash{}, &DamageError{File: j.kept.Path(), Detail: "cannot be read", Err: err}
	case last+1 != d.first:
		return Hash{}, d.damaged(d.first, fmt.Sprintf("it begins at position %d, but the day retired last ended at %d", d.first, last), nil)
	}
	return Hash(padded(hash)), nil
}

// structure lets SQLite check the file as a file.
func (v *verifier) structure(ctx context.Context, d *day) error {
	db, release, err := d.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := db.Check(ctx, true); err != nil {
		return d.damaged(0, "its structure is not whole", err)
	}
	return nil
}

func (v *verifier) row(d *day) func(*row) error {
	start := v.next
	return func(w *row) error {
		if v.next-start >= verifyChunk {
			return errStop
		}
		if w.first != v.next {
			return d.damaged(w.first, fmt.Sprintf("it begins at position %d where %d must follow", w.first, v.next), nil)
		}
		if err := w.check(v.prev); err != nil {
			return d.damaged(w.first, "it is not as it was written", err)
		}
		entries, n, err := v.dec.entries(v.buf[:0], w.first, w.data, nil)
		if err != nil || n != w.n {
			return d.damaged(w.first, fmt.Sprintf("it cannot be decoded (%d of %d entries)", n, w.n), err)
		}
		v.buf = entries
		if err := v.contents(d, w, entries); err != nil {
			return err
		}
		v.prev, v.fresh = Hash(padded(w.hash)), false
		v.next = w.first + uint64(w.n)
		return nil
	}
}

func (v *verifier) contents(d *day, w *row, entries []Entry) error {
	var types uint64
	for i := range entries {
		types |= 1 << entries[i].Type
		if entries[i].Type == TypeReading {
			v.readings++
		}
		if (entries[i].Type == TypeDay) != (v.fresh && i == 0) {
			return d.damaged(w.first, "a day's entry must be the first of its file, and only there", nil)
		}
	}
	if types != w.types || v.readings != w.readings {
		return d.damaged(w.first, fmt.Sprintf("it says types %b and %d readings, which are %b and %d", w.types, w.readings, types, v.readings), nil)
	}
	if !v.fresh {
		return nil
	}
	prev := ""
	if w.first > 1 {
		prev = hex.EncodeToString(v.prev[:])
	}
	if day := entries[0].Day; day.Date != d.date || day.PrevHash != prev {
		return d.damaged(w.first, fmt.Sprintf("the day's entry says %s after %q, but the file is of %s after %q", day.Date, day.PrevHash, d.date, prev), nil)
	}
	return nil
}
