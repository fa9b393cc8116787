package complaint

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// delivery is a row of the table.
type delivery struct {
	Delivery

	num int64
}

const deliveryColumns = "complaint, state, tries, looks, began, next, since, token, why, sum"

func (d *delivery) row() []any {
	return []any{d.num, string(d.State), int64(d.Tries), int64(d.Looks), d.Began, d.Next, d.Since, d.Token, d.Why}
}

func scanDelivery(s scanner) (*delivery, error) {
	d := new(delivery)
	var state string
	var sum int64
	if err := s.Scan(&d.num, &state, &d.Tries, &d.Looks, &d.Began, &d.Next, &d.Since, &d.Token, &d.Why, &sum); err != nil {
		return nil, err
	}
	d.State = Delivering(state)
	if err := sqlite.CheckSum(sum, "delivery", d.row()...); err != nil {
		return nil, fmt.Errorf("delivery of %s: %w", idOf(d.num), err)
	}
	return d, nil
}

func (x *change) putDelivery(d *delivery) error {
	row := d.row()
	_, err := x.tx.ExecContext(x.ctx, "INSERT OR REPLACE INTO delivery ("+deliveryColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		append(row, sqlite.Sum("delivery", row...))...)
	return err
}

func deliveryOf(ctx context.Context, q rower, num int64) (*delivery, error) {
	d, err := scanDelivery(q.QueryRowContext(ctx, "SELECT "+deliveryColumns+" FROM delivery WHERE complaint = ?", num))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return d, err
}

// queue has a verified complaint sent to the city's system, once. What came
// from there is never sent back, and what is about money goes only where that
// is allowed.
func (x *change) queue(rec *record) error {
	if !x.o.Destination.Set || rec.Source == SourceCity || rec.Delivery != DeliveryNone {
		return nil
	}
	d := &delivery{num: rec.num, Delivery: Delivery{State: DeliveryWaiting, Next: x.now, Since: x.now}}
	if rec.Money && !x.o.Destination.Confidential {
		d.State, d.Why = DeliveryHeld, "it is about money, and the destination is not marked confidential"
	}
	rec.Delivery = d.State
	return x.putDelivery(d)
}

// leaves is a complaint as it may leave.
func (c *Complaint) leaves() Complaint {
	out := *c
	out.Private = Private{}
	if c.Money {
		out.Attributes, out.Media, out.MediaURL = nil, nil, ""
	}
	return out
}

// Due returns at most n deliveries that wait, began or are unsure and whose time
// has come, the longest due first.
func (r *Register) Due(ctx context.Context, now int64, n int) ([]Delivery, error) {
	found, err := r.due(ctx, now, n)
	if err != nil {
		return nil, fmt.Errorf("complaints: deliveries: %w", err)
	}
	list := make([]Delivery, 0, len(found))
	for _, d := range found {
		rec, err := getNum(ctx, r.db.R, d.num)
		if err != nil {
			return nil, fmt.Errorf("complaints: %w", err)
		}
		d.Complaint = rec.leaves()
		list = append(list, d.Delivery)
	}
	return list, nil
}

func (r *Register) due(ctx context.Context, now int64, n int) (list []*delivery, err error) {
	rows, err := r.db.R.QueryContext(ctx, "SELECT "+deliveryColumns+` FROM delivery
		WHERE state IN ('waiting', 'sending', 'unsure') AND next <= ? ORDER BY next, complaint LIMIT ?`, now, n)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows)
	for rows.Next() {
		d, err := scanDelivery(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// DeliveryOf returns how the delivery of a complaint stands; false: it has none.
func (r *Register) DeliveryOf(ctx context.Context, id string) (Delivery, bool, error) {
	num, ok := numOf(id)
	if !ok {
		return Delivery{}, false, notThere(id)
	}
	d, err := deliveryOf(ctx, r.db.R, num)
	if err != nil || d == nil {
		return Delivery{}, false, err
	}
	return d.Delivery, true, nil
}

// deliver changes a delivery and its complaint.
func (r *Register) deliver(ctx context.Context, now int64, id string, f func(*change, *delivery, *record) error) error {
	return r.change(ctx, now, func(x *change) error {
		rec, err := get(ctx, x.tx, id)
		if err != nil {
			return err
		}
		d, err := deliveryOf(ctx, x.tx, rec.num)
		if err != nil {
			return err
		}
		if d == nil {
			return &city.Error{Kind: city.KindNotFound, Message: fmt.Sprintf("complaint %s is not to be sent", id)}
		}
		if err := f(x, d, rec); err != nil {
			return err
		}
		if rec.Delivery != d.State {
			rec.Delivery = d.State
			if err := x.put(rec); err != nil {
				return err
			}
		}
		return x.putDelivery(d)
	})
}

// Sending notes that a try begins now: from here on it may have been taken.
func (r *Register) Sending(ctx context.Context, now int64, id string) error {
	return r.deliver(ctx, now, id, func(_ *change, d *delivery, _ *record) error {
		d.State, d.Began, d.Looks = DeliverySending, now, 0
		return nil
	})
}

// Sent notes their id, of a delivery in any state; the same again changes
// nothing. An error of KindConflict: the id is another complaint's.
func (r *Register) Sent(ctx context.Context, now int64, id, theirs, notice string) error {
	return r.sent(ctx, now, id, theirs, notice, "")
}

func (r *Register) sent(ctx context.Context, now int64, id, theirs, notice, by string) error {
	return r.deliver(ctx, now, id, func(x *change, d *delivery, rec *record) error {
		if d.State == DeliverySent && rec.Theirs == theirs {
			return nil
		}
		other, err := x.byTheirs(theirs)
		if err != nil {
			return err
		}
		if other != nil && other.num != rec.num {
			return &city.Error{Kind: city.KindConflict, Message: fmt.Sprintf("their id %q is complaint %s", theirs, other.ID)}
		}
		d.State, d.Why, d.Token = DeliverySent, "", ""
		rec.Delivery, rec.Theirs = d.State, theirs
		text := "Tercatat di sistem kota dengan nomor " + theirs + "."
		if notice != "" {
			text += " " + cut(notice, TextMost/2)
		}
		if _, err := x.tell(rec, Update{What: "delivered", Status: StatusUnchanged, Text: text, Hidden: true, By: by}); err != nil {
			return err
		}
		return x.put(rec)
	})
}

// Tokened notes the token that they gave instead of an id, and when to ask.
func (r *Register) Tokened(ctx context.Context, now int64, id, token string, next int64) error {
	return r.deliver(ctx, now, id, func(_ *change, d *delivery, _ *record) error {
		d.State, d.Token, d.Next = DeliverySending, token, next
		return nil
	})
}

// Looked notes that it was not found, and when to look again. count: it was a
// complete look-up.
func (r *Register) Looked(ctx context.Context, now int64, id string, next int64, why string, count bool) error {
	return r.deliver(ctx, now, id, func(_ *change, d *delivery, _ *record) error {
		d.Next = next
		if d.State != DeliveryUnsure { // what a person must do stays written
			d.Why = cut(why, nameMost)
		}
		if count {
			d.Looks++
		}
		return nil
	})
}

// Failed notes that a try was certainly not taken: it waits until next.
func (r *Register) Failed(ctx context.Context, now int64, id string, next int64, why string) error {
	return r.deliver(ctx, now, id, func(_ *change, d *delivery, _ *record) error {
		d.State, d.Began, d.Looks, d.Next, d.Why = DeliveryWaiting, 0, 0, next, cut(why, nameMost)
		d.Tries++
		return nil
	})
}

// Unsure hands a delivery that may have been taken to a person. From next on it
// is looked for again.
func (r *Register) Unsure(ctx context.Context, now int64, id string, next int64, why string) error {
	return r.handOver(ctx, now, id, DeliveryUnsure, next, why)
}

// Refused hands a delivery that they will not take to a person.
func (r *Register) Refused(ctx context.Context, now int64, id, why string) error {
	return r.handOver(ctx, now, id, DeliveryRefused, 0, why)
}

func (r *Register) handOver(ctx context.Context, now int64, id string, to Delivering, next int64, why string) error {
	return r.deliver(ctx, now, id, func(x *change, d *delivery, rec *record) error {
		if d.State == DeliverySent {
			return nil
		}
		if d.State == to {
			d.Next = next
			return nil
		}
		d.State, d.Next, d.Why = to, next, cut(why, nameMost)
		rec.Delivery = to
		if _, err := x.tell(rec, Update{What: "undelivered", Status: StatusUnchanged, Text: d.Why, Hidden: true}); err != nil {
			return err
		}
		return x.put(rec)
	})
}

// Resend has a person's word that a delivery is not there: it is sent again, as
// if for the first time. An error of KindUnprocessed: it does not wait for a
// person.
func (r *Register) Resend(ctx context.Context, now int64, id, by string) error {
	return r.deliver(ctx, now, id, func(x *change, d *delivery, rec *record) error {
		switch {
		case d.State == DeliveryHeld && !x.o.Destination.Confidential:
			return unprocessed("delivery", "it is about money, and the destination is not marked confidential: file it by hand and tell its id")
		case d.State != DeliveryUnsure && d.State != DeliveryRefused && d.State != DeliveryHeld:
			return unprocessed("delivery", fmt.Sprintf("its delivery is %s: only one that is unsure, refused or held is sent again", d.State))
		}
		d.State, d.Began, d.Looks, d.Next, d.Token, d.Why = DeliveryWaiting, 0, 0, now, "", ""
		rec.Delivery = d.State
		if _, err := x.tell(rec, Update{What: "note", Status: StatusUnchanged, Text: "Dikirim ulang ke sistem kota.", Hidden: true, By: by}); err != nil {
			return err
		}
		return x.put(rec)
	})
}

// FiledByHand has a person's word that a delivery is there under their id.
func (r *Register) FiledByHand(ctx context.Context, now int64, id, theirs, by string) error {
	if strings.TrimSpace(theirs) == "" || len(theirs) > nameMost {
		return unprocessed("theirs", "give the id that the city's system shows")
	}
	return r.sent(ctx, now, id, theirs, "", by)
}

// Known returns our id of theirs, "" where there is none.
func (r *Register) Known(ctx context.Context, theirs string) (string, error) {
	rec, err := byTheirs(ctx, r.db.R, theirs)
	if err != nil || rec == nil {
		return "", err
	}
	return rec.ID, nil
}

// Outstanding returns at most n complaints that are there and not over here,
// those of theirs too, after an id.
func (r *Register) Outstanding(ctx context.Context, after string, n int) (list []Filed, err error) {
	num, _ := numOf(after)
	rows, err := r.db.R.QueryContext(ctx, "SELECT "+columns+" FROM complaint WHERE num > ? AND deadline > 0 AND theirs <> '' ORDER BY num LIMIT ?", num, n)
	if err != nil {
		return nil, fmt.Errorf("complaints: %w", err)
	}
	defer closeRows(rows)
	for rows.Next() {
		rec, err := scanRecord(rows)
		if err != nil {
			return nil, fmt.Errorf("complaints: %w", err)
		}
		list = append(list, Filed{rec.ID, rec.Theirs})
	}
	return list, rows.Err()
}

// Backlog counts deliveries.
func (r *Register) Backlog(ctx context.Context) (b Backlog, err error) {
	rows, err := r.db.R.QueryContext(ctx, "SELECT state, count(*), min(since) FROM delivery WHERE state <> 'sent' GROUP BY state")
	if err != nil {
		return b, fmt.Errorf("complaints: deliveries: %w", err)
	}
	defer closeRows(rows)
	for rows.Next() {
		var state string
		var n int
		var since int64
		if err := rows.Scan(&state, &n, &since); err != nil {
			return b, fmt.Errorf("complaints: deliveries: %w", err)
		}
		switch Delivering(state) {
		case DeliveryWaiting:
			b.Waiting = n
		case DeliverySending:
			b.Sending = n
		case DeliveryUnsure:
			b.Unsure = n
		case DeliveryRefused:
			b.Refused = n
		case DeliveryHeld:
			b.Held = n
		default:
		}
		if s := Delivering(state); (s == DeliveryWaiting || s == DeliverySending) && (b.Oldest == 0 || since < b.Oldest) {
			b.Oldest = since
		}
	}
	return b, rows.Err()
}
