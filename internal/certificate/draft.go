package certificate

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// A draft asks health for all days of each device of a place, so it is kept for
// a while, and one is made at a time.
const (
	draftFor   = time.Minute
	mostDrafts = 256
)

// drafts are those that were made last.
type drafts struct {
	turn chan struct{} // held by who looks here, and makes one
	kept map[draftKey]madeDraft
}

type draftKey struct{ place, date string }

type madeDraft struct {
	kept *Kept
	at   time.Time
}

func newDrafts() drafts {
	return drafts{turn: make(chan struct{}, 1), kept: map[draftKey]madeDraft{}}
}

// Draft returns a place's certificate of a day as known within the last minute,
// of revision 0; its Position and AsOf say when. KindNotFound: it is not known
// any more.
func (f *Follower) Draft(ctx context.Context, key, date string) (*Kept, error) {
	select {
	case f.drafts.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-f.drafts.turn }()
	if f.o.Now == nil {
		return f.makeDraft(ctx, key, date)
	}
	now, k := f.o.Now(), draftKey{key, date}
	for other, d := range f.drafts.kept {
		if now.Sub(d.at) >= draftFor {
			delete(f.drafts.kept, other)
		}
	}
	if d, ok := f.drafts.kept[k]; ok {
		return d.kept, nil
	}
	kept, err := f.makeDraft(ctx, key, date)
	if err != nil {
		return nil, err
	}
	if len(f.drafts.kept) < mostDrafts {
		f.drafts.kept[k] = madeDraft{kept, now}
	}
	return kept, nil
}

// notKnown is what is said of a draft of a day that health has forgotten.
func notKnown(err error, what string) error {
	if _, ok := errors.AsType[*forgottenError](err); ok {
		return notKept(what)
	}
	return err
}

// makeDraft makes a place's certificate of a day as known now, of revision 0.
func (f *Follower) makeDraft(ctx context.Context, key, date string) (*Kept, error) {
	v := f.view(f.moment(), dateNumber(date))
	p := newPlaceDoc(key)
	for _, d := range v.places()[key] {
		x, err := v.ask(ctx, d, 0)
		if err != nil {
			return nil, notKnown(err, key+" of "+date)
		}
		if err := p.put(x); err != nil {
			return nil, err
		}
	}
	doc, err := p.doc(v)
	if err != nil {
		return nil, err
	}
	x, err := decode[PlaceDay](doc)
	if err != nil {
		return nil, err
	}
	x.Revision = 0
	for i := range x.List {
		x.List[i].Part = Part{}
	}
	if doc, err = json.Marshal(x); err != nil {
		return nil, err
	}
	return &Kept{Bytes: doc}, nil
}

// DraftDevice makes a device's certificate of a day as known now, of revision 0.
func (f *Follower) DraftDevice(ctx context.Context, id, date string) (*Kept, error) {
	v := f.view(f.moment(), dateNumber(date))
	d := v.device(id)
	if d == nil {
		return nil, notKept(id + " of " + date)
	}
	x, err := v.ask(ctx, d, 0)
	if err != nil {
		return nil, notKnown(err, id+" of "+date)
	}
	doc, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	return &Kept{Bytes: doc}, nil
}
