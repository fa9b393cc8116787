package app

import (
	"context"
	"slices"
	"strconv"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/open311"
	"github.com/simpang-id/simpang/internal/outbox"
)

// desk is the register as the outbox needs it.
type desk struct {
	*complaint.Register

	ours func(theirs string) string // our service of a code of theirs
}

var _ outbox.Desk = (*desk)(nil)

// Due returns what is to be sent, as it may leave.
func (d *desk) Due(ctx context.Context, now int64, n int) ([]outbox.Delivery, error) {
	found, err := d.Register.Due(ctx, now, n)
	list := make([]outbox.Delivery, 0, len(found))
	for i := range found {
		f := &found[i]
		list = append(list, outbox.Delivery{ID: f.Complaint.ID, Filing: filingOf(&f.Complaint), Began: f.Began, Tries: f.Tries, Looks: f.Looks, Token: f.Token, Unsure: f.State == complaint.DeliveryUnsure})
	}
	return list, err
}

func filingOf(c *complaint.Complaint) open311.Filing {
	f := open311.Filing{
		ServiceCode: c.Service, Located: c.Located, Lat: c.Lat, Long: c.Long, Address: c.Address, Description: c.Description, MediaURL: c.MediaURL,
	}
	for _, a := range c.Attributes {
		f.Attributes = append(f.Attributes, open311.Answer(a))
	}
	return f
}

// Unsettled tells whether a POST was begun whose end is not known.
func (d *desk) Unsettled(ctx context.Context, id string) (bool, error) {
	found, ok, err := d.DeliveryOf(ctx, id)
	if city.KindOf(err) == city.KindNotFound {
		return false, nil
	}
	return ok && (found.State == complaint.DeliverySending || found.State == complaint.DeliveryUnsure), err
}

// Backlog counts.
func (d *desk) Backlog(ctx context.Context) (outbox.Backlog, error) {
	b, err := d.Register.Backlog(ctx)
	return outbox.Backlog(b), err
}

// Outstanding returns filed complaints that are not over here.
func (d *desk) Outstanding(ctx context.Context, after string, n int) ([]outbox.Filed, error) {
	found, err := d.Register.Outstanding(ctx, after, n)
	list := make([]outbox.Filed, 0, len(found))
	for _, f := range found {
		list = append(list, outbox.Filed(f))
	}
	return list, err
}

// Status takes a request of theirs as it is: what they closed is closed, and
// what they closed and have open is open again.
func (d *desk) Status(ctx context.Context, now int64, id string, r *open311.Request) error {
	c, err := d.Complaint(ctx, id)
	if err != nil {
		return err
	}
	// Each of their ends counts once: what returned since then and reopened the
	// complaint here is not ended by the same news again.
	n := complaint.NewUpdate{Text: open311.Cut(r.StatusNotes, complaint.TextMost), Theirs: r.ID + "/" + r.Status + "@" + strconv.FormatInt(r.Updated, 10)}
	ended := r.Status == open311.Closed
	if r.Status == "" || ended == !c.State.Open() {
		return nil
	}
	history, err := d.History(ctx, id)
	if err != nil {
		return err
	}
	if ended {
		if old, err := d.oldEnd(ctx, r, &c, history); old || err != nil {
			return err
		}
		n.State = complaint.StateClosed
	} else {
		for _, u := range slices.Backward(history) {
			if !u.State.Open() {
				if u.By != string(complaint.SourceCity) {
					return nil // a person closed it here
				}
				break
			}
		}
		n.State = complaint.StateVerified
	}
	_, _, err = d.Pulled(ctx, eventTime(now, r.Updated, &c), id, n)
	return err
}

// oldEnd tells whether the end of theirs is one that is known already: the one
// that was reopened here since, or an answer, in their words or in ours that they
// were told. Fixed is closed where there are two statuses; here a person closes
// it.
func (d *desk) oldEnd(ctx context.Context, r *open311.Request, c *complaint.Complaint, history []complaint.Update) (bool, error) {
	for _, u := range slices.Backward(history) {
		switch {
		case u.Status == complaint.StatusReopen:
			return r.Updated != 0 && r.Updated < u.At, nil
		case u.What != string(complaint.StateAnswered):
		case c.State != complaint.StateAnswered:
			return false, nil
		case u.By == string(complaint.SourceCity):
			return r.Updated <= u.At, nil
		default:
			return d.MayKnow(ctx, u.ID)
		}
	}
	return false, nil
}

// eventTime is when something of theirs happened: as they say, but not before
// what is known here already, and not ahead of us. So a day in which nothing
// could be pulled makes no office late.
func eventTime(now, theirs int64, c *complaint.Complaint) int64 {
	if theirs == 0 {
		return now
	}
	return min(max(theirs, c.Updated), now)
}

// Update takes a change of a request of theirs, once for each of its ids.
func (d *desk) Update(ctx context.Context, now int64, id string, u *open311.Update) error {
	if mine, err := d.IsTold(ctx, id, u.ID); err != nil || mine {
		return err
	}
	c, err := d.Complaint(ctx, id)
	if err != nil {
		return err
	}
	n := complaint.NewUpdate{Text: open311.Cut(u.Description, complaint.TextMost), Theirs: u.RequestID + "/" + u.ID, Media: u.MediaURL}
	if word, ok := open311.Status(u.Status); ok {
		n.Status = complaint.Status(word)
		n.State, _ = complaint.StateOf(n.Status)
	}
	switch { // an open complaint does not go back to a step that it has passed
	case n.State == complaint.StateReceived && c.State.Open():
		n.State = ""
	case n.State == complaint.StateReceived:
		n.State = complaint.StateVerified
	case n.State == complaint.StateVerified && c.State == complaint.StateInProgress:
		n.State = ""
	}
	_, _, err = d.Pulled(ctx, eventTime(now, u.Updated, &c), id, n)
	return err
}

// Seen takes a request of theirs that is none of ours, where it is of a service
// that we know too.
func (d *desk) Seen(ctx context.Context, now int64, r *open311.Request) error {
	at := now
	if r.Requested != 0 {
		at = min(r.Requested, now)
	}
	service := r.ServiceCode
	if d.ours != nil {
		service = d.ours(service)
	}
	c, err := d.Receive(ctx, at, complaint.New{
		Source: complaint.SourceCity, Service: service, Theirs: r.ID, Located: r.Located, Lat: r.Lat, Long: r.Long, Address: open311.Cut(r.Address, 500),
		Description: open311.Cut(r.Description, complaint.TextMost),
	})
	if city.KindOf(err) == city.KindNotFound {
		return nil // a service of theirs only
	}
	if err != nil {
		return err
	}
	return d.Status(ctx, now, c.ID, r)
}

// Cursor returns how far a list of theirs was read.
func (d *desk) Cursor(ctx context.Context, list string) (int64, error) { return d.Marked(ctx, list) }

// SetCursor notes it.
func (d *desk) SetCursor(ctx context.Context, list string, to int64) error {
	return d.Mark(ctx, list, to)
}
