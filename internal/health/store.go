package health

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/simpang-id/simpang/internal/sqlite"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

func migrations() (fs.FS, error) { return fs.Sub(migrationFiles, "migrations") }

// closeRows ends a reading; what went wrong is in rows.Err.
func closeRows(rows *sql.Rows) { _ = rows.Close() }

func (f *Follower) meta() sqlite.Numbers {
	return sqlite.Numbers{"cursor": &f.cursor, "clock": &f.clock}
}

func (f *Follower) load() error {
	if err := f.meta().Load(f.ctx, f.db.R); err != nil {
		return err
	}
	f.flushed = uint64(f.cursor)
	rows, err := f.db.R.QueryContext(f.ctx, "SELECT id, name, data, sum FROM device ORDER BY id")
	if err != nil {
		return fmt.Errorf("devices: %w", err)
	}
	defer closeRows(rows)
	for rows.Next() {
		var id, sum int64
		var name string
		var data sql.RawBytes
		if err := rows.Scan(&id, &name, &data, &sum); err != nil {
			return fmt.Errorf("devices: %w", err)
		}
		if err := sqlite.CheckSum(sum, "device", id, name, []byte(data)); err != nil {
			return fmt.Errorf("device %s: %w", name, err)
		}
		d, err := decodeDevice(data)
		if err != nil {
			return fmt.Errorf("device %s: %w", name, err)
		}
		d.id, d.name = id, name
		f.devices[name] = d
		f.nextID = id
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return f.loadTrends()
}

// storedDay returns a device's day as it is in the file, an empty one where it
// is not there.
func (f *Follower) storedDay(ctx context.Context, d *device, date int64) (*day, error) {
	var data []byte
	var touched, sum int64
	err := f.db.R.QueryRowContext(ctx, "SELECT touched, data, sum FROM day WHERE device = ? AND date = ?", d.id, date).Scan(&touched, &data, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return &day{date: date}, nil
	}
	if err == nil {
		err = sqlite.CheckSum(sum, "day", d.id, date, touched, data)
	}
	if err != nil {
		return nil, fmt.Errorf("day of %s: %w", d.name, err)
	}
	x, err := decodeDay(date, data)
	if err != nil {
		return nil, fmt.Errorf("day of %s: %w", d.name, err)
	}
	return x, nil
}

// storedDays returns every day of a device that is in the file; nil where the
// file has moved on since memory was looked at.
func (f *Follower) storedDays(ctx context.Context, h *held) (map[int64]*day, error) {
	tx, err := f.db.R.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // it only reads
	var cursor uint64
	err = tx.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = 'cursor'").Scan(&cursor)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if cursor != h.flushed && cursor != h.applied {
		return nil, nil
	}
	rows, err := tx.QueryContext(ctx, "SELECT date, touched, data, sum FROM day WHERE device = ?", h.device)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows)
	days := map[int64]*day{}
	for rows.Next() {
		var date, touched, sum int64
		var data sql.RawBytes
		if err := rows.Scan(&date, &touched, &data, &sum); err != nil {
			return nil, err
		}
		if err := sqlite.CheckSum(sum, "day", h.device, date, touched, []byte(data)); err != nil {
			return nil, err
		}
		if days[date], err = decodeDay(date, data); err != nil {
			return nil, err
		}
	}
	return days, rows.Err()
}

// Flush makes everything that was applied durable together with the cursor.
// After an error it may be called again.
func (f *Follower) Flush() error {
	if f.applied == f.flushed {
		return nil
	}
	// Only Apply and Flush change what is written, and they are called from
	// one goroutine: queries need not wait for the disk.
	if err := f.db.Tx(f.ctx, f.write); err != nil {
		return fmt.Errorf("health: flush: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.dirty {
		d.dirty = false
		if d.trend != nil {
			d.trend.dirty = false
		}
		if d.days = d.today; d.today != nil {
			d.today.dirty, d.today.other = false, nil
		}
	}
	f.dirty = f.dirty[:0]
	f.flushed = f.applied
	f.purged = f.clock / hourMs
	return nil
}

const hourMs = 60 * 60 * 1000

func (f *Follower) write(tx *sql.Tx) error {
	slices.SortFunc(f.dirty, func(a, b *device) int { return int(a.id - b.id) })
	if err := f.writeDevices(); err != nil {
		return fmt.Errorf("devices: %w", err)
	}
	if err := f.writeTrends(); err != nil {
		return fmt.Errorf("trends: %w", err)
	}
	if err := f.writeDays(); err != nil {
		return fmt.Errorf("days: %w", err)
	}
	if f.clock/hourMs > f.purged && (f.o.Hold == nil || !f.o.Hold()) {
		before := f.clock - int64(f.o.Days)*24*hourMs
		for _, d := range f.devices {
			if d.id == 0 || d.id%24 != f.clock/hourMs%24 { // each once a day
				continue
			}
			if _, err := tx.ExecContext(f.ctx, "DELETE FROM day WHERE device = ? AND touched < ?", d.id, before); err != nil {
				return fmt.Errorf("old days: %w", err)
			}
		}
	}
	numbers, cursor := f.meta(), int64(f.applied)
	numbers["cursor"] = &cursor
	return numbers.Save(f.ctx, tx)
}

func (f *Follower) writeDevices() error {
	rows := f.db.Rows(f.ctx, "INSERT INTO device (id, name, data, sum) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data, sum = excluded.sum")
	var data []byte
	for _, d := range f.dirty {
		data = d.encode(data[:0])
		rows.Int(d.id)
		rows.Text(d.name)
		rows.Blob(data)
		rows.Sum("device")
		rows.Exec()
	}
	return rows.Close()
}

func (f *Follower) writeDays() error {
	rows := f.db.Rows(f.ctx, `INSERT INTO day (device, date, touched, data, sum) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (device, date) DO UPDATE SET touched = excluded.touched, data = excluded.data, sum = excluded.sum`)
	var data []byte
	for _, d := range f.dirty {
		for x := d.days; x != nil; x = x.other {
			if !x.dirty {
				continue
			}
			data = x.encode(data[:0])
			rows.Int(d.id)
			rows.Int(x.date)
			rows.Int(f.clock)
			rows.Blob(data)
			rows.Sum("day")
			rows.Exec()
		}
	}
	return rows.Close()
}
