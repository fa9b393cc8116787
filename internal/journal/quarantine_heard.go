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

// heardQuery is answered from the index item_heard alone, in its order, and
// reads no further than it is asked for.
const heardQuery = `SELECT device, source, reason, count(*), min(recv), max(recv) FROM item
	WHERE device <> '' AND coalesce(verdict, '') NOT IN ('accepted', 'duplicate') AND device > ? GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`

// Heard tells who is in quarantine behind a device ("": all), sorted by device,
// until each says no: what names no device and what a retry had accepted are
// left out. each must not ask the quarantine.
func (q *Quarantine) Heard(ctx context.Context, after string, each func(Heard) bool) error {
	rows, err := q.db.R.QueryContext(ctx, heardQuery, after)
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var h Heard
		if err := rows.Scan(&h.Device, &h.Source, &h.Reason, &h.Items, &h.First, &h.Last); err != nil {
			return fmt.Errorf("quarantine: %w", err)
		}
		if !each(h) {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return nil
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
