package certificate

import (
	"context"

	"github.com/simpang-id/simpang/internal/city"
)

// State is whether a day is closed.
type State struct {
	Known    bool  // false: it lies before the first day that is certified
	Closed   bool  // its certificates are there
	ClosesAt int64 // Unix ms
}

// State tells of a day, YYYY-MM-DD.
func (f *Follower) State(date string) State {
	m, day := f.moment(), dateNumber(date)
	return State{Known: m.first != 0 && day >= m.first, Closed: m.closed != 0 && day >= m.first && day <= m.closed, ClosesAt: f.closesAt(day)}
}

func notKept(what string) error {
	return &city.Error{Kind: city.KindNotFound, Message: "there is no such certificate of " + what}
}

// chosen picks a revision, 0 the newest.
func chosen(docs [][]byte, revision int64, what string) (*Kept, error) {
	newest := int64(len(docs))
	if revision == 0 {
		revision = newest
	}
	if revision < 1 || revision > newest {
		return nil, notKept(what)
	}
	doc := docs[revision-1]
	return &Kept{Bytes: doc, SHA256: hashOf(doc), Revision: revision, Newest: newest}, nil
}

// Place returns a place's certificate of a closed day, YYYY-MM-DD; revision 0 is
// the newest. KindNotFound: there is none.
func (f *Follower) Place(ctx context.Context, key, date string, revision int64) (*Kept, error) {
	rows, err := f.placeRows(ctx, ofPlace, dateNumber(date), key)
	if err != nil {
		return nil, err
	}
	docs := make([][]byte, len(rows))
	for i := range rows {
		docs[i] = rows[i].docs[0]
	}
	return chosen(docs, revision, key+" of "+date)
}

// Device returns a device's certificate of a closed day, as Place does.
func (f *Follower) Device(ctx context.Context, id, date string, revision int64) (*Kept, error) {
	v := f.view(f.moment(), dateNumber(date))
	d := v.device(id)
	if d == nil {
		return nil, notKept(id + " of " + date)
	}
	rows, err := f.placeRows(ctx, ofPlace, v.date, placeKey(d))
	if err != nil {
		return nil, err
	}
	var docs [][]byte
	for i := range rows {
		for _, doc := range rows[i].docs[1:] {
			x, err := decode[DeviceDay](doc)
			if err != nil {
				return nil, err
			}
			if x.Device == id {
				docs = append(docs, doc)
			}
		}
	}
	return chosen(docs, revision, id+" of "+date)
}

// City returns the list of a closed day's certificates, and the entry of the
// books that has its hash, 0 where it is not booked yet, else OtherHash or
// HashRefused.
func (f *Follower) City(ctx context.Context, date string, revision int64) (kept *Kept, entry int64, err error) {
	rows, err := f.cityRows(ctx, "date = ?", dateNumber(date))
	if err != nil {
		return nil, 0, err
	}
	docs := make([][]byte, len(rows))
	for i := range rows {
		docs[i] = rows[i].doc
	}
	if kept, err = chosen(docs, revision, "the city of "+date); err != nil {
		return nil, 0, err
	}
	return kept, rows[kept.Revision-1].entry, nil
}
