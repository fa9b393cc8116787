package api

import (
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/token"
	"github.com/simpang-id/simpang/internal/watch"
)

// Anomaly is one thing that is or was wrong with a device or site.
type Anomaly struct {
	ID       string          `json:"id"`
	Rule     string          `json:"rule"`
	Severity string          `json:"severity" enum:"low,medium,high"`
	State    string          `json:"state" enum:"open,acknowledged,recovering,closed"`
	Subject  string          `json:"subject" doc:"id of the device, else of the site, segment or source"`
	Site     TextOrNull      `json:"site"`
	Device   TextOrNull      `json:"device"`
	Segment  TextOrNull      `json:"segment"`
	OpenedAt Time            `json:"opened_at" doc:"time of the event"`
	LastAt   Time            `json:"last_at" doc:"of the last event that belongs to it"`
	ClosedAt TimeOrNull      `json:"closed_at"`
	Count    int64           `json:"count" doc:"things that happened, or the most that stood at once"`
	AckedBy  TextOrNull      `json:"acknowledged_by" doc:"id of the token; null: nobody did"`
	AckedAt  TimeOrNull      `json:"acknowledged_at"`
	Note     TextOrNull      `json:"note" doc:"of who acknowledged it"`
	Evidence AnomalyEvidence `json:"evidence"`
}

// AnomalyDetail is one anomaly with its history.
type AnomalyDetail struct {
	Anomaly
	Changes     []AnomalyChange `json:"changes" doc:"the first, and the newest of the others"`
	ChangeCount int             `json:"change_count"`
}

// AnomalyEvidence is what an anomaly rests on. Its lists are bounded.
type AnomalyEvidence struct {
	Readings []string         `json:"readings" doc:"device:boot:seq: the first, and the newest"`
	Ranges   []EvidenceRange  `json:"ranges" doc:"of receipt numbers, readings or days"`
	Sums     map[string]int64 `json:"sums" doc:"counts; _rp rupiah (not for dishub), _s seconds, _kmh, _vph vehicles/h, _mv millivolt"`
	Sites    []string         `json:"sites" doc:"ids of sites that it touches, beside its own"`
	Unseen   bool             `json:"unseen" doc:"such an hour of such a day was hardly seen: the band was widened"`
	Links    []string         `json:"links" doc:"paths that show more"`
}

// EvidenceRange is a range, both ends inclusive.
type EvidenceRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// AnomalyChange is one change of an anomaly.
type AnomalyChange struct {
	At   Time       `json:"at"`
	What string     `json:"what" enum:"opened,recovering,again,closed,acknowledged"`
	By   TextOrNull `json:"by" doc:"id of the token; null: the gateway"`
	Note TextOrNull `json:"note"`
}

// NewAcknowledgment is what a person says of an anomaly.
type NewAcknowledgment struct {
	Note string `json:"note,omitempty" maxLength:"1000" doc:"for colleagues: no personal data"`
}

// mayRead returns the rules whose anomalies a role reads.
func mayRead(role token.Role) []watch.Rule {
	switch role {
	case token.Admin:
		return watch.Rules
	case token.Bapenda, token.Auditor:
		return watch.MoneyRules
	case token.Dishub:
		return watch.OtherRules
	default:
		return []watch.Rule{}
	}
}

// anomalies serves /v1/anomalies.
func (s *Server) anomalies(w http.ResponseWriter, q *request) error {
	query := watch.Query{
		Rules: mayRead(q.token.Role), State: watch.State(q.text("state")), Site: q.text("site"), Device: q.text("device"),
		From: q.args.get("from").whole, To: q.args.get("to").whole, After: q.text("cursor"), Limit: q.limit(),
	}
	if rule := watch.Rule(q.text("rule")); rule != "" {
		query.Rules = slices.DeleteFunc(slices.Clone(query.Rules), func(r watch.Rule) bool { return r != rule })
	}
	found, next, err := s.incidents(q, query)
	if err != nil {
		return err
	}
	s.access(q, "anomalies were read", slog.Int("anomalies", len(found)))
	list := List[Anomaly]{Items: make([]Anomaly, 0, len(found)), Next: cursorOf(next)}
	for i := range found {
		list.Items = append(list.Items, s.anomaly(&found[i], q.token.Role))
	}
	if q.format() == "json" {
		writeJSON(w, q, http.StatusOK, list)
		return nil
	}
	linkNext(w, q, list.Next)
	return s.writeTable(w, q, anomalyTable(list.Items), notStored, "")
}

// incidents asks for what opened in a span; one of no length has nothing.
func (s *Server) incidents(q *request, query watch.Query) (found []watch.Incident, next string, err error) {
	if q.given("from") && q.given("to") && query.To <= query.From {
		if query.To < query.From {
			return nil, "", badParameter("from", "lies after to")
		}
		return nil, "", nil
	}
	return s.Anomalies.Incidents(q.Context(), query)
}

func anomalyTable(items []Anomaly) *table {
	t := &table{name: "anomalies", columns: []string{
		"id", "rule", "severity", "state", "site", "device", "segment", "opened_at", "last_at", "closed_at", "count",
		"acknowledged_by", "acknowledged_at", "note", "sums", "ranges", "readings",
	}}
	for i := range items {
		a := &items[i]
		var sums, ranges []string
		for name, v := range a.Evidence.Sums {
			sums = append(sums, name+"="+strconv.FormatInt(v, 10))
		}
		slices.Sort(sums)
		for _, r := range a.Evidence.Ranges {
			ranges = append(ranges, r.From+".."+r.To)
		}
		t.add(a.ID, a.Rule, a.Severity, a.State, string(a.Site), string(a.Device), string(a.Segment), string(a.OpenedAt), string(a.LastAt), string(a.ClosedAt), a.Count,
			string(a.AckedBy), string(a.AckedAt), string(a.Note), strings.Join(sums, " "), strings.Join(ranges, " "), strings.Join(a.Evidence.Readings, " "))
	}
	return t
}

// oneAnomaly serves /v1/anomalies/{id}.
func (s *Server) oneAnomaly(w http.ResponseWriter, q *request) error {
	i, err := s.ownAnomaly(q)
	if err != nil {
		return err
	}
	s.access(q, "an anomaly was read", slog.String("anomaly", i.ID))
	writeJSON(w, q, http.StatusOK, s.anomalyDetail(&i, q.token.Role))
	return nil
}

// ownAnomaly returns the anomaly of the path, if the role may know of it.
func (s *Server) ownAnomaly(q *request) (watch.Incident, error) {
	i, err := s.Anomalies.Incident(q.Context(), q.text("id"))
	if err == nil && !slices.Contains(mayRead(q.token.Role), i.Rule) {
		return i, &city.Error{Kind: city.KindNotFound, Message: "there is no such anomaly"}
	}
	return i, err
}

// acknowledge serves POST /v1/anomalies/{id}/ack.
func (s *Server) acknowledge(w http.ResponseWriter, q *request) error {
	var said NewAcknowledgment
	if err := readBody(q, &said); err != nil {
		return err
	}
	if len(said.Note) > watch.NoteMost {
		detail := "must have " + strconv.Itoa(watch.NoteMost) + " bytes at most"
		return problem(http.StatusUnprocessableEntity, "note: "+detail, city.FieldError{Field: "note", Detail: detail})
	}
	i, err := s.ownAnomaly(q)
	if err != nil {
		return err
	}
	if i, err = s.Anomalies.Acknowledge(q.Context(), i.ID, q.token.ID, said.Note, q.now.UnixMilli()); err != nil {
		return err
	}
	writeJSON(w, q, http.StatusOK, s.anomalyDetail(&i, q.token.Role))
	return nil
}

// anomaly is an incident as a role may see it: who looks after devices and roads
// sees no money.
func (s *Server) anomaly(i *watch.Incident, role token.Role) Anomaly {
	a := Anomaly{
		ID: i.ID, Rule: string(i.Rule), Severity: string(i.Severity), State: string(i.State), Subject: i.Subject,
		Site: TextOrNull(i.Site), Device: TextOrNull(i.Device), Segment: TextOrNull(i.Segment), OpenedAt: s.at(i.OpenedAt), LastAt: s.at(i.LastAt), ClosedAt: s.atOrNull(i.ClosedAt),
		Count:    i.Count,
		Evidence: AnomalyEvidence{Readings: orEmpty(i.Evidence.Readings), Ranges: []EvidenceRange{}, Sums: map[string]int64{}, Links: orEmpty(i.Evidence.Links), Sites: orEmpty(i.Evidence.Sites), Unseen: i.Evidence.Unseen},
	}
	for _, r := range i.Evidence.Ranges {
		a.Evidence.Ranges = append(a.Evidence.Ranges, EvidenceRange(r))
	}
	for _, sum := range i.Evidence.Sums {
		if role != token.Dishub || !strings.HasSuffix(sum.Name, "_rp") {
			a.Evidence.Sums[sum.Name] = sum.Value
		}
	}
	if i.Ack != nil {
		a.AckedBy, a.AckedAt, a.Note = TextOrNull(i.Ack.By), s.atOrNull(i.Ack.At), TextOrNull(i.Ack.Note)
	}
	return a
}

func (s *Server) anomalyDetail(i *watch.Incident, role token.Role) AnomalyDetail {
	d := AnomalyDetail{Anomaly: s.anomaly(i, role), Changes: make([]AnomalyChange, 0, len(i.Changes)), ChangeCount: i.Changed}
	for _, c := range i.Changes {
		d.Changes = append(d.Changes, AnomalyChange{At: s.at(c.At), What: c.What, By: TextOrNull(c.By), Note: TextOrNull(c.Note)})
	}
	return d
}

func ruleNames() []string {
	names := make([]string, len(watch.Rules))
	for i, rule := range watch.Rules {
		names[i] = string(rule)
	}
	return names
}

func stateNames() []string {
	names := make([]string, len(watch.States))
	for i, state := range watch.States {
		names[i] = string(state)
	}
	return names
}

func anomalyRoutes() []*route {
	return []*route{
		{
			Method: http.MethodGet, Path: "/v1/anomalies", Name: "listAnomalies", Tag: "anomalies", Roles: roles(dishub, bapenda, auditor, admin),
			Summary: "What is or was wrong, the newest first",
			Doc: "Roles bapenda and auditor see anomalies of money, dishub those that are not of money. `from` and `to` are of `opened_at`. " +
				"Every reading is logged.",
			Formats: sheets, Answer: typeOf[List[Anomaly]](), Handle: (*Server).anomalies, Logged: anomaliesOfMoney,
			Params: join([]param{
				{Name: "rule", Enum: ruleNames()},
				{Name: "state", Enum: stateNames()},
				{Name: "site"},
				{Name: "device"},
				{Name: "from", Type: isMoment, Doc: "begin, inclusive: RFC 3339 with zone, or a day; default: the oldest"},
				{Name: "to", Type: isMoment, Doc: "end, exclusive; default: the newest"},
			}, pageParams()),
		},
		{
			Method: http.MethodGet, Path: "/v1/anomalies/{id}", Name: "getAnomaly", Tag: "anomalies", Roles: roles(dishub, bapenda, auditor, admin),
			Summary: "One anomaly with its history", Params: []param{pathID("id of an anomaly")}, Answer: typeOf[AnomalyDetail](),
			Handle: (*Server).oneAnomaly, Logged: anomaliesOfMoney, Problem: []int{http.StatusNotFound},
		},
		{
			Method: http.MethodGet, Path: "/v1/anomalies/{id}/chart.svg", Name: "getAnomalyChart", Tag: "anomalies", Roles: roles(dishub, bapenda, auditor, admin),
			Summary: "What was seen, as a picture", Doc: "With the band of what was expected where a baseline saw it; else what the device sent in the hours around the opening, receipts never.",
			Media: "image/svg+xml", Params: []param{pathID("id of an anomaly")}, Handle: (*Server).anomalyChart, Problem: []int{http.StatusNotFound},
		},
		{
			Method: http.MethodPost, Path: "/v1/anomalies/{id}/ack", Name: "acknowledgeAnomaly", Tag: "anomalies", Roles: roles(dishub, bapenda, admin),
			Summary: "Say that a person knows of it", Doc: "The first stays: twice is once. Kept with the token's id; it closes nothing.",
			Params: []param{pathID("id of an anomaly")}, Body: typeOf[NewAcknowledgment](), Bare: true, Answer: typeOf[AnomalyDetail](),
			Handle: (*Server).acknowledge, Problem: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
		},
	}
}
