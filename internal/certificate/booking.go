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

// Booked notes the entry of the books that has a list's hash.
func (f *Follower) Booked(ctx context.Context, date string, revision int64, entry uint64) error {
	rows, err := f.cityRows(ctx, "date = ? AND revision = ?", dateNumber(date), revision)
	if err != nil || len(rows) == 0 {
		return err
	}
	rows[0].entry = int64(entry)
	return f.db.Tx(ctx, func(tx *sql.Tx) error { return f.putCity(tx, &rows[0]) })
}
