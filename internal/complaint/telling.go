package complaint

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// Telling is an update of ours that the city's system is to hear of.
type Telling struct {
	Update Update // as it may leave: without the text of money
	Note   bool   // it changes no status: Update has their last that is known
	Theirs string // their id of the complaint
	Began  int64  // of a try that may have been taken; 0: none
	Looks  int    // that did not find it since
	Since  int64
}

// The states of a telling, beside those of a delivery.
const tellingNone = "none" // they take no updates

// tellable are the updates that are of interest to others, with what is said of
// one about money, whose own text stays here, or that has no text.
var tellable = map[string]string{
	"verified": "Terverifikasi.", "in_progress": "Sedang dikerjakan.", "answered": "Sudah ditindaklanjuti.", "closed": "Selesai.",
	"rejected": "Tidak dapat ditindaklanjuti.", "duplicate": "Duplikat laporan lain.", "reopened": "Dibuka kembali.",
	"recovered": "Sensor mencatat gangguan ini sudah berakhir.", "returned": "Sensor mencatat gangguan yang sama lagi.",
	"note": "", "joined": "",
}

// telling is a row of the table.
type telling struct {
	id, num, began, next, since int64
	looks                       int
	state, theirs, why          string
}

const tellingColumns = "id, complaint, state, looks, began, next, since, theirs, why, sum"

func (t *telling) row() []any {
	return []any{t.id, t.num, t.state, int64(t.looks), t.began, t.next, t.since, t.theirs, t.why}
}

func scanTelling(s scanner) (*telling, error) {
	t := new(telling)
	var sum int64
	if err := s.Scan(&t.id, &t.num, &t.state, &t.looks, &t.began, &t.next, &t.since, &t.theirs, &t.why, &sum); err != nil {
		return nil, err
	}
	if err := sqlite.CheckSum(sum, "telling", t.row()...); err != nil {
		return nil, fmt.Errorf("telling of update %d: %w", t.id, err)
	}
	return t, nil
}

func (x *change) putTelling(t *telling) error {
	row := t.row()
	_, err := x.tx.ExecContext(x.ctx, "INSERT OR REPLACE INTO telling ("+tellingColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		append(row, sqlite.Sum("telling", row...))...)
	return err
}

// pass has the city's system told of an update, where it has the complaint or is
// to have it. What came from there is never sent back.
func (x *change) pass(rec *record, u *Update) error {
	fixed, ok := tellable[u.What]
	if !x.o.Destination.Set || !ok || u.Hidden || u.By == string(SourceCity) || rec.Money && fixed == "" {
		return nil
	}
	switch rec.Delivery {
	case DeliveryNone, DeliveryHeld:
		return nil
	default:
	}
	return x.putTelling(&telling{id: u.ID, num: rec.num, state: string(DeliveryWaiting), next: x.now, since: x.now})
}

// leaves is an update as it may leave.
func (u *Update) leaves(money bool) Update {
	out := Update{ID: u.ID, Complaint: u.Complaint, At: u.At, State: u.State, Status: u.Status, What: u.What, Text: u.Text, Media: u.Media}
	if money {
		out.Text, out.Media = "", ""
	}
	if out.Text == "" {
		out.Text = tellable[u.What]
	}
	return out
}

// theirStatus returns the status that the city's system has of a complaint, as
// far as is known: what it said last, or what it heard of before an update of
// ours. Not every system has a word for unchanged, and another would change it.
func theirStatus(u *Update, history []Update) Status {
	known := u.State.Status()
	for i := range history {
		h := &history[i]
		state, word := StateOf(h.Status)
		city := h.By == string(SourceCity)
		switch {
		case !word || state == "" || !city && (h.ID >= u.ID || h.Hidden):
		case h.Status == StatusReopen:
			known = h.State.Status()
		default:
			known = h.Status
		}
	}
	return known
}

// Tellings returns at most n updates that wait or began, whose time has come and
// whose complaint is there, of each complaint the first only: they are told in
// their order.
func (r *Register) Tellings(ctx context.Context, now int64, n int) (list []Telling, err error) {
	found, err := r.tellings(ctx, `SELECT `+tellingColumns+` FROM telling t
		WHERE state IN ('waiting', 'sending') AND next <= ?
		AND id = (SELECT min(o.id) FROM telling o WHERE o.complaint = t.complaint AND o.state IN ('waiting', 'sending'))
		AND EXISTS (SELECT 1 FROM complaint c WHERE c.num = t.complaint AND c.theirs <> '') ORDER BY next, id LIMIT ?`, now, n)
	if err != nil {
		return nil, fmt.Errorf("complaints: tellings: %w", err)
	}
	for _, t := range found {
		rec, err := getNum(ctx, r.db.R, t.num)
		if err != nil {
			return nil, fmt.Errorf("complaints: %w", err)
		}
		u, err := scanUpdate(r.db.R.QueryRowContext(ctx, "SELECT "+historyColumns+" FROM history WHERE id = ?", t.id))
		if err != nil {
			return nil, fmt.Errorf("complaints: %w", err)
		}
		one := Telling{Update: u.leaves(rec.Money), Note: u.Status == StatusUnchanged, Theirs: rec.Theirs, Began: t.began, Looks: t.looks, Since: t.since}
		if one.Note {
			history, err := r.History(ctx, rec.ID)
			if err != nil {
				return nil, err
			}
			one.Update.Status = theirStatus(&u, history)
		}
		list = append(list, one)
	}
	return list, nil
}

func (r *Register) tellings(ctx context.Context, query string, args ...any) (list []*telling, err error) {
	rows, err := r.db.R.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows)
	for rows.Next() {
		t, err := scanTelling(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

func (r *Register) told(ctx context.Context, now, id int64, f func(*telling)) error {
	return r.change(ctx, now, func(x *change) error {
		t, err := scanTelling(x.tx.QueryRowContext(x.ctx, "SELECT "+tellingColumns+" FROM telling WHERE id = ?", id))
		if errors.Is(err, sql.ErrNoRows) {
			return &city.Error{Kind: city.KindNotFound, Message: fmt.Sprintf("update %d is not to be told", id)}
		}
		if err != nil {
			return err
		}
		f(t)
		return x.putTelling(t)
	})
}

// TellingBegins notes that a try begins now: from here on it may have been
// taken.
func (r *Register) TellingBegins(ctx context.Context, now, id int64) error {
	return r.told(ctx, now, id, func(t *telling) { t.state, t.began, t.looks = string(DeliverySending), now, 0 })
}

// TellingLater says when to go on with one: taken: it may have been taken, and
// is looked for; looked: a look-up did not find it.
func (r *Register) TellingLater(ctx context.Context, now, id, next int64, why string, taken, looked bool) error {
	return r.told(ctx, now, id, func(t *telling) {
		t.next, t.why = next, cut(why, nameMost)
		if !taken {
			t.state, t.began, t.looks = string(DeliveryWaiting), 0, 0
		}
		if looked {
			t.looks++
		}
	})
}

// TellingEnds ends one: sent under their id ("" where they said none), or, for a
// person to know, unsure, refused, or none where they take no updates. What was
// sent stays so, under its first id that is known. An error of KindNotFound: it
// was not to be told.
func (r *Register) TellingEnds(ctx context.Context, now, id int64, state Delivering, theirs, why string) error {
	to := string(state)
	if state == DeliveryNone {
		to = tellingNone
	}
	return r.told(ctx, now, id, func(t *telling) {
		switch {
		case t.state == string(DeliverySent) && state == DeliverySent && t.theirs == "":
			t.theirs = theirs
			return
		case t.state == string(DeliverySent), state == DeliverySent && t.began == 0:
			return // it was told, or somebody else's words look like it
		}
		t.state, t.theirs, t.why = to, theirs, cut(why, nameMost)
	})
}

// IsTold tells whether their id of an update of a complaint is one of ours.
func (r *Register) IsTold(ctx context.Context, id, theirs string) (bool, error) {
	num, ok := numOf(id)
	if !ok || theirs == "" {
		return false, nil
	}
	found, err := r.tellings(ctx, "SELECT "+tellingColumns+" FROM telling WHERE complaint = ? AND theirs = ? LIMIT 1", num, theirs)
	return len(found) > 0, err
}

// MayKnow tells whether the city's system was told of an update of ours, or may
// have been.
func (r *Register) MayKnow(ctx context.Context, update int64) (bool, error) {
	found, err := r.tellings(ctx, "SELECT "+tellingColumns+" FROM telling WHERE id = ? AND state IN ('sending', 'sent', 'unsure')", update)
	return len(found) > 0, err
}

// TellingBacklog counts the updates that are not told yet, or for a person, by
// state. What waits for its complaint's own delivery is not counted.
func (r *Register) TellingBacklog(ctx context.Context) (counts map[Delivering]int, err error) {
	counts = map[Delivering]int{}
	rows, err := r.db.R.QueryContext(ctx, `SELECT t.state, count(*) FROM telling t JOIN complaint c ON c.num = t.complaint
		WHERE t.state IN ('waiting', 'sending', 'unsure', 'refused') AND c.theirs <> '' GROUP BY t.state`)
	if err != nil {
		return nil, fmt.Errorf("complaints: tellings: %w", err)
	}
	defer closeRows(rows)
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, fmt.Errorf("complaints: tellings: %w", err)
		}
		if slices.Contains(Deliverings, Delivering(state)) {
			counts[Delivering(state)] = n
		}
	}
	return counts, rows.Err()
}
