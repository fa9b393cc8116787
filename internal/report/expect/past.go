package expect

import (
	"context"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// pastLulls returns the silences of another day, which more than one class may
// want.
func (d *asked) pastLulls(ctx context.Context, from, to int64) ([]lull, error) {
	list, ok := d.past[from]
	if ok {
		return list, nil
	}
	list, err := d.lulls(ctx, from, to)
	if err != nil {
		return nil, err
	}
	if d.past == nil {
		d.past = map[int64][]lull{}
	}
	d.past[from] = list
	return list, nil
}

type paidKey struct {
	site, version string
	class         city.Class
	begin         int64
}

// keptPaid is what stays of another day paid, where it was closed at those
// times.
type keptPaid struct {
	paid   []paid
	closed [][2]int64
	at     int64 // Unix ms
}

// mostPaid is how many stays of other days are kept: 6 MB.
const mostPaid = 1 << 18

// keptStays are those of all sites, the oldest first.
type keptStays struct {
	days  map[paidKey]keptPaid
	order []paidKey
	stays int
}

// put keeps a day; those that were kept first make room.
func (k *keptStays) put(key paidKey, day keptPaid) {
	if old, ok := k.days[key]; ok {
		k.stays -= len(old.paid)
	} else {
		k.order = append(k.order, key)
	}
	k.days[key] = day
	k.stays += len(day.paid)
	for k.stays > mostPaid || len(k.order) > mostKept {
		k.stays -= len(k.days[k.order[0]].paid)
		delete(k.days, k.order[0])
		k.order = k.order[1:]
	}
}

// keptPaid returns what the stays of a class paid on another day, which may have
// been looked at some minutes ago; none where no tariff held.
func (d *asked) keptPaid(ctx context.Context, class city.Class, date time.Time) ([]paid, error) {
	begin, end := date.UnixMilli(), date.AddDate(0, 0, 1).UnixMilli()
	key := paidKey{d.Site.ID, d.Version.Hash, class, begin}
	t := d.tag
	t.closed = d.sensors.Closed(d.Site.ID, begin, end)
	d.mu.Lock()
	k, ok := d.paid.days[key]
	d.mu.Unlock()
	if ok && k.at <= d.Now && d.Now-k.at < keepFor && slices.Equal(k.closed, t.closed) {
		return k.paid, nil
	}
	stays, err := d.sensors.Stays(ctx, d.Site.ID, begin, end, mostStays)
	if err != nil {
		return nil, err
	}
	lulls, err := d.pastLulls(ctx, begin, end)
	if err != nil {
		return nil, err
	}
	var other seen
	if !t.look(&other, cut(stays, lulls, begin, end), class, begin) {
		other.paid = nil
	}
	k = keptPaid{slices.Clip(other.paid), t.closed, d.Now}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.paid.put(key, k)
	return k.paid, nil
}
