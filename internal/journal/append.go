package journal

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"path/filepath"
)

const pageSize = 4096 // of a file

// insertBatch is one row of a day's file.
const insertBatch = "INSERT INTO batch (" + rowColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

// Append commits the entries, in their order, with one fsync, and returns the
// position of the first of them. When it returns without error they are
// durable and carry their positions; after an error none of them is in the
// journal, their Pos is as it was, and the same entries may be appended again
// (sqlite.IsFull tells that the disk has no room). Recv is set by the caller.
//
// Where the local date of the newest Recv lies after the newest day, a new
// day's file is begun; its first entry, a TypeDay, then takes the position
// before the one returned. A clock that went back opens no older day.
func (j *Journal) Append(ctx context.Context, entries []Entry) (first uint64, err error) {
	if len(entries) == 0 {
		return 0, errors.New("journal: nothing to append")
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	// A commit that has begun is not cut off by a shutdown.
	ctx = context.WithoutCancel(ctx)
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closed:
		return 0, ErrClosed
	case j.o.ReadOnly:
		return 0, errors.New("journal: opened read only")
	}
	if err := j.unstray(); err != nil {
		return 0, err
	}
	newest := int64(math.MinInt64)
	for i := range entries {
		newest = max(newest, entries[i].Recv)
	}
	days := j.list()
	if len(days) == 0 || newest >= j.dayEnd {
		return j.appendNewDay(ctx, entries, newest)
	}
	d := days[len(days)-1]
	if err := j.mend(ctx, d); err != nil {
		return 0, err
	}
	d.db.Tend(ctx, d.written)
	d.written = 0
	w := j.writer(d, j.head.Load(), d.hash, d.readings.Load())
	if err := w.commit(ctx, nil, entries); err != nil {
		j.torn = true
		return 0, err
	}
	w.done(entries, newest)
	return entries[0].Pos, nil
}

// appendNewDay begins the file of newest's date with its TypeDay entry and
// commits the entries in it.
func (j *Journal) appendNewDay(ctx context.Context, entries []Entry, newest int64) (uint64, error) {
	date := j.dateOf(newest)
	d := &day{date: date, path: filepath.Join(j.dir, date+".db")}
	head, days := j.head.Load(), j.list()
	begin := Entry{Recv: newest, Type: TypeDay, Day: &Day{}}
	for i := range entries {
		if entries[i].Flags&FlagRetried == 0 {
			begin.Recv = entries[i].Recv
			break
		}
	}
	if j.o.DayStart != nil {
		*begin.Day = j.o.DayStart(date)
	}
	begin.Day.Date, begin.Day.PrevHash = date, ""
	var prev Hash
	if len(days) > 0 {
		old := days[len(days)-1]
		if err := j.mend(ctx, old); err != nil {
			return 0, err
		}
		prev = old.hash
		begin.Day.PrevHash = hex.EncodeToString(prev[:])
	}
	d.first = head + 1
	j.stray = d
	err := d.open(ctx, true)
	w := j.writer(d, head, prev, 0)
	if err == nil {
		err = w.commit(ctx, &begin, entries)
	}
	if err == nil {
		// The file's name must be as durable as what is in it.
		err = j.sync(j.dir)
	}
	if err != nil {
		return 0, errors.Join(err, d.close())
	}
	j.stray = nil
	w.done(entries, max(newest, begin.Recv))
	all := append(append(make([]*day, 0, len(days)+1), days...), d)
	j.days.Store(&all)
	j.dayEnd = j.endOf(date)
	for _, over := range days {
		if err := over.idle(); err != nil {
			j.o.Log.WarnContext(ctx, "journal: closing a day that is over", "date", over.date, "error", err)
		}
	}
	j.o.Log.InfoContext(ctx, "journal: a new day begins", "date", date, "first", d.first)
	return entries[0].Pos, nil
}

// unstray removes the file of a day that did not begin. What it holds may be
// whole, although it was reported as failed: it must not stand beside what is
// appended instead, which may lie in another day.
func (j *Journal) unstray() error {
	if j.stray == nil {
		return nil
	}
	errs := j.removeFiles(j.stray)
	if err := errors.Join(append(errs, j.sync(j.dir))...); err != nil {
		return fmt.Errorf("journal: take back a day that did not begin: %w", err)
	}
	j.stray = nil
	return nil
}

// mend makes the newest day's file hold what the head says after an append
// that failed: the connection is opened anew, and a commit that reached the
// file although it was reported as failed is taken back. Nobody has seen it.
func (j *Journal) mend(ctx context.Context, d *day) error {
	if !j.torn && d.writable() {
		return nil
	}
	if j.torn {
		if err := d.close(); err != nil {
			j.o.Log.WarnContext(ctx, "journal: closing a file after a failed append", "file", d.path, "error", err)
		}
	}
	if err := d.open(ctx, true); err != nil {
		return err
	}
	if err := j.takeBack(ctx, d); err != nil {
		return err
	}
	j.torn = false
	return nil
}

func (j *Journal) takeBack(ctx context.Context, d *day) error {
	var last uint64
	if err := d.db.W.QueryRowContext(ctx, "SELECT coalesce(max(first + n - 1), 0) FROM batch WHERE first > ?", j.head.Load()).Scan(&last); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if last == 0 {
		return nil
	}
	if _, err := d.db.W.ExecContext(ctx, "DELETE FROM batch WHERE first > ?", j.head.Load()); err != nil {
		return fmt.Errorf("journal: take back a commit that was reported as failed: %w", err)
	}
	return nil
}

// writer commits one append.
type writer struct {
	j        *Journal
	d        *day
	next     uint64 // position of the next entry
	hash     Hash
	readings int64
}

func (j *Journal) writer(d *day, head uint64, prev Hash, readings int64) *writer {
	return &writer{j: j, d: d, next: head + 1, hash: prev, readings: readings}
}

// commit writes the entries, after begin where it is not nil, as one
// transaction.
func (w *writer) commit(ctx context.Context, begin *Entry, entries []Entry) error {
	total := len(entries)
	if begin != nil {
		total++
	}
	if total <= batchLimit {
		return w.rows(ctx, begin, entries, w.d.insert)
	}
	tx, err := w.d.db.W.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("journal: begin: %w", err)
	}
	if err := w.rows(ctx, begin, entries, tx.StmtContext(ctx, w.d.insert)); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("journal: commit: %w", err)
	}
	return nil
}

func (w *writer) rows(ctx context.Context, begin *Entry, entries []Entry, to *sql.Stmt) error {
	enc := &w.j.enc
	for at := 0; at < len(entries) || begin != nil; {
		enc.reset()
		if begin != nil {
			if err := enc.add(begin); err != nil {
				return fmt.Errorf("journal: %w", err)
			}
			begin = nil
		}
		for ; at < len(entries) && enc.n < batchLimit; at++ {
			if err := enc.add(&entries[at]); err != nil {
				return fmt.Errorf("journal: %w", err)
			}
		}
		hash := hashBatch(w.hash, w.next, enc.n, enc.buf)
		readings := w.readings + int64(enc.reads)
		if _, err := to.ExecContext(ctx, int64(w.next), enc.n, readings, int64(enc.types), int64(crc32.Checksum(enc.buf, castagnoli)), w.hash[:], hash[:], enc.buf); err != nil {
			return fmt.Errorf("journal: append to %s: %w", w.d.path, err)
		}
		w.d.written += 2 + len(enc.buf)/pageSize
		w.hash, w.readings = hash, readings
		w.next += uint64(enc.n)
	}
	return nil
}

// done makes what was committed visible.
func (w *writer) done(entries []Entry, newest int64) {
	pos := w.next - uint64(len(entries))
	for i := range entries {
		entries[i].Pos = pos + uint64(i)
	}
	w.d.hash, w.d.recv = w.hash, max(w.d.recv, newest)
	w.d.readings.Store(w.readings)
	w.d.last.Store(w.next - 1)
	w.j.head.Store(w.next - 1)
}
