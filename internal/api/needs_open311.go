package api

import (
	"context"

	"github.com/simpang-id/simpang/internal/complaint"
)

// Reports311 is the register as the Open311 face needs it; now is Unix ms.
type Reports311 interface {
	// Receive takes a citizen's report. KindNotFound: there is no such service;
	// KindInvalid: what is wrong, by field.
	Receive(ctx context.Context, now int64, n complaint.New) (complaint.Complaint, error)
	Complaint(ctx context.Context, id string) (complaint.Complaint, error)
	// Complaints returns a page, the newest first, and the cursor of the next.
	Complaints(ctx context.Context, q complaint.Query) ([]complaint.Complaint, string, error)
	// Near returns open complaints of the same kind and place.
	Near(ctx context.Context, c *complaint.Complaint) ([]complaint.Complaint, error)
	Update(ctx context.Context, now int64, id string, u complaint.NewUpdate) (complaint.Complaint, complaint.Update, error)
	History(ctx context.Context, id string) ([]complaint.Update, error)
	// Notes returns the last public text of each complaint's history.
	Notes(ctx context.Context, ids []string) (map[string]string, error)
	// Updates returns those of [from, to) after an id, the oldest first.
	Updates(ctx context.Context, from, to, after int64, limit int, public bool) ([]complaint.Update, error)
	PutPhoto(ctx context.Context, now int64, media string, data []byte) (id string, err error)
	Photo(ctx context.Context, id string) (complaint.Photo, error)
}

// Open311 is what the Open311 face is made of.
type Open311 struct {
	Reports      Reports311
	Jurisdiction string // jurisdiction_id that is ours; required with Reports
	Contact      string // shown in the discovery
	Filings      int    // reports an hour and address, default 60; keys of staff have no bound
}

func (o *Open311) setDefaults(city string) {
	if o.Filings == 0 {
		o.Filings = 60
	}
	if o.Contact == "" {
		o.Contact = "Dinas Perhubungan " + city
	}
}
