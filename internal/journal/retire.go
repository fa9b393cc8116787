package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"sort"
	"strconv"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// Retire removes the file of the oldest day. The caller has made sure that its
// archive is whole and that every cursor lies past it. What must outlive it
// (the versions of the inventory, and the hash that the next day ties to) is
// kept first. The newest day is never retired.
//
// Append goes on meanwhile: the writer waits for the change of the list of days
// only, never for a file that takes long to be unlinked.
func (j *Journal) Retire(ctx context.Context, date string) error {
	j.retiring.Lock()
	defer j.retiring.Unlock()
	if j.o.ReadOnly {
		return errors.New("journal: opened read only")
	}
	d, err := j.oldest(date)
	if err != nil {
		return err
	}
	if err := j.keep(ctx, d); err != nil {
		return fmt.Errorf("journal: retire %s: %w", date, err)
	}
	j.mu.Lock()
	rest := append([]*day(nil), j.list()[1:]...)
	j.days.Store(&rest)
	j.mu.Unlock()
	d.mu.Lock() // who reads the day is waited for
	defer d.mu.Unlock()
	d.retired = true
	errs := append([]error{d.shut()}, j.removeFiles(d)...)
	if err := errors.Join(append(errs, j.sync(j.dir))...); err != nil {
		return fmt.Errorf("journal: retire %s: %w", date, err)
	}
	j.o.Log.InfoContext(ctx, "journal: day retired", "date", date, "first", d.first, "last", d.last.Load())
	return nil
}

// removeFiles unlinks a day's file and those beside it.
func (j *Journal) removeFiles(d *day) (errs []error) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := j.remove(d.path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errs
}

// oldest returns the oldest day where it is of that date and not the newest.
func (j *Journal) oldest(date string) (*day, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil, ErrClosed
	}
	days := j.list()
	if len(days) < 2 || days[0].date != date {
		return nil, fmt.Errorf("journal: day %s cannot be retired: only the oldest can, and never the newest", date)
	}
	return days[0], nil
}

// keep keeps what must outlive a day that is to be retired. Keeping it again
// after a crash changes nothing.
func (j *Journal) keep(ctx context.Context, d *day) error {
	versions, err := j.indexed(ctx, d, inventoryTypes)
	if err != nil {
		return err
	}
	return j.kept.Tx(ctx, func(tx *sql.Tx) error {
		for i := range versions {
			body, err := EncodeBody(nil, &versions[i])
			if err != nil {
				return err
			}
			row := []any{int64(versions[i].Pos), versions[i].Recv, body, int64(crc32.Checksum(body, castagnoli))}
			if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO inventory (pos, recv, body, crc32c, sum) VALUES (?, ?, ?, ?, ?)",
				append(row, sqlite.Sum("inventory", row...))...); err != nil {
				return err
			}
		}
		row := []any{d.date, int64(d.first), int64(d.last.Load()), d.hash[:]}
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO retired (date, first, last, hash, sum) VALUES (?, ?, ?, ?, ?)",
			append(row, sqlite.Sum("retired", row...))...)
		return err
	})
}

// Versions returns every TypeInventory entry, in the order of the journal,
// those of retired days too.
func (j *Journal) Versions(ctx context.Context) ([]Entry, error) {
	found, err := j.keptVersions(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range j.list() {
		entries, err := j.indexed(ctx, d, inventoryTypes)
		if errors.Is(err, errRetired) {
			return j.Versions(ctx)
		}
		if err != nil {
			return nil, err
		}
		found = append(found, entries...)
	}
	sort.SliceStable(found, func(a, b int) bool { return found[a].Pos < found[b].Pos })
	unique := found[:0]
	for _, e := range found {
		if n := len(unique); n == 0 || unique[n-1].Pos != e.Pos {
			unique = append(unique, e)
		}
	}
	return unique, nil
}

func (j *Journal) keptVersions(ctx context.Context) ([]Entry, error) {
	if j.kept == nil {
		return nil, nil
	}
	rows, err := j.kept.R.QueryContext(ctx, "SELECT pos, recv, body, crc32c FROM inventory ORDER BY pos")
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var found []Entry
	for rows.Next() {
		e := Entry{Type: TypeInventory}
		var body []byte
		var crc uint32
		if err := rows.Scan(&e.Pos, &e.Recv, &body, &crc); err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		if sum := crc32.Checksum(body, castagnoli); sum != crc {
			return nil, &DamageError{File: j.kept.Path(), First: e.Pos, Detail: fmt.Sprintf("its CRC32C is %08x, stored is %08x", sum, crc)}
		}
		if err := DecodeBody(&e, body); err != nil {
			return nil, &DamageError{File: j.kept.Path(), First: e.Pos, Detail: "it cannot be decoded", Err: err}
		}
		found = append(found, e)
	}
	return found, rows.Err()
}

// Types of entry that are rare and found through an index of their own: bits of
// the column types, as the index's condition in the day's migration has them.
const (
	inventoryTypes = 1 << TypeInventory
	closureTypes   = 1<<TypeClosure | 1<<TypeReopen | 1<<TypeDay
)

// indexed reads the day's entries of some types through their index.
func (j *Journal) indexed(ctx context.Context, d *day, types int) ([]Entry, error) {
	db, release, err := j.use(ctx, d)
	if err != nil {
		return nil, err
	}
	defer release()
	rows, err := db.R.QueryContext(ctx, "SELECT "+rowColumns+" FROM batch WHERE types & "+strconv.Itoa(types)+" != 0 AND first <= ? ORDER BY first", int64(j.head.Load())) //nolint:gosec // the column names and the bits are constants
	if err != nil {
		return nil, d.damagedUnless(ctx, err)
	}
	defer func() { _ = rows.Close() }()
	var dec decoder
	var found, all []Entry
	for rows.Next() {
		var w row
		if err := w.scan(rows); err != nil {
			return nil, d.damagedUnless(ctx, err)
		}
		if all, err = d.decode(&dec, all[:0], &w, 0); err != nil {
			return nil, err
		}
		for i := range all {
			if types&(1<<all[i].Type) != 0 {
				found = append(found, all[i])
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, d.damagedUnless(ctx, err)
	}
	return found, nil
}
