package outbox_test

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/open311"
	"github.com/simpang-id/simpang/internal/outbox"
)

// memory is a register that survives a worker.
type memory struct {
	rows    map[string]*row
	cursors map[string]int64
	seen    []open311.Request // that are none of ours
	tells   []*tell           // by id less one
	posts   map[string]int    // Sending, by id
	fail    error             // of every call
}

type row struct {
	outbox.Delivery

	state   string // waiting, sending, sent, unsure, refused
	next    int64
	since   int64
	why     string
	theirs  string
	status  string
	updates []string // ids, each once
	word    string   // status of the last
}

// tell is an update of ours.
type tell struct {
	outbox.Telling

	next  int64
	state string // waiting, sending, sent, unsure, refused, none
	as    string // their id
	posts int
}

var _ outbox.Desk = (*memory)(nil)

func newMemory() *memory {
	return &memory{rows: map[string]*row{}, cursors: map[string]int64{}, posts: map[string]int{}}
}

func (m *memory) add(id string, now int64) *row {
	r := &row{Delivery: outbox.Delivery{ID: id, Filing: open311.Filing{
		ServiceCode: "rusak", Located: true, Lat: -6.2379, Long: 107.0011, Description: "Sensor mati sejak 06.10",
	}}, state: "waiting", since: now}
	m.rows[id] = r
	return r
}

func (m *memory) get(id string) (*row, error) {
	if m.fail != nil {
		return nil, m.fail
	}
	if r := m.rows[id]; r != nil {
		return r, nil
	}
	return nil, &city.Error{Kind: city.KindNotFound, Message: "no complaint " + id}
}

func (m *memory) each(f func(*row)) {
	for _, id := range slices.Sorted(maps.Keys(m.rows)) {
		f(m.rows[id])
	}
}

func (m *memory) Due(_ context.Context, now int64, n int) (list []outbox.Delivery, err error) {
	m.each(func(r *row) {
		if (r.state == "waiting" || r.state == "sending" || r.state == "unsure") && r.next <= now && len(list) < n {
			d := r.Delivery
			d.Unsure = r.state == "unsure"
			list = append(list, d)
		}
	})
	return list, m.fail
}

func (m *memory) change(id string, f func(*row)) error {
	r, err := m.get(id)
	if err == nil {
		f(r)
	}
	return err
}

func (m *memory) Sending(_ context.Context, now int64, id string) error {
	return m.change(id, func(r *row) {
		r.state, r.Began, r.Looks, r.next = "sending", now, 0, now
		m.posts[id]++
	})
}

func (m *memory) Sent(_ context.Context, _ int64, id, theirs, _ string) error {
	return m.change(id, func(r *row) { r.state, r.theirs, r.Token = "sent", theirs, "" })
}

func (m *memory) Tokened(_ context.Context, _ int64, id, token string, next int64) error {
	return m.change(id, func(r *row) { r.Token, r.next = token, next })
}

func (m *memory) Looked(_ context.Context, _ int64, id string, next int64, why string, count bool) error {
	return m.change(id, func(r *row) {
		r.next = next
		if r.state != "unsure" {
			r.why = why
		}
		if count {
			r.Looks++
		}
	})
}

func (m *memory) Failed(_ context.Context, _ int64, id string, next int64, why string) error {
	return m.change(id, func(r *row) {
		r.state, r.Began, r.next, r.why = "waiting", 0, next, why
		r.Tries++
	})
}

func (m *memory) Unsure(_ context.Context, _ int64, id string, next int64, why string) error {
	return m.change(id, func(r *row) { r.state, r.next, r.why = "unsure", next, why })
}

func (m *memory) Refused(_ context.Context, _ int64, id, why string) error {
	return m.change(id, func(r *row) { r.state, r.why = "refused", why })
}

func (m *memory) Unsettled(_ context.Context, id string) (bool, error) {
	r := m.rows[id]
	return r != nil && (r.state == "sending" || r.state == "unsure"), m.fail
}

func (m *memory) Known(_ context.Context, theirs string) (id string, err error) {
	m.each(func(r *row) {
		if r.theirs == theirs {
			id = r.ID
		}
	})
	return id, m.fail
}

func (m *memory) Backlog(context.Context) (b outbox.Backlog, err error) {
	m.each(func(r *row) {
		switch r.state {
		case "waiting":
			b.Waiting++
		case "sending":
			b.Sending++
		case "unsure":
			b.Unsure++
		case "refused":
			b.Refused++
		}
		if (r.state == "waiting" || r.state == "sending") && (b.Oldest == 0 || r.since < b.Oldest) {
			b.Oldest = r.since
		}
	})
	return b, m.fail
}

func (m *memory) Outstanding(_ context.Context, after string, n int) (list []outbox.Filed, err error) {
	m.each(func(r *row) {
		if r.state == "sent" && r.status != open311.Closed && strings.Compare(r.ID, after) > 0 && len(list) < n {
			list = append(list, outbox.Filed{ID: r.ID, Theirs: r.theirs})
		}
	})
	return list, m.fail
}

func (m *memory) Status(_ context.Context, _ int64, id string, r *open311.Request) error {
	return m.change(id, func(row *row) { row.status = r.Status })
}

func (m *memory) Update(_ context.Context, _ int64, id string, u *open311.Update) error {
	if slices.ContainsFunc(m.tells, func(t *tell) bool { return t.Complaint == id && t.as == u.ID }) {
		return m.fail
	}
	return m.change(id, func(r *row) {
		if !slices.Contains(r.updates, u.ID) {
			r.updates = append(r.updates, u.ID)
			r.word = u.Status
		}
	})
}

func (m *memory) Seen(_ context.Context, _ int64, r *open311.Request) error {
	if m.fail == nil && !slices.ContainsFunc(m.seen, func(o open311.Request) bool { return o.ID == r.ID }) {
		m.seen = append(m.seen, *r)
	}
	return m.fail
}

func (m *memory) Cursor(_ context.Context, list string) (int64, error) {
	return m.cursors[list], m.fail
}

func (m *memory) SetCursor(_ context.Context, list string, to int64) error {
	m.cursors[list] = to
	return m.fail
}

// say has them hear of something.
func (m *memory) say(id, status, text string, now int64) *tell {
	t := &tell{Telling: outbox.Telling{ID: int64(len(m.tells) + 1), Complaint: id, Update: open311.Update{Status: status, Description: text, Updated: now}, Since: now}, state: "waiting"}
	m.tells = append(m.tells, t)
	return t
}

func (m *memory) Tellings(_ context.Context, now int64, n int) (list []outbox.Telling, err error) {
	first := map[string]bool{}
	for _, t := range m.tells {
		r := m.rows[t.Complaint]
		if t.state != "waiting" && t.state != "sending" || first[t.Complaint] || r == nil || r.theirs == "" {
			continue
		}
		first[t.Complaint] = true
		if t.next <= now && len(list) < n {
			t.Update.RequestID = r.theirs
			if t.Note && r.word != "" {
				t.Update.Status = r.word
			}
			list = append(list, t.Telling)
		}
	}
	return list, m.fail
}

func (m *memory) telling(id int64, f func(*tell)) error {
	if id < 1 || id > int64(len(m.tells)) {
		return &city.Error{Kind: city.KindNotFound, Message: "no telling"}
	}
	f(m.tells[id-1])
	return m.fail
}

func (m *memory) TellingBegins(_ context.Context, now, id int64) error {
	return m.telling(id, func(t *tell) {
		t.state, t.Began, t.Looks = "sending", now, 0
		t.posts++
	})
}

func (m *memory) TellingLater(_ context.Context, _, id, next int64, _ string, taken, looked bool) error {
	return m.telling(id, func(t *tell) {
		t.next = next
		if !taken {
			t.state, t.Began, t.Looks = "waiting", 0, 0
		}
		if looked {
			t.Looks++
		}
	})
}

func (m *memory) TellingEnds(_ context.Context, _, id int64, end outbox.TellingEnd, theirs, _ string) error {
	return m.telling(id, func(t *tell) {
		if t.state == "sent" && end == outbox.Told && t.as == "" {
			t.as = theirs
		}
		if t.state == "sent" || end == outbox.Told && t.Began == 0 {
			return
		}
		t.state, t.as = [...]string{"sent", "unsure", "refused", "none"}[end], theirs
	})
}

func (m *memory) TellingBacklog(context.Context) (b outbox.TellingBacklog, err error) {
	for _, t := range m.tells {
		switch t.state {
		case "waiting":
			b.Waiting++
		case "sending":
			b.Sending++
		case "unsure":
			b.Unsure++
		case "refused":
			b.Refused++
		}
	}
	return b, m.fail
}
