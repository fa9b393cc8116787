package complaint

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// skipped are the numbers of a year that a restored register leaves out: more
// than a city's citizens file between two backups.
const skipped = 10_000

// Restored tells a register that was brought back from a copy of a time (Unix
// ms) that what it knows of deliveries may be old: what waited then may have
// been sent since. So it is looked for before anything else, and what is not
// found is for a person; so are updates that they were to hear of. Numbers that were given since are not given again: those
// of the copy's year and the next go on skipped later.
func Restored(ctx context.Context, path string, copied int64, o Options) (err error) {
	r, err := Open(ctx, path, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	waiting, err := r.nums(ctx, "SELECT complaint FROM delivery WHERE state = 'waiting'")
	if err != nil {
		return err
	}
	untold, err := r.tellings(ctx, "SELECT "+tellingColumns+" FROM telling t WHERE state = 'waiting' AND EXISTS (SELECT 1 FROM complaint c WHERE c.num = t.complaint AND c.theirs <> '')")
	if err != nil {
		return err
	}
	return r.change(ctx, copied, func(x *change) error {
		for _, t := range untold {
			t.state, t.began, t.looks, t.why = string(DeliverySending), copied, 0, "restored from a backup: it may have been told since"
			if err := x.putTelling(t); err != nil {
				return err
			}
		}
		for year := range int64(2) {
			if err := x.skipNumbers(int64(time.UnixMilli(copied).In(o.Zone).Year()) + year); err != nil {
				return err
			}
		}
		for _, num := range waiting {
			d, err := deliveryOf(x.ctx, x.tx, num)
			if err != nil {
				return err
			}
			rec, err := getNum(x.ctx, x.tx, num)
			if err != nil {
				return err
			}
			d.State, d.Began, d.Looks, d.Why = DeliverySending, copied, 0, "restored from a backup: it may have been sent since"
			rec.Delivery = d.State
			if err := x.put(rec); err != nil {
				return err
			}
			if err := x.putDelivery(d); err != nil {
				return err
			}
		}
		return nil
	})
}

func (x *change) skipNumbers(year int64) error {
	last, err := x.lastNumber(year)
	if err != nil {
		return err
	}
	return x.putNumber(year, last+skipped)
}

// lastNumber returns the last number of a year that was given, 0 for none.
func (x *change) lastNumber(year int64) (last int64, err error) {
	var sum int64
	err = x.tx.QueryRowContext(x.ctx, "SELECT last, sum FROM numbered WHERE year = ?", year).Scan(&last, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err == nil {
		err = sqlite.CheckSum(sum, "numbered", year, last)
	}
	return last, err
}

func (x *change) putNumber(year, last int64) error {
	_, err := x.tx.ExecContext(x.ctx, "INSERT OR REPLACE INTO numbered (year, last, sum) VALUES (?, ?, ?)", year, last, sqlite.Sum("numbered", year, last))
	return err
}
