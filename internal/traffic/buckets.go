package traffic

import (
	"context"
	"database/sql"
	"errors"

	"github.com/simpang-id/simpang/internal/sqlite"
)

const bucketColumns = "sm, kr, kb, ktb, unknown, covered_ms, speed_n, pace, blind_ms, blind_pace, seen, sum"

// bucketRow is a row of the table without its checksum.
func bucketRow(series, t int64, o *sums, seen int64) []any {
	return []any{series, t, o.SM, o.KR, o.KB, o.KTB, o.Unknown, o.CoveredMS, o.SpeedN, o.Pace, o.BlindMS, o.BlindPace, seen}
}

// scanBucket reads the time and bucketColumns of a row of a series.
func scanBucket(scan func(...any) error, o *sums, series int64, t *int64) error {
	var seen, sum int64
	err := scan(t, &o.SM, &o.KR, &o.KB, &o.KTB, &o.Unknown, &o.CoveredMS, &o.SpeedN, &o.Pace, &o.BlindMS, &o.BlindPace, &seen, &sum)
	if err != nil {
		return err
	}
	return sqlite.CheckSum(sum, "bucket", bucketRow(series, *t, o, seen)...)
}

// buckets writes roll-ups in one transaction.
type buckets struct{ get, put *sql.Stmt }

func openBuckets(ctx context.Context, tx *sql.Tx) (b buckets, err error) {
	if b.get, err = tx.PrepareContext(ctx, "SELECT t, "+bucketColumns+" FROM bucket WHERE series = ? AND t = ?"); err != nil {
		return b, err
	}
	b.put, err = tx.PrepareContext(ctx, "INSERT OR REPLACE INTO bucket (series, t, "+bucketColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	return b, err // the transaction closes what was prepared
}

// close ends the statements; whether they worked the transaction tells.
func (b buckets) close() {
	_ = b.get.Close()
	_ = b.put.Close()
}

// add adds to the sums of five minutes.
func (b buckets) add(ctx context.Context, series, t int64, more *sums, seen int64) error {
	var o sums
	err := scanBucket(b.get.QueryRowContext(ctx, series, t).Scan, &o, series, &t)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	o.add(more)
	row := bucketRow(series, t, &o, seen)
	_, err = b.put.ExecContext(ctx, append(row, sqlite.Sum("bucket", row...))...)
	return err
}
