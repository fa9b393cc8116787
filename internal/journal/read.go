package journal

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sort"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// Read returns entries after a position, in order and without holes: whole
// batches until max entries would be passed, but at least one batch, so that
// what is returned may be more than max. It is empty where after is the head.
// The checksum of every batch is compared; a batch that is damaged is a
// *DamageError. A cursor beyond the head is a *BeyondHeadError, one in a
// retired day a *RetiredError. The entries are shared: nobody changes them.
func (j *Journal) Read(ctx context.Context, after uint64, max int) ([]Entry, error) {
	head := j.head.Load()
	if after > head {
		return nil, &BeyondHeadError{Cursor: after, Head: head}
	}
	if after == head {
		return nil, nil
	}
	days := j.list()
	at := sort.Search(len(days), func(i int) bool { return days[i].last.Load() > after })
	if at == len(days) || days[at].first > after+1 {
		return nil, j.gone(after)
	}
	dec, _ := j.decoders.Get().(*decoder)
	defer j.decoders.Put(dec)
	var out []Entry
	for ; at < len(days) && after < head; at++ {
		d := days[at]
		full := false
		err := j.each(ctx, d, after, head, func(w *row) error {
			if full = len(out) > 0 && len(out)+w.n > max; full {
				return errStop
			}
			if out == nil {
				out = make([]Entry, 0, min(max, int(head-after))+w.n)
			}
			var err error
			if out, err = d.decode(dec, out, w, after); err != nil {
				return err
			}
			after = w.first + uint64(w.n) - 1
			return nil
		})
		if errors.Is(err, errRetired) {
			return nil, j.gone(after)
		}
		if err != nil {
			return nil, err
		}
		if full {
			break
		}
		if want := min(d.last.Load(), head); after < want {
			return nil, d.damaged(after+1, fmt.Sprintf("positions %d to %d are missing", after+1, want), nil)
		}
	}
	return out, nil
}

// gone is the error for a position that lies before the oldest day.
func (j *Journal) gone(after uint64) error {
	first := j.head.Load() + 1
	if days := j.list(); len(days) > 0 {
		first = days[0].first
	}
	return &RetiredError{After: after, First: first}
}

var errStop = errors.New("stop")

// each calls f for the day's batches that hold something after a position, in
// order, up to the head. The row's bytes hold only during the call.
func (j *Journal) each(ctx context.Context, d *day, after, head uint64, f func(*row) error) error {
	db, release, err := j.use(ctx, d)
	if err != nil {
		return err
	}
	defer release()
	rows, err := db.R.QueryContext(ctx, "SELECT "+rowColumns+` FROM batch
		WHERE first >= coalesce((SELECT max(first) FROM batch WHERE first <= ?1), ?1) AND first <= ?2 ORDER BY first`, int64(after+1), int64(head))
	if err != nil {
		return d.damagedUnless(ctx, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var w row
		if err := w.scan(rows); err != nil {
			return d.damagedUnless(ctx, err)
		}
		if w.first+uint64(w.n) <= after+1 {
			continue
		}
		if w.first > after+1 {
			return d.damaged(w.first, fmt.Sprintf("positions %d to %d before it are missing", after+1, w.first-1), nil)
		}
		if err := f(&w); errors.Is(err, errStop) {
			return nil
		} else if err != nil {
			return err
		}
		after = w.first + uint64(w.n) - 1
	}
	if err := rows.Err(); err != nil {
		return d.damagedUnless(ctx, err)
	}
	return nil
}

// damagedUnless names the file in an error of SQLite.
func (d *day) damagedUnless(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return d.damaged(0, "cannot be read", err)
}

// decode appends the row's entries after a position.
func (d *day) decode(dec *decoder, out []Entry, w *row, after uint64) ([]Entry, error) {
	if crc := crc32.Checksum(w.data, castagnoli); crc != w.crc {
		return nil, d.damaged(w.first, fmt.Sprintf("its CRC32C is %08x, stored is %08x", crc, w.crc), nil)
	}
	start := len(out)
	out, n, err := dec.entries(out, w.first, w.data, nil)
	if err != nil || n != w.n {
		return nil, d.damaged(w.first, fmt.Sprintf("it cannot be decoded (%d of %d entries)", n, w.n), err)
	}
	if after >= w.first {
		out = slices.Delete(out, start, start+int(after-w.first)+1)
	}
	return out, nil
}

// At returns the entries at the positions, which are sorted and without
// doubles, in their order.
func (j *Journal) At(ctx context.Context, positions []uint64) ([]Entry, error) {
	head := j.head.Load()
	if n := len(positions); n > 0 && positions[n-1] > head {
		return nil, &BeyondHeadError{Cursor: positions[n-1], Head: head}
	}
	dec, _ := j.decoders.Get().(*decoder)
	defer j.decoders.Put(dec)
	out := make([]Entry, 0, len(positions))
	days := j.list()
	for len(positions) > 0 {
		pos := positions[0]
		at := sort.Search(len(days), func(i int) bool { return days[i].last.Load() >= pos })
		if at == len(days) || days[at].first > pos || pos == 0 {
			return nil, j.gone(pos - 1)
		}
		end := sort.Search(len(positions), func(i int) bool { return positions[i] > days[at].last.Load() })
		var err error
		if out, err = j.at(ctx, dec, days[at], positions[:end], out); errors.Is(err, errRetired) {
			return nil, j.gone(pos - 1)
		} else if err != nil {
			return nil, err
		}
		positions = positions[end:]
	}
	return out, nil
}

// at reads positions of one day.
func (j *Journal) at(ctx context.Context, dec *decoder, d *day, positions []uint64, out []Entry) ([]Entry, error) {
	db, release, err := j.use(ctx, d)
	if err != nil {
		return nil, err
	}
	defer release()
	query, err := db.R.PrepareContext(ctx, "SELECT first, n, crc32c, data FROM batch WHERE first <= ? ORDER BY first DESC LIMIT 1")
	if err != nil {
		return nil, d.damagedUnless(ctx, err)
	}
	defer func() { _ = query.Close() }()
	var wanted []int
	for len(positions) > 0 {
		var w row
		if err := query.QueryRowContext(ctx, int64(positions[0])).Scan(&w.first, &w.n, &w.crc, &w.data); err != nil {
			return nil, d.damagedUnless(ctx, err)
		}
		if crc := crc32.Checksum(w.data, castagnoli); crc != w.crc {
			return nil, d.damaged(w.first, fmt.Sprintf("its CRC32C is %08x, stored is %08x", crc, w.crc), nil)
		}
		wanted = wanted[:0]
		for len(positions) > 0 && positions[0] < w.first+uint64(w.n) {
			wanted = append(wanted, int(positions[0]-w.first))
			positions = positions[1:]
		}
		if len(wanted) == 0 {
			return nil, d.damaged(w.first, fmt.Sprintf("position %d after it is missing", positions[0]), nil)
		}
		before := len(out)
		if out, _, err = dec.entries(out, w.first, w.data, wanted); err != nil || len(out)-before != len(wanted) {
			return nil, d.damaged(w.first, "it cannot be decoded", err)
		}
	}
	return out, nil
}

// openDays is how many days beside the newest keep their connections open.
const openDays = 3

// use returns the day's open file and closes that of the day that was not used
// for longest where too many are open.
func (j *Journal) use(ctx context.Context, d *day) (db *sqlite.DB, release func(), err error) {
	db, release, err = d.acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	if days := j.list(); len(days) > 0 && days[len(days)-1] == d {
		return db, release, nil
	}
	j.openMu.Lock()
	defer j.openMu.Unlock()
	if at := slices.Index(j.opened, d); at >= 0 {
		j.opened = slices.Delete(j.opened, at, at+1)
	}
	if j.opened = append(j.opened, d); len(j.opened) > openDays {
		old := j.opened[0]
		j.opened = slices.Delete(j.opened, 0, 1)
		if err := old.idle(); err != nil {
			j.o.Log.WarnContext(ctx, "journal: closing an older day", "date", old.date, "error", err)
		}
	}
	return db, release, nil
}
