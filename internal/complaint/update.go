package complaint

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/simpang-id/simpang/internal/city"
)

func unprocessed(field, detail string) error {
	return &city.Error{Kind: city.KindUnprocessed, Message: field + ": " + detail, Fields: []city.FieldError{{Field: field, Detail: detail}}}
}

// Update does what a person says. An error of KindNotFound: there is no such
// complaint; of KindUnprocessed: it cannot be done, and what can.
func (r *Register) Update(ctx context.Context, now int64, id string, n NewUpdate) (Complaint, Update, error) {
	return r.update(ctx, now, id, n, false)
}

// Pulled takes what the city's system says of a complaint: what is there holds,
// whatever the complaint was here. An update of theirs counts once.
func (r *Register) Pulled(ctx context.Context, now int64, id string, n NewUpdate) (Complaint, Update, error) {
	n.By = string(SourceCity)
	return r.update(ctx, now, id, n, true)
}

func (r *Register) update(ctx context.Context, now int64, id string, n NewUpdate, mirror bool) (c Complaint, u Update, err error) {
	err = r.change(ctx, now, func(x *change) error {
		rec, err := get(ctx, x.tx, id)
		if err != nil {
			return err
		}
		known, err := x.updateOf(n.Theirs)
		if err != nil || known != nil {
			if known != nil {
				c, u = rec.Complaint, *known
			}
			return err
		}
		if u, err = x.act(rec, &n, mirror); err != nil {
			return err
		}
		c = rec.Complaint
		return x.put(rec)
	})
	return c, u, err
}

// updateOf returns the update of an id of theirs, nil where there is none.
func (x *change) updateOf(theirs string) (*Update, error) {
	if theirs == "" {
		return nil, nil
	}
	u, err := scanUpdate(x.tx.QueryRowContext(x.ctx, "SELECT "+historyColumns+" FROM history WHERE theirs = ?", theirs))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &u, err
}

// act changes the record and tells of it; the record is to be put.
func (x *change) act(rec *record, n *NewUpdate, mirror bool) (Update, error) {
	u := Update{What: "note", Status: n.Status, Text: n.Text, Hidden: n.Hidden, By: n.By, Theirs: n.Theirs, Media: n.Media}
	if mirror && n.State == rec.State {
		n.State = ""
	}
	if !mirror {
		if err := x.checkAct(rec, n); err != nil {
			return u, err
		}
	}
	if n.Agency != "" && n.Agency != rec.Agency {
		u.What, rec.Agency = "routed", n.Agency
	}
	if n.State != "" {
		u.What = string(n.State)
		if rec.move(n.State, x.now, rulesOf(x.v, rec.Service)) {
			u.What = "reopened"
			if u.Status == "" {
				u.Status = StatusReopen
			}
		}
		if n.State == StateDuplicate {
			rec.Duplicate = n.Of
		}
	} else if u.Status == "" {
		u.Status = StatusUnchanged
	}
	if rec.State == StateVerified {
		u, err := x.tell(rec, u)
		if err == nil {
			err = x.queue(rec)
		}
		return u, err
	}
	if rec.Verified > 0 && rec.State.Open() { // the verification was skipped: they are to hear of what came instead of it
		if err := x.queue(rec); err != nil {
			return u, err
		}
	}
	return x.tell(rec, u)
}

// checkAct tells why a person may not do it.
func (x *change) checkAct(rec *record, n *NewUpdate) error {
	if utf8.RuneCountInString(n.Text) > TextMost || !utf8.ValidString(n.Text) {
		return unprocessed("text", fmt.Sprintf("must be text of %d characters at most", TextMost))
	}
	if n.Status != "" {
		if _, ok := StateOf(n.Status); !ok {
			return unprocessed("open311_status", fmt.Sprintf("%q is no status of an update", n.Status))
		}
	}
	if n.Agency != "" {
		if !slices.Contains(x.agencies(), n.Agency) {
			return unprocessed("agency", fmt.Sprintf("agency %q is not in agencies.yaml", n.Agency))
		}
		if n.Agency == rec.Agency {
			return unprocessed("agency", "the complaint is with it already: leave agency out")
		}
	}
	if n.State == "" {
		if n.Text == "" && n.Agency == "" {
			return unprocessed("text", "give a status, an agency or a text")
		}
		if n.Of != "" {
			return unprocessed("duplicate_of", "goes with status duplicate only")
		}
		return nil
	}
	if !slices.Contains(States, n.State) {
		return unprocessed("status", fmt.Sprintf("%q is none of %s", n.State, words(States)))
	}
	through := n.Through && rec.State.Open() && n.State != StateVerified
	if why := rec.mayMove(n.State); why != "" && !through {
		return unprocessed("status", why)
	}
	switch n.State {
	case StateAnswered, StateRejected:
		if n.Text == "" {
			return unprocessed("text", fmt.Sprintf("status %s needs a text: say what was done, or why nothing is", n.State))
		}
	case StateVerified:
		if n.Text == "" && rec.State != StateReceived {
			return unprocessed("text", "to reopen a complaint needs a text: say why")
		}
	default:
	}
	return x.checkDuplicate(rec, n)
}

// checkDuplicate follows duplicates to the one that stands for them.
func (x *change) checkDuplicate(rec *record, n *NewUpdate) error {
	if n.State != StateDuplicate {
		if n.Of != "" {
			return unprocessed("duplicate_of", "goes with status duplicate only")
		}
		return nil
	}
	if n.Of == "" && n.Through {
		return nil // who tells it in words has no member for the other
	}
	for id := n.Of; ; {
		if id == rec.ID {
			return unprocessed("duplicate_of", "a complaint is no duplicate of itself")
		}
		other, err := get(x.ctx, x.tx, id)
		if city.KindOf(err) == city.KindNotFound || err == nil && other.Money && !rec.Money {
			return unprocessed("duplicate_of", fmt.Sprintf("there is no complaint %q", id))
		}
		if err != nil {
			return err
		}
		if other.State != StateDuplicate || other.Duplicate == "" {
			n.Of = other.ID
			return nil
		}
		id = other.Duplicate
	}
}

func (x *change) agencies() []string {
	ids := make([]string, len(x.v.Agencies))
	for i := range x.v.Agencies {
		ids[i] = x.v.Agencies[i].ID
	}
	return ids
}

// History returns a complaint's updates, the oldest first.
func (r *Register) History(ctx context.Context, id string) ([]Update, error) {
	num, ok := numOf(id)
	if !ok {
		return nil, notThere(id)
	}
	return r.updates(ctx, "SELECT "+historyColumns+" FROM history WHERE complaint = ? ORDER BY id LIMIT 10000", num)
}

// Notes returns the last public text of each complaint's history, by id; one
// without any is not in it.
func (r *Register) Notes(ctx context.Context, ids []string) (map[string]string, error) {
	out := map[string]string{}
	for part := range slices.Chunk(ids, 500) {
		nums := make([]any, 0, len(part))
		for _, id := range part {
			if num, ok := numOf(id); ok {
				nums = append(nums, num)
			}
		}
		if len(nums) == 0 {
			continue
		}
		list, err := r.updates(ctx, "SELECT "+historyColumns+" FROM history WHERE complaint IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(nums)), ", ")+") ORDER BY id", nums...)
		if err != nil {
			return nil, err
		}
		for i := range list {
			if u := &list[i]; !u.Hidden && u.Text != "" {
				out[u.Complaint] = u.Text
			}
		}
	}
	return out, nil
}

// Updates returns updates of a time (Unix ms, from inclusive, to exclusive; 0:
// no bound) after an id, at most so many, the oldest first. Public: only those
// that anyone may see.
func (r *Register) Updates(ctx context.Context, from, to, after int64, limit int, public bool) ([]Update, error) {
	if to == 0 {
		to = 1<<63 - 1
	}
	query := "SELECT h.id, h.complaint, h.at, h.theirs, h.data, h.sum FROM history h"
	if public {
		query += " JOIN complaint c ON c.num = h.complaint AND c.public = 1"
	}
	query += " WHERE h.at >= ? AND h.at < ? AND h.id > ? ORDER BY h.id LIMIT ?"
	var list []Update
	for {
		page, err := r.updates(ctx, query, from, to, after, limit)
		if err != nil || len(page) == 0 {
			return list, err
		}
		after = page[len(page)-1].ID
		whole := len(page) == limit
		if public {
			page = slices.DeleteFunc(page, func(u Update) bool { return u.Hidden })
		}
		if list = append(list, page...); !whole || len(list) >= limit {
			return list[:min(len(list), limit)], nil
		}
	}
}

func (r *Register) updates(ctx context.Context, query string, args ...any) (list []Update, err error) {
	rows, err := r.db.R.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("complaints: updates: %w", err)
	}
	defer closeRows(rows)
	for rows.Next() {
		u, err := scanUpdate(rows)
		if err != nil {
			return nil, fmt.Errorf("complaints: %w", err)
		}
		list = append(list, u)
	}
	return list, rows.Err()
}
