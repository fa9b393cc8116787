package api

import (
	"log/slog"
	"net/http"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/token"
)

func unprocessable(field, detail string) error {
	return problem(http.StatusUnprocessableEntity, field+": "+detail, city.FieldError{Field: field, Detail: detail})
}

// updateComplaint serves POST /v1/complaints/{id}/updates.
func (s *Server) updateComplaint(w http.ResponseWriter, q *request) error {
	var said NewComplaintUpdate
	if err := readBody(q, &said); err != nil {
		return err
	}
	c, err := s.ownComplaint(q)
	if err != nil {
		return err
	}
	if err := s.mayUpdate(q, &c, &said); err != nil {
		return err
	}
	now := q.now.UnixMilli()
	switch said.Delivery {
	case "":
		c, _, err = s.Complaints.Update(q.Context(), now, c.ID, complaint.NewUpdate{
			State: complaint.State(said.Status), Status: complaint.Status(said.Open311Status), Text: said.Text, Hidden: said.Hidden, By: q.token.ID,
			Of: said.DuplicateOf, Agency: said.Agency,
		})
	case "resend":
		if err = s.Complaints.Resend(q.Context(), now, c.ID, q.token.ID); err == nil {
			c, err = s.Complaints.Complaint(q.Context(), c.ID)
		}
	default:
		if err = s.Complaints.FiledByHand(q.Context(), now, c.ID, said.TheirID, q.token.ID); err == nil {
			c, err = s.Complaints.Complaint(q.Context(), c.ID)
		}
	}
	if err != nil {
		return err
	}
	s.access(q, "a complaint was updated", slog.String("complaint", c.ID), slog.String("status", said.Status))
	return s.writeComplaint(w, q, &c)
}

// mayUpdate tells what a role may not do, and what does not go together.
func (s *Server) mayUpdate(q *request, c *complaint.Complaint, said *NewComplaintUpdate) error {
	if said.Delivery != "" {
		if said.Delivery != "resend" && said.Delivery != "filed" {
			return unprocessable("delivery", "must be one of resend, filed")
		}
		if said.Status+said.Text+said.Agency+said.DuplicateOf+said.Open311Status != "" {
			return unprocessable("delivery", "stands alone: send the rest in another update")
		}
	}
	if said.TheirID != "" && said.Delivery != "filed" {
		return unprocessable("their_id", "goes with delivery filed only")
	}
	if said.DuplicateOf != "" {
		other, err := s.Complaints.Complaint(q.Context(), said.DuplicateOf)
		mine := scopeOf(q.token)
		if city.KindOf(err) == city.KindNotFound || err == nil && !mine.sees(&other) {
			return unprocessable("duplicate_of", "there is no such complaint, or it is not yours")
		}
		if err != nil {
			return err
		}
	}
	if !mayAct(q.token, c) {
		return problem(http.StatusForbidden, "complaints about money of "+c.Agency+" are for role "+c.Agency+", which sees their figures")
	}
	return nil
}

// mayAct tells whether a token that sees a complaint may act on it. Where an
// office has a role of its own that sees the figures of money, no other confirms
// what is about them; else its officers, role agency, do all for it.
func mayAct(t *token.Token, c *complaint.Complaint) bool {
	return t.Role != token.Agency || !c.Money || c.Agency != string(token.Bapenda)
}
