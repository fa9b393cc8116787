package journal

import (
	"context"
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// Heard is what the quarantine holds of one device that a source named, for one
// reason.
type Heard struct {
	Device string
	Source string
	Reason city.Reason
	Items  int
	First  int64 // receive times, Unix ms
	Last   int64
}

// Heard tells who is in quarantine, sorted by device: what names no device and
// what a retry had accepted are left out.
func (q *Quarantine) Heard(ctx context.Context) ([]Heard, error) {
	rows, err := q.db.R.QueryContext(ctx, `SELECT device, source, reason, count(*), min(recv), max(recv) FROM item
		WHERE device <> '' AND coalesce(verdict, '') NOT IN ('accepted', 'duplicate') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`)
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []Heard
	for rows.Next() {
		var h Heard
		if err := rows.Scan(&h.Device, &h.Source, &h.Reason, &h.Items, &h.First, &h.Last); err != nil {
			return nil, fmt.Errorf("quarantine: %w", err)
		}
		all = append(all, h)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	return all, nil
}

// Opened is an item with what was sent, or why it could not be opened.
type Opened struct {
	Item
	Err error // of the item alone; what else it says is then not to be trusted
}

// Newest returns the newest items of a device with what was sent, the newest
// first. One that cannot be read leaves the others as they are.
func (q *Quarantine) Newest(ctx context.Context, device string, limit int) ([]Opened, error) {
	rows, err := q.db.R.QueryContext(ctx, "SELECT "+itemColumns+`, ident, size, sealed, sum FROM item
		WHERE device = ? AND coalesce(verdict, '') NOT IN ('accepted', 'duplicate') ORDER BY id DESC LIMIT ?`, device, limit)
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var items []Opened
	for rows.Next() {
		var ident, sealed []byte
		var size, sum int64
		i, err := scanItem(rows.Scan, &ident, &size, &sealed, &sum)
		if err == nil {
			err = sqlite.CheckSum(sum, "item", itemRow(&i, ident, size, sealed)...)
		}
		if err == nil {
			err = q.unseal(&i, ident, sealed)
		}
		if err != nil {
			i.Raw, err = nil, fmt.Errorf("quarantine: item %d: %w", i.ID, err)
		}
		items = append(items, Opened{i, err})
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	return items, nil
}
