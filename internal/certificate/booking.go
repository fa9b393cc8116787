package certificate

import (
	"context"
	"database/sql"
)

// Listed is a list of a day's certificates whose hash is not in the books yet.
type Listed struct {
	Date     string // YYYY-MM-DD
	Revision int64
	Places   int64
	Devices  int64
	SHA256   string // hex
}

// Unbooked returns the first few lists that are not in the books yet.
func (f *Follower) Unbooked(ctx context.Context) ([]Listed, error) {
	rows, err := f.cityRows(ctx, "entry = 0 AND (date, revision) IN (SELECT date, revision FROM city WHERE entry = 0 ORDER BY date, revision LIMIT 20)")
	if err != nil {
		return nil, err
	}
	list := make([]Listed, 0, len(rows))
	for i := range rows {
		x, err := decode[CityDay](rows[i].doc)
		if err != nil {
			return nil, err
		}
		list = append(list, Listed{Date: x.Date, Revision: x.Revision, Places: int64(len(x.List)), Devices: x.Devices, SHA256: hashOf(rows[i].doc)})
	}
	return list, nil
}

// What is noted instead of an entry of a list that the books do not hold, and
// never will.
const (
	OtherHash   int64 = -1 // they hold another hash of this day and revision: this file was lost, or is of another time than the journal
	HashRefused int64 = -2 // they refused it
)

// Unproved is how many lists are kept whose hash the books will never hold.
func (f *Follower) Unproved() int64 { return f.unproved.Load() }

func (f *Follower) countUnproved(ctx context.Context) error {
	var n int64
	if err := f.db.R.QueryRowContext(ctx, "SELECT count(*) FROM city WHERE entry < 0").Scan(&n); err != nil {
		return err
	}
	f.unproved.Store(n)
	return nil
}

// Booked notes the entry of the books that has a list's hash, or OtherHash or
// HashRefused.
func (f *Follower) Booked(ctx context.Context, date string, revision, entry int64) error {
	rows, err := f.cityRows(ctx, "date = ? AND revision = ?", dateNumber(date), revision)
	if err != nil || len(rows) == 0 {
		return err
	}
	rows[0].entry = entry
	if err := f.db.Tx(ctx, func(tx *sql.Tx) error { return f.putCity(tx, &rows[0]) }); err != nil || entry >= 0 {
		return err
	}
	return f.countUnproved(ctx)
}
