package app

import (
	"context"

	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/open311"
	"github.com/simpang-id/simpang/internal/outbox"
)

// Tellings returns what the city's system is to hear of.
func (d *desk) Tellings(ctx context.Context, now int64, n int) ([]outbox.Telling, error) {
	found, err := d.Register.Tellings(ctx, now, n)
	list := make([]outbox.Telling, 0, len(found))
	for i := range found {
		f := &found[i]
		list = append(list, outbox.Telling{
			ID: f.Update.ID, Complaint: f.Update.Complaint, Note: f.Note, Began: f.Began, Looks: f.Looks, Since: f.Since,
			Update: open311.Update{RequestID: f.Theirs, Status: string(f.Update.Status), Description: f.Update.Text, MediaURL: f.Update.Media, Updated: f.Update.At},
		})
	}
	return list, err
}

// TellingEnds notes how one ended.
func (d *desk) TellingEnds(ctx context.Context, now, id int64, end outbox.TellingEnd, theirs, why string) error {
	state := map[outbox.TellingEnd]complaint.Delivering{
		outbox.Told: complaint.DeliverySent, outbox.TellUnsure: complaint.DeliveryUnsure, outbox.TellRefused: complaint.DeliveryRefused, outbox.TellNone: complaint.DeliveryNone,
	}[end]
	return d.Register.TellingEnds(ctx, now, id, state, theirs, why)
}

// TellingBacklog counts.
func (d *desk) TellingBacklog(ctx context.Context) (outbox.TellingBacklog, error) {
	n, err := d.Register.TellingBacklog(ctx)
	return outbox.TellingBacklog{
		Waiting: n[complaint.DeliveryWaiting], Sending: n[complaint.DeliverySending], Unsure: n[complaint.DeliveryUnsure], Refused: n[complaint.DeliveryRefused],
	}, err
}
