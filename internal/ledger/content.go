package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// Content returns the content hash of the money reading that the books keep
// under r's identity; ok is false where they keep none. Readings of the last
// moments, which are not flushed yet, are not seen.
func (f *Follower) Content(ctx context.Context, r *city.Reading) (hash [16]byte, ok bool, err error) {
	boot, at := int64(-1), r.At
	if r.HasBoot {
		boot, at = int64(r.Boot), 0
	}
	var record recordRow
	record.pos, err = f.positionOf(ctx, r.Device, boot, at, int64(r.Seq))
	if err == nil {
		err = record.scan(f.db.R.QueryRowContext(ctx, queryTexts[qRecord], int64(record.pos)))
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return hash, false, nil
	case err != nil:
		return hash, false, fmt.Errorf("ledger: %w", err)
	}
	kept, err := journal.DecodeReading(record.data)
	if err != nil {
		return hash, false, fmt.Errorf("ledger: %w", err)
	}
	return journal.ContentHash(kept), true, nil
}

// positionOf returns the position of the reading of a device that has this
// identity.
func (f *Follower) positionOf(ctx context.Context, device string, boot, at, seq int64) (pos uint64, err error) {
	err = f.db.R.QueryRowContext(ctx, `SELECT meter.pos FROM device
		JOIN meter ON meter.device = device.id AND meter.boot = ? AND meter.at = ? AND meter.seq = ? WHERE device.name = ?`, boot, at, seq, device).Scan(&pos)
	return pos, err
}
