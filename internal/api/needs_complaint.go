package api

import (
	"context"

	"github.com/simpang-id/simpang/internal/complaint"
)

// Complaints is the register. Errors of KindNotFound: there is no such
// complaint.
type Complaints interface {
	// Complaints returns a page and the cursor of the next, "" at the end.
	Complaints(ctx context.Context, q complaint.Query) ([]complaint.Complaint, string, error)
	Complaint(ctx context.Context, id string) (complaint.Complaint, error)
	// History returns a complaint's updates, the oldest first.
	History(ctx context.Context, id string) ([]complaint.Update, error)
	// Near returns open complaints of the same kind and place.
	Near(ctx context.Context, c *complaint.Complaint) ([]complaint.Complaint, error)
	// Update does what a person says. KindUnprocessed: it cannot be done.
	Update(ctx context.Context, now int64, id string, n complaint.NewUpdate) (complaint.Complaint, complaint.Update, error)
	// DeliveryOf returns how the delivery stands, false where there is none.
	DeliveryOf(ctx context.Context, id string) (complaint.Delivery, bool, error)
	// Resend and FiledByHand take a person's word on a delivery.
	Resend(ctx context.Context, now int64, id, by string) error
	FiledByHand(ctx context.Context, now int64, id, theirs, by string) error
	// Monev returns a row an agency, sorted by its id.
	Monev(ctx context.Context, q complaint.MonevQuery) ([]complaint.Monev, error)
	// Photo returns a photo. KindNotFound: there is none, or no more.
	Photo(ctx context.Context, id string) (complaint.Photo, error)
	// Backlog and TellingBacklog count what is to go to the city's system.
	Backlog(ctx context.Context) (complaint.Backlog, error)
	TellingBacklog(ctx context.Context) (map[complaint.Delivering]int, error)
	// Waiting counts anomalies that wait for a complaint.
	Waiting(ctx context.Context) (int, error)
}

var _ Complaints = (*complaint.Register)(nil)
