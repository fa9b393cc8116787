package api

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/token"
)

// scope is which complaints a token sees.
type scope struct {
	agencies []string // nil: all
	noMoney  bool
	figures  bool // amounts and operators of what is about money
	reporter bool // who reported
}

// scopeOf returns what a token sees. Role dishub never sees what is about
// money, role agency no figures, and an auditor no names.
func scopeOf(t *token.Token) scope {
	switch t.Role {
	case token.Admin:
		return scope{figures: true, reporter: true}
	case token.Bapenda:
		return scope{agencies: []string{cmp.Or(t.Agency, "bapenda")}, figures: true, reporter: true}
	case token.Auditor:
		return scope{agencies: []string{cmp.Or(t.Agency, "bapenda")}, figures: true}
	case token.Dishub:
		return scope{agencies: []string{cmp.Or(t.Agency, "dishub")}, noMoney: true, reporter: true}
	case token.Agency:
		return scope{agencies: []string{t.Agency}, reporter: true}
	case token.Executive:
		return scope{}
	default:
		return scope{agencies: []string{}}
	}
}

func (c *scope) sees(x *complaint.Complaint) bool {
	return (c.agencies == nil || slices.Contains(c.agencies, x.Agency)) && (!c.noMoney || !x.Money)
}

// complaints serves /v1/complaints.
func (s *Server) complaints(w http.ResponseWriter, q *request) error {
	mine := scopeOf(q.token)
	query := complaint.Query{
		Agencies: mine.agencies, NoMoney: mine.noMoney, Site: q.text("site"), Overdue: q.args.get("overdue").flag, Now: q.now.UnixMilli(),
		From: q.args.get("from").whole, To: q.args.get("to").whole, After: q.text("cursor"), Limit: q.limit(),
	}
	if agency := q.text("agency"); agency != "" {
		if mine.agencies != nil && !slices.Contains(mine.agencies, agency) {
			return problem(http.StatusForbidden, "the token sees complaints of "+strings.Join(mine.agencies, ", ")+" only")
		}
		query.Agencies = []string{agency}
	}
	for _, state := range q.args.get("state").list {
		query.States = append(query.States, complaint.State(state))
	}
	if service := q.text("service"); service != "" {
		query.Services = []string{service}
	}
	for _, state := range q.args.get("delivery").list {
		query.Deliveries = append(query.Deliveries, complaint.Delivering(state))
	}
	if source := q.text("source"); source != "" {
		query.Sources = []complaint.Source{complaint.Source(source)}
	}
	if q.given("from") && q.given("to") && query.To < query.From {
		return badParameter("to", "must not lie before from")
	}
	var found []complaint.Complaint
	next := ""
	if !q.given("from") || !q.given("to") || query.To != query.From {
		var err error
		if found, next, err = s.Complaints.Complaints(q.Context(), query); err != nil {
			return err
		}
	}
	s.access(q, "complaints were read", slog.Int("complaints", len(found)))
	list := List[Complaint]{Items: make([]Complaint, 0, len(found)), Next: cursorOf(next)}
	for i := range found {
		list.Items = append(list.Items, s.complaint(&found[i], q.now))
	}
	if q.format() == "json" {
		writeJSON(w, q, http.StatusOK, list)
		return nil
	}
	linkNext(w, q, list.Next)
	if q.format() == "html" {
		return s.writeSheet(w, q, complaintsSheet(list.Items, s.period(q)))
	}
	return s.writeTable(w, q, complaintTable(list.Items), notStored, "")
}

func complaintTable(items []Complaint) *table {
	t := &table{name: "complaints", columns: []string{
		"id", "source", "service", "service_name", "agency", "status", "description", "sites", "segments", "devices", "kecamatan", "lat", "lon", "address",
		"severity", "anomaly", "confidential", "overdue", "due_by", "received_at", "verify_by", "verified_at", "follow_up_by", "answered_at", "close_by", "closed_at",
		"recovered_at", "duplicate_of", "reopened", "escalated", "delivery", "their_id",
	}}
	for i := range items {
		c := &items[i]
		var lat, lon any
		if c.Location != nil {
			lat, lon = c.Location.Lat, c.Location.Lon
		}
		t.add(c.ID, c.Source, c.Service, string(c.ServiceName), string(c.Agency), c.Status, c.Description, joinWords(c.Sites), joinWords(c.Segments), joinWords(c.Devices),
			string(c.Kecamatan), lat, lon, string(c.Address), string(c.Severity), string(c.Anomaly), c.Money, c.Overdue, string(c.DueBy), string(c.ReceivedAt),
			string(c.VerifyBy), string(c.VerifiedAt), string(c.FollowUpBy), string(c.AnsweredAt), string(c.CloseBy), string(c.ClosedAt), string(c.RecoveredAt),
			string(c.DuplicateOf), int64(c.Reopened), int64(c.Escalated), string(c.Delivery), string(c.Theirs))
	}
	return t
}

// lastDay returns the last day of a deadline (Unix ms, exclusive), "" for none.
func (s *Server) lastDay(ms int64) TextOrNull {
	if ms == 0 {
		return ""
	}
	return TextOrNull(time.UnixMilli(ms - 1).In(s.zone).Format(time.DateOnly))
}

func (s *Server) complaint(c *complaint.Complaint, now time.Time) Complaint {
	out := Complaint{
		ID: c.ID, Source: string(c.Source), Service: c.Service, Agency: TextOrNull(c.Agency), Status: string(c.State), Description: c.Description,
		Sites: orEmpty(c.Subjects.Sites), Segments: orEmpty(c.Subjects.Segments), Devices: orEmpty(c.Subjects.Devices),
		Kecamatan: TextOrNull(c.Kecamatan), Address: TextOrNull(c.Address), Severity: TextOrNull(c.Severity), Anomaly: TextOrNull(c.Incident), Rule: TextOrNull(c.Rule),
		Money: c.Money, Overdue: c.Overdue(now.UnixMilli()), DueBy: s.lastDay(c.Deadline()),
		ReceivedAt: s.at(c.Received), VerifyBy: s.lastDay(c.VerifyDue), VerifiedAt: s.atOrNull(c.Verified), FollowUpBy: s.lastDay(c.FollowDue),
		AnsweredAt: s.atOrNull(c.Answered), CloseBy: s.lastDay(c.CloseDue), ClosedAt: s.atOrNull(c.Closed), UpdatedAt: s.at(c.Updated),
		RecoveredAt: s.atOrNull(c.Recovered), DuplicateOf: TextOrNull(c.Duplicate), Reopened: c.Reopened, Escalated: c.Escalates,
		Delivery: TextOrNull(c.Delivery), Theirs: TextOrNull(c.Theirs), Photos: orEmpty(c.Media), Attributes: make([]Answer, 0, len(c.Attributes)),
	}
	if service := s.board.Load().version.Service(c.Service); service != nil {
		out.ServiceName = TextOrNull(service.Name)
	}
	if c.Located {
		out.Location = &inventory.LatLon{Lat: c.Lat, Lon: c.Long}
	}
	for _, a := range c.Attributes {
		out.Attributes = append(out.Attributes, Answer{a.Code, orEmpty(a.Values)})
	}
	return out
}

// oneComplaint serves /v1/complaints/{id}.
func (s *Server) oneComplaint(w http.ResponseWriter, q *request) error {
	c, err := s.ownComplaint(q)
	if err != nil {
		return err
	}
	s.access(q, "a complaint was read", slog.String("complaint", c.ID))
	return s.writeComplaint(w, q, &c)
}

// ownComplaint returns the complaint of the path, if the token sees it.
func (s *Server) ownComplaint(q *request) (complaint.Complaint, error) {
	c, err := s.Complaints.Complaint(q.Context(), q.text("id"))
	if mine := scopeOf(q.token); err == nil && !mine.sees(&c) {
		return c, notFound("there is no such complaint, or it is not yours")
	}
	return c, err
}

func (s *Server) writeComplaint(w http.ResponseWriter, q *request, c *complaint.Complaint) error {
	mine := scopeOf(q.token)
	out := ComplaintDetail{Complaint: s.complaint(c, q.now), MayDuplicate: []string{}, Updates: []ComplaintUpdate{}}
	if p := c.Private; mine.reporter && p.FirstName+p.LastName+p.Phone+p.Email != "" {
		out.Reporter = &Reporter{TextOrNull(p.FirstName), TextOrNull(p.LastName), TextOrNull(p.Phone), TextOrNull(p.Email)}
	}
	if mine.figures {
		out.Internal = TextOrNull(c.Private.Text)
	}
	history, err := s.Complaints.History(q.Context(), c.ID)
	if err != nil {
		return err
	}
	for _, u := range history {
		out.Updates = append(out.Updates, ComplaintUpdate{
			ID: u.ID, At: s.at(u.At), What: u.What, Status: string(u.State), Open311Status: string(u.Status), Text: TextOrNull(u.Text), Hidden: u.Hidden, By: TextOrNull(u.By),
		})
	}
	d, ok, err := s.Complaints.DeliveryOf(q.Context(), c.ID)
	if err != nil {
		return err
	}
	if ok {
		out.DeliveryWhy = TextOrNull(d.Why)
	}
	if out.Evidence, err = s.evidenceOf(q, c, mine.figures); err != nil {
		return err
	}
	if c.State.Open() {
		near, err := s.Complaints.Near(q.Context(), c)
		if err != nil {
			return err
		}
		for i := range near {
			if mine.sees(&near[i]) {
				out.MayDuplicate = append(out.MayDuplicate, near[i].ID)
			}
		}
	}
	if q.format() == "html" {
		form, err := s.complaintForm(q, c, &out)
		if err != nil {
			return err
		}
		return s.writeForm(w, form, c.ID)
	}
	writeJSON(w, q, http.StatusOK, out)
	return nil
}

// period tells the span of a list on paper.
func (s *Server) period(q *request) string {
	day := func(name, otherwise string) string {
		if !q.given(name) {
			return otherwise
		}
		return time.UnixMilli(q.args.get(name).whole).In(s.zone).Format(time.DateOnly)
	}
	return day("from", "awal") + " - " + day("to", "sekarang")
}

// outbox serves /v1/outbox.
func (s *Server) outbox(w http.ResponseWriter, q *request) error {
	b, err := s.Complaints.Backlog(q.Context())
	if err != nil {
		return err
	}
	t, err := s.Complaints.TellingBacklog(q.Context())
	if err != nil {
		return err
	}
	out := Outbox{
		Endpoint: "none", Waiting: b.Waiting, Sending: b.Sending, Unsure: b.Unsure, Refused: b.Refused, Held: b.Held, OldestAt: s.atOrNull(b.Oldest),
		Updates: OutboxUpdates{t[complaint.DeliveryWaiting], t[complaint.DeliverySending], t[complaint.DeliveryUnsure], t[complaint.DeliveryRefused]},
	}
	if s.CityUp != nil {
		out.Endpoint = map[bool]string{true: "well", false: "silent"}[s.CityUp()]
	}
	writeJSON(w, q, http.StatusOK, out)
	return nil
}
