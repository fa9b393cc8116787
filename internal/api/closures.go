package api

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// Closure is a time at which a place or road is closed, whole or in part.
type Closure struct {
	ID         string     `json:"id"`
	Site       TextOrNull `json:"site"`
	Segment    TextOrNull `json:"segment"`
	From       Time       `json:"from"`
	To         TimeOrNull `json:"to" doc:"null: until it is taken back"`
	Reason     string     `json:"reason" enum:"flood,event,works,cfd"`
	PlacesLost city.Int   `json:"places_lost" doc:"null: the whole place"`
	Note       TextOrNull `json:"note" doc:"for the public"`
	Source     string     `json:"source" enum:"file,api"`

	from int64
}

// NewClosure is a closure as it is set.
type NewClosure struct {
	Site       string `json:"site,omitempty" doc:"id of a site, or"`
	Segment    string `json:"segment,omitempty" doc:"id of a segment"`
	From       string `json:"from" format:"date-time"`
	To         string `json:"to,omitempty" format:"date-time" doc:"absent: until it is taken back"`
	Reason     string `json:"reason" enum:"flood,event,works,cfd"`
	PlacesLost *int64 `json:"places_lost,omitempty" minimum:"1" doc:"absent: the whole place"`
	Note       string `json:"note,omitempty" maxLength:"500" doc:"shown to the public: no personal data"`
}

const (
	ahead    = 30 * 24 * time.Hour  // how far repeating closures are told
	farAhead = 800 * 24 * time.Hour // how far others are
)

// closures serves /v1/closures: what is closed or will be.
func (s *Server) closures(w http.ResponseWriter, q *request) error {
	all := s.fileClosures(s.board.Load().version, q.now)
	for _, c := range s.Gate.Closures() {
		if c.Until != 0 && c.Until <= q.now.UnixMilli() {
			continue
		}
		all = append(all, s.closure(&c))
	}
	slices.SortFunc(all, func(a, b Closure) int {
		return cmp.Or(cmp.Compare(a.from, b.from), strings.Compare(a.ID, b.ID))
	})
	key := func(c Closure) string { return fmt.Sprintf("%016x %s", c.from, c.ID) }
	items, next := firstPage(pageAfter(q, all, key), q.limit(), key)
	if q.format() == "json" {
		writeJSON(w, q, http.StatusOK, List[Closure]{append([]Closure{}, items...), next})
		return nil
	}
	linkNext(w, q, next)
	t := &table{name: "closures", columns: []string{"id", "site", "segment", "from", "to", "reason", "places_lost", "note", "source"}}
	for _, c := range items {
		t.add(c.ID, string(c.Site), string(c.Segment), string(c.From), string(c.To), c.Reason, cellInt(c.PlacesLost), string(c.Note), c.Source)
	}
	return s.writeTable(w, q, t, aWhile, "")
}

// closure shows one that was set over the API; who set it stays inside.
func (s *Server) closure(c *journal.Closure) Closure {
	return Closure{
		ID: c.ID, Site: TextOrNull(c.Site), Segment: TextOrNull(c.Segment), From: s.at(c.From), To: s.atOrNull(c.Until),
		Reason: c.Reason, PlacesLost: c.PlacesLost, Note: TextOrNull(c.Note), Source: "api", from: c.From,
	}
}

// fileClosures returns those of closures.csv that are not over: each
// repetition that begins within ahead for itself.
func (s *Server) fileClosures(v *inventory.Version, now time.Time) []Closure {
	repeats := map[string]bool{}
	for i := range v.Closures {
		repeats[v.Closures[i].ID] = v.Closures[i].RRule != ""
	}
	var all []Closure
	soon := now.Add(ahead).UnixMilli()
	for _, c := range inventory.NewClosureSet().All(v, now.UnixMilli(), now.Add(farAhead).UnixMilli()) {
		id := c.ID
		if repeats[c.ID] {
			if c.From > soon {
				continue
			}
			id += "@" + s.day(c.From)
		}
		all = append(all, Closure{
			ID: id, Site: TextOrNull(c.Site), Segment: TextOrNull(c.Segment), From: s.at(c.From), To: s.atOrNull(c.To),
			Reason: c.Reason, PlacesLost: c.PlacesLost, Note: TextOrNull(c.Note), Source: "file", from: c.From,
		})
	}
	return all
}

// closeDown serves POST /v1/closures.
func (s *Server) closeDown(w http.ResponseWriter, q *request) error {
	var asked NewClosure
	if err := readBody(q, &asked); err != nil {
		return err
	}
	c, err := s.checkClosure(&asked, q)
	if err != nil {
		return err
	}
	set, created, err := s.Gate.Close(q.Context(), c)
	if err != nil {
		return err
	}
	s.poke()
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	w.Header().Set("Location", "/v1/closures/"+set.ID)
	writeJSON(w, q, status, s.closure(&set))
	return nil
}

var closureReasons = []string{"flood", "event", "works", "cfd"}

// checkClosure tells every fault of a closure at once.
func (s *Server) checkClosure(n *NewClosure, q *request) (journal.Closure, error) {
	var faults []city.FieldError
	add := func(field, detail string) { faults = append(faults, city.FieldError{Field: field, Detail: detail}) }
	v := s.Inventory.Current() // the board shows it up to a second later
	if v == nil {
		return journal.Closure{}, &city.Error{Kind: city.KindUnavailable, Message: "the gateway begins and has no inventory yet: send it again in a moment"}
	}
	c := journal.Closure{Site: n.Site, Segment: n.Segment, Reason: n.Reason, Note: n.Note, By: q.token.ID}
	if (n.Site == "") == (n.Segment == "") {
		add("site", "name either a site or a segment")
	}
	site := v.Site(n.Site)
	if n.Site != "" && site == nil {
		add("site", "there is no such site")
	}
	if n.Segment != "" && v.Segment(n.Segment) == nil {
		add("segment", "there is no such segment")
	}
	read := func(field, raw string) (ms int64) {
		ms, fault := s.moment(raw)
		if fault != "" {
			add(field, fault)
		}
		return ms
	}
	c.From = read("from", n.From)
	if n.To != "" {
		if c.Until = read("to", n.To); c.Until != 0 && c.Until <= c.From {
			add("to", "must lie after from")
		}
	}
	if !slices.Contains(closureReasons, n.Reason) {
		add("reason", oneOf(closureReasons))
	}
	if len(n.Note) > 500 {
		add("note", "must have 500 bytes at most")
	}
	if n.PlacesLost != nil {
		c.PlacesLost = city.SomeInt(*n.PlacesLost)
		if *n.PlacesLost < 1 {
			add("places_lost", "must be 1 or more; leave it out where the whole place is closed")
		}
	}
	if len(faults) > 0 {
		return c, problem(http.StatusUnprocessableEntity, faults[0].Field+": "+faults[0].Detail, faults...)
	}
	return c, nil
}

// reopen serves DELETE /v1/closures/{id}.
func (s *Server) reopen(w http.ResponseWriter, q *request) error {
	if err := s.Gate.Reopen(q.Context(), q.text("id"), q.token.ID); err != nil {
		return err
	}
	s.poke()
	w.WriteHeader(http.StatusNoContent)
	return nil
}
