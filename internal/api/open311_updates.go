package api

import (
	"net/http"
	"strconv"

	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/open311"
	"github.com/simpang-id/simpang/internal/token"
)

// updates311 serves GET /open311/v2/servicerequestupdates.
func (s *Server) updates311(w http.ResponseWriter, q *request) error {
	v := values311(q)
	if _, err := s.open311Of(v); err != nil {
		return err
	}
	sp, err := s.span311(v, q.now)
	if err != nil {
		return err
	}
	page, err := s.page311(v)
	if err != nil {
		return err
	}
	var list []complaint.Update
	after := int64(0)
	for n := 1; n <= page.number; n++ {
		if list, err = s.Open311.Reports.Updates(q.Context(), sp.from, sp.to, after, page.size, true); err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		after = list[len(list)-1].ID
	}
	shown := make([]open311.Update, len(list))
	for i := range list {
		u := &list[i]
		shown[i] = open311.Update{
			ID: strconv.FormatInt(u.ID, 10), RequestID: u.Complaint, Status: string(u.Status), Description: scrub(u.Text), Updated: u.At, External: string(u.State),
		}
	}
	return s.write311(w, q, func(wr open311.Writer) ([]byte, error) { return wr.Updates(shown) })
}

// stateOf311 returns the state that a word of the updates extension brings a
// complaint to, "" where it stays: clients repeat the word of the present state
// with each comment.
func stateOf311(status string, c *complaint.Complaint) complaint.State {
	state, _ := complaint.StateOf(complaint.Status(status))
	switch {
	case state == complaint.StateReceived && !c.State.Open():
		return complaint.StateVerified
	case state == complaint.StateReceived, state == c.State,
		state == complaint.StateVerified && c.State == complaint.StateInProgress,
		status == open311.StatusReopen && c.State == complaint.StateReceived:
		return ""
	}
	return state
}

// update311 serves POST /open311/v2/servicerequestupdates. The same update_id
// of a request twice is once.
func (s *Server) update311(w http.ResponseWriter, q *request) error {
	if _, err := form311(q); err != nil {
		return err
	}
	v := values311(q)
	if _, err := s.open311Of(v); err != nil {
		return err
	}
	key, err := s.keyOf311(q, v)
	if err != nil {
		return err
	}
	u, faults := open311.ParseUpdate(v, s.zone)
	if len(faults) > 0 {
		return faultsOf(faults)
	}
	c, err := s.Open311.Reports.Complaint(q.Context(), u.RequestID)
	if err != nil {
		return err
	}
	if !acts311(key, &c) {
		if !c.Public || c.Money {
			return fault(http.StatusNotFound, "service_request_id "+cut(u.RequestID)+" was not found")
		}
		return fault(http.StatusForbidden, "this api_key may not act on "+c.ID+": its agency may")
	}
	state := stateOf311(u.Status, &c)
	_, done, err := s.Open311.Reports.Update(q.Context(), q.now.UnixMilli(), c.ID, complaint.NewUpdate{
		State: state, Status: complaint.Status(u.Status), Text: u.Description, By: key.ID, Theirs: "311 " + c.ID + "/" + u.ID, Media: u.MediaURL,
		Through: true,
	})
	if err != nil {
		return err
	}
	made := open311.Updated{ID: strconv.FormatInt(done.ID, 10)}
	return s.write311(w, q, func(wr open311.Writer) ([]byte, error) { return wr.Updated(made) })
}

// acts311 tells whether a key may act on a complaint: admin on all, the others
// on those of their agency; those of money only Bapenda's.
func acts311(key *token.Token, c *complaint.Complaint) bool {
	agency := key.Agency
	switch key.Role {
	case token.Admin:
		return true
	case token.Dishub, token.Bapenda:
		if agency == "" {
			agency = string(key.Role)
		}
	case token.Agency:
	default:
		return false
	}
	return agency == c.Agency && (!c.Money || agency == string(token.Bapenda)) && mayAct(key, c)
}
