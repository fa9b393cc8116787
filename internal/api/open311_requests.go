package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/open311"
)

const (
	day311      = 24 * time.Hour
	maxPage311  = 1000
	extendedMax = 200 // requests of a page with their history
)

// states311 are those of a status of the standard.
func states311(open bool) []complaint.State {
	return slices.DeleteFunc(slices.Clone(complaint.States), func(state complaint.State) bool { return state.Open() != open })
}

// requests311 serves GET /open311/v2/requests.
func (s *Server) requests311(w http.ResponseWriter, q *request) error {
	v := values311(q)
	version, err := s.open311Of(v)
	if err != nil {
		return err
	}
	query := complaint.Query{Public: true, NoMoney: true}
	extended := v.Get("extensions") == "true"
	page, err := s.page311(v)
	if err != nil {
		return err
	}
	if ids := words(v, "service_request_id"); len(ids) > 0 {
		if len(ids) > open311.MaxRows {
			return fault(http.StatusBadRequest, "service_request_id: at most 1,000 ids")
		}
		query.IDs = ids
	} else if err := s.filter311(&query, v, q.now); err != nil {
		return err
	}
	if extended {
		page.size = min(page.size, extendedMax)
	}
	list, err := s.complaints311(q.Context(), query, page)
	if err != nil {
		return err
	}
	shown, err := s.showAll311(q, version, list, extended)
	if err != nil {
		return err
	}
	return s.write311(w, q, func(wr open311.Writer) ([]byte, error) { return wr.Requests(shown) })
}

// filter311 reads status, service_code and the span into a query.
func (s *Server) filter311(query *complaint.Query, v url.Values, now time.Time) error {
	query.Services = words(v, "service_code")
	statuses := words(v, "status")
	for _, status := range statuses {
		switch strings.ToLower(status) {
		case open311.Open:
			query.States = append(query.States, states311(true)...)
		case open311.Closed:
			query.States = append(query.States, states311(false)...)
		default:
			return fault(http.StatusBadRequest, "status must be open or closed, or both with a comma")
		}
	}
	sp, err := s.span311(v, now)
	query.From, query.To = sp.from, sp.to
	return err
}

// span311 reads start_date and end_date: both ends are within.
func (s *Server) span311(v url.Values, now time.Time) (span, error) {
	const reach = int64(open311.MaxSpanDays * day311 / time.Millisecond)
	sp := span{to: now.UnixMilli()}
	var begins, ends bool
	for name, at := range map[string]*int64{"start_date": &sp.from, "end_date": &sp.to} {
		raw := v.Get(name)
		if raw == "" {
			continue
		}
		ms, ok := open311.ParseTime(raw, s.zone)
		if !ok {
			return sp, fault(http.StatusBadRequest, name+" must be a time with zone like 2026-03-02T08:15:00+07:00")
		}
		*at = ms
		begins, ends = begins || name == "start_date", ends || name == "end_date"
	}
	switch {
	case !begins:
		sp.from = sp.to - reach
	case !ends:
		sp.to = max(sp.to, sp.from)
	case sp.from > sp.to:
		return sp, fault(http.StatusBadRequest, "start_date lies after end_date")
	case sp.to-sp.from > reach:
		return sp, fault(http.StatusBadRequest, "start_date and end_date may be 90 days apart at most")
	}
	sp.to = (sp.to/1000 + 1) * 1000 // times are told in whole seconds
	return sp, nil
}

// page311 is which part of a list is asked for.
type page311 struct{ number, size int }

func (s *Server) page311(v url.Values) (page311, error) {
	p := page311{1, open311.MaxRows}
	for name, at := range map[string]*int{"page": &p.number, "page_size": &p.size} {
		raw := v.Get(name)
		if raw == "" {
			continue
		}
		n, err := strconv.Atoi(raw)
		if err != nil || n < 1 || n > maxPage311 {
			return p, fault(http.StatusBadRequest, name+" must be a whole number from 1 to 1000")
		}
		*at = n
	}
	return p, nil
}

// complaints311 reads one page of the register.
func (s *Server) complaints311(ctx context.Context, query complaint.Query, page page311) ([]complaint.Complaint, error) {
	query.Limit = page.size
	for n := 1; ; n++ {
		list, next, err := s.Open311.Reports.Complaints(ctx, query)
		switch {
		case err != nil:
			return nil, err
		case n == page.number:
			return list, nil
		case next == "":
			return nil, nil
		}
		query.After = next
	}
}

// request311 serves GET /open311/v2/requests/{id}.
func (s *Server) request311(w http.ResponseWriter, q *request) error {
	v := values311(q)
	version, err := s.open311Of(v)
	if err != nil {
		return err
	}
	c, err := s.public311(q.Context(), bare(q))
	if err != nil {
		return err
	}
	shown, err := s.showAll311(q, version, []complaint.Complaint{*c}, v.Get("extensions") == "true")
	if err != nil {
		return err
	}
	return s.write311(w, q, func(wr open311.Writer) ([]byte, error) { return wr.Requests(shown) })
}

// public311 returns a complaint that anyone may see.
func (s *Server) public311(ctx context.Context, id string) (*complaint.Complaint, error) {
	list, _, err := s.Open311.Reports.Complaints(ctx, complaint.Query{IDs: []string{id}, Public: true, NoMoney: true, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fault(http.StatusNotFound, "service_request_id "+cut(id)+" was not found")
	}
	return &list[0], nil
}

// token311 serves GET /open311/v2/tokens/{token}: an id is its own token.
func (s *Server) token311(w http.ResponseWriter, q *request) error {
	if _, err := s.open311Of(values311(q)); err != nil {
		return err
	}
	c, err := s.public311(q.Context(), bare(q))
	if err != nil {
		return fault(http.StatusNotFound, "token "+cut(bare(q))+" was not found")
	}
	return s.write311(w, q, func(wr open311.Writer) ([]byte, error) {
		return wr.Token(open311.Token{ID: c.ID, Token: c.ID})
	})
}

// stateNotes tells people how a complaint stands.
var stateNotes = map[complaint.State]string{
	complaint.StateReceived: "Diterima, menunggu verifikasi", complaint.StateVerified: "Terverifikasi, diteruskan ke perangkat daerah",
	complaint.StateInProgress: "Sedang dikerjakan", complaint.StateAnswered: "Sudah ditindaklanjuti, menunggu penutupan",
	complaint.StateClosed: "Selesai", complaint.StateRejected: "Tidak dapat ditindaklanjuti", complaint.StateDuplicate: "Duplikat laporan lain",
}

// showAll311 returns complaints as anyone may see them, alike in a list and
// alone: what was said last of each is its note.
func (s *Server) showAll311(q *request, version *inventory.Version, list []complaint.Complaint, extended bool) ([]open311.Request, error) {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	notes, err := s.Open311.Reports.Notes(q.Context(), ids)
	if err != nil {
		return nil, err
	}
	shown := make([]open311.Request, len(list))
	for i := range list {
		if shown[i], err = s.show311(q, version, &list[i], extended); err != nil {
			return nil, err
		}
		if text := scrub(notes[list[i].ID]); text != "" {
			shown[i].StatusNotes = text
		}
	}
	return shown, nil
}

// show311 returns a complaint as anyone may see it: nothing of the person, no
// answers to questions, and its pictures only once an officer verified it.
func (s *Server) show311(q *request, version *inventory.Version, c *complaint.Complaint, extended bool) (open311.Request, error) {
	r := open311.Request{
		ID: c.ID, Status: open311.Closed, StatusNotes: stateNotes[c.State], ServiceCode: c.Service, Description: scrub(c.Description),
		Agency: agencyName(version, c.Agency), Requested: c.Received, Updated: max(c.Updated, c.Received), Expected: expected(c),
		Address: scrub(c.Address), Located: c.Located, Lat: c.Lat, Long: c.Long,
	}
	if c.State.Open() {
		r.Status = open311.Open
	} else if c.Closed != 0 {
		r.Updated = c.Closed
	}
	if len(c.Subjects.Sites) == 1 {
		r.AddressID = c.Subjects.Sites[0]
	}
	if c.State == complaint.StateDuplicate && c.Duplicate != "" {
		r.StatusNotes = "Duplikat laporan " + c.Duplicate
	}
	if one := version.Service(c.Service); one != nil {
		r.ServiceName = one.Name
	}
	var media []string
	if c.Verified != 0 {
		for _, id := range c.Media {
			media = append(media, s.baseOf(q.Request)+"/photos/"+url.PathEscape(id))
		}
		if c.MediaURL != "" {
			media = append(media, c.MediaURL)
		}
	}
	if len(media) > 0 {
		r.MediaURL = media[0]
	}
	if !extended {
		return r, nil
	}
	updates, err := s.Open311.Reports.History(q.Context(), c.ID)
	if err != nil {
		return r, err
	}
	r.Extended = &open311.Extended{Channel: string(c.Source), State: string(c.State), District: c.Kecamatan, Media: media}
	for i := range updates {
		if u := &updates[i]; !u.Hidden {
			r.Extended.Notes = append(r.Extended.Notes, open311.Note{At: u.At, Type: u.What, Summary: scrub(u.Text)})
		}
	}
	return r, nil
}

// expected is when the complaint should be answered, or what comes before it.
func expected(c *complaint.Complaint) int64 {
	for _, due := range []int64{c.FollowDue, c.CloseDue, c.VerifyDue} {
		if due != 0 {
			return due
		}
	}
	return 0
}

func agencyName(v *inventory.Version, id string) string {
	for i := range v.Agencies {
		if v.Agencies[i].ID == id {
			return v.Agencies[i].Name
		}
	}
	return id
}
