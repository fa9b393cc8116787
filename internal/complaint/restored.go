package complaint

import (
	"context"
	"errors"
)

// Restored tells a register that was brought back from a copy of a time (Unix
// ms) that what it knows of deliveries may be old: what waited then may have
// been sent since. So it is looked for before anything else, and what is not
// found is for a person.
func Restored(ctx context.Context, path string, copied int64, o Options) (err error) {
	r, err := Open(ctx, path, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	waiting, err := r.nums(ctx, "SELECT complaint FROM delivery WHERE state = 'waiting'")
	if err != nil || len(waiting) == 0 {
		return err
	}
	return r.change(ctx, copied, func(x *change) error {
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
