package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// QuarantineItem is a message that was set aside.
type QuarantineItem struct {
	ID         int64      `json:"id"`
	ReceivedAt Time       `json:"received_at" doc:"first receive time; a retry keeps it"`
	Source     string     `json:"source"`
	Device     TextOrNull `json:"device"`
	Topic      TextOrNull `json:"topic"`
	Index      int        `json:"index" doc:"place in the message's array"`
	Reason     string     `json:"reason"`
	Detail     string     `json:"detail"`
	Seq        city.Uint  `json:"seq"`
	Retried    bool       `json:"retried"`
	Verdict    TextOrNull `json:"verdict" doc:"what came of the retry"`
}

// Retried is what became of a message that was offered again.
type Retried struct {
	ID      int64      `json:"id"`
	Verdict string     `json:"verdict" enum:"accepted,duplicate,refused"`
	Reason  TextOrNull `json:"reason" doc:"why it was refused again"`
	Detail  TextOrNull `json:"detail"`
}

// Agency is an office of the city; no private persons.
type Agency struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	PIC      TextOrNull `json:"pic" doc:"an office's title"`
	Duties   []string   `json:"duties"`
	Services []string   `json:"services"`
	Contact  TextOrNull `json:"contact"`
	Handles  []Handled  `json:"handles" doc:"kinds of complaint that go to it, but for places of their own"`
}

// Handled is a kind of complaint.
type Handled struct {
	Code   string     `json:"code"`
	Name   string     `json:"name"`
	NameEN TextOrNull `json:"name_en"`
	Public bool       `json:"public" doc:"citizens may report it"`
}

// Reloaded is what a reload did.
type Reloaded struct {
	Changed bool     `json:"changed" doc:"false: the files are the same as before"`
	Hash    string   `json:"hash" doc:"of the inventory that holds now"`
	Restart []string `json:"restart" doc:"settings that changed and hold only after a restart"`
}

// ClockAccepted says that the machine's clock was accepted.
type ClockAccepted struct {
	Now Time `json:"now"`
}

func joinWords(words []string) string { return strings.Join(words, " ") }

// quarantineList serves /v1/quarantine.
func (s *Server) quarantineList(w http.ResponseWriter, q *request) error {
	f := journal.Filter{Device: q.text("device"), Reason: city.Reason(q.text("reason")), Pending: q.args.get("pending").flag}
	after := int64(0)
	if cursor := q.text("cursor"); cursor != "" {
		var err error
		if after, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return badParameter("cursor", "must be what `next` said")
		}
	}
	found, err := s.Quarantine.List(q.Context(), f, after, q.limit()+1)
	if err != nil {
		return err
	}
	found, next := firstPage(found, q.limit(), func(i journal.Item) string { return strconv.FormatInt(i.ID, 10) })
	list := List[QuarantineItem]{Items: make([]QuarantineItem, 0, len(found)), Next: next}
	t := &table{name: "quarantine", columns: []string{"id", "received_at", "source", "device", "topic", "index", "reason", "detail", "seq", "retried", "verdict"}}
	for _, i := range found {
		list.Items = append(list.Items, QuarantineItem{
			ID: i.ID, ReceivedAt: s.at(i.Recv), Source: i.Source, Device: TextOrNull(i.Device), Topic: TextOrNull(i.Topic), Index: i.Index,
			Reason: string(i.Reason), Detail: i.Detail, Seq: city.BitsOf(i.Seq), Retried: i.Retried, Verdict: TextOrNull(i.Verdict),
		})
		t.add(i.ID, string(s.at(i.Recv)), i.Source, i.Device, i.Topic, int64(i.Index), string(i.Reason), i.Detail, cellUint(city.BitsOf(i.Seq)), i.Retried, i.Verdict)
	}
	if q.format() == "json" {
		writeJSON(w, q, http.StatusOK, list)
		return nil
	}
	linkNext(w, q, next)
	return s.writeTable(w, q, t, notStored, "")
}

// retry serves POST /v1/quarantine/{id}/retry.
func (s *Server) retry(w http.ResponseWriter, q *request) error {
	id := q.args.get("id").whole
	result, err := s.Gate.Retry(q.Context(), id, q.token.ID)
	if err != nil {
		return err
	}
	writeJSON(w, q, http.StatusOK, Retried{ID: id, Verdict: result.Verdict, Reason: TextOrNull(result.Reason), Detail: TextOrNull(result.Detail)})
	return nil
}

// agencies serves /v1/agencies.
func (s *Server) agencies(w http.ResponseWriter, q *request) error {
	v := s.board.Load().version
	all := v.Agencies
	list := List[Agency]{Items: make([]Agency, 0, len(all))}
	t := &table{name: "agencies", columns: []string{"id", "name", "pic", "duties", "services", "contact", "handles"}}
	for _, a := range all {
		list.Items = append(list.Items, Agency{
			ID: a.ID, Name: a.Name, PIC: TextOrNull(a.PIC), Duties: orEmpty(a.Duties), Services: orEmpty(a.Services), Contact: TextOrNull(a.Contact),
			Handles: handledBy(v, a.ID),
		})
	}
	key := func(a Agency) string { return a.ID }
	list.Items, list.Next = firstPage(pageAfter(q, list.Items, key), q.limit(), key)
	if q.format() == "json" {
		writeJSON(w, q, http.StatusOK, list)
		return nil
	}
	for _, a := range list.Items {
		t.add(a.ID, a.Name, string(a.PIC), joinWords(a.Duties), joinWords(a.Services), string(a.Contact), joinWords(codesOf(a.Handles)))
	}
	linkNext(w, q, list.Next)
	return s.writeTable(w, q, t, aWhile, "")
}

func codesOf(list []Handled) []string {
	codes := make([]string, len(list))
	for i := range list {
		codes[i] = list[i].Code
	}
	return codes
}

func handledBy(v *inventory.Version, agency string) []Handled {
	list := []Handled{}
	for i := range v.Services {
		if s := &v.Services[i]; s.Agency == agency {
			list = append(list, Handled{s.Code, s.Name, TextOrNull(s.NameEN), s.Public})
		}
	}
	return list
}

// reload serves POST /v1/admin/reload.
func (s *Server) reload(w http.ResponseWriter, q *request) error {
	result, err := s.Gate.Reload(q.Context(), q.token.ID)
	if err != nil {
		return err
	}
	s.poke()
	writeJSON(w, q, http.StatusOK, Reloaded{Changed: result.Changed, Hash: result.Hash, Restart: orEmpty(result.Restart)})
	return nil
}

// acceptClock serves POST /v1/admin/clock.
func (s *Server) acceptClock(w http.ResponseWriter, q *request) error {
	if err := s.Gate.AcceptClock(q.Context(), q.token.ID); err != nil {
		return err
	}
	writeJSON(w, q, http.StatusOK, ClockAccepted{Now: s.at(q.now.UnixMilli())})
	return nil
}
