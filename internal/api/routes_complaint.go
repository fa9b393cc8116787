package api

import (
	"net/http"
	"slices"

	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/token"
)

func complaintStates() []string {
	names := make([]string, len(complaint.States))
	for i, state := range complaint.States {
		names[i] = string(state)
	}
	return names
}

func complaintSources() []string {
	names := make([]string, len(complaint.Sources))
	for i, source := range complaint.Sources {
		names[i] = string(source)
	}
	return names
}

func deliveryNames() []string {
	names := make([]string, len(complaint.Deliverings))
	for i, state := range complaint.Deliverings {
		names[i] = string(state)
	}
	return names
}

func complaintRoutes() []*route {
	readers := roles(dishub, bapenda, auditor, token.Agency, admin)
	return []*route{
		{
			Method: http.MethodGet, Path: "/v1/complaints", Name: "listComplaints", Tag: "complaints", Roles: readers,
			Summary: "Complaints of the token's agency, the newest first",
			Doc: "Role dishub never sees those of money, role auditor those of bapenda, role admin all. `from` and `to` are of `received_at`. " +
				"CSV, workbook and the page to print are for manual entry elsewhere; they name no reporter. Every reading is logged.",
			Formats: append(slices.Clone(sheets), "html"), Answer: typeOf[List[Complaint]](), Handle: (*Server).complaints,
			Params: join([]param{
				{Name: "agency", Doc: "id in agencies.yaml"},
				{Name: "state", Type: isList, Enum: complaintStates(), Doc: "one or several, with commas"},
				{Name: "service", Doc: "code in agencies.yaml"},
				{Name: "source", Enum: complaintSources()},
				{Name: "site", Doc: "only those about this site"},
				{Name: "delivery", Type: isList, Enum: deliveryNames(), Doc: "how the sending to the city's system stands: one or several, with commas"},
				{Name: "overdue", Type: isFlag, Doc: "true: only those whose present deadline has passed"},
				{Name: "from", Type: isMoment, Doc: "begin, inclusive: RFC 3339 with zone, or a day; default: the oldest"},
				{Name: "to", Type: isMoment, Doc: "end, exclusive; default: the newest"},
			}, pageParams()),
		},
		{
			Method: http.MethodGet, Path: "/v1/complaints/{id}", Name: "getComplaint", Tag: "complaints", Roles: readers,
			Summary: "One complaint with its history and what it may be a duplicate of", Params: []param{pathID("id of a complaint")},
			Doc: "Also as a page to print, with what the sensors saw and the reporter's photos.", Formats: []string{"html"},
			Answer: typeOf[ComplaintDetail](), Handle: (*Server).oneComplaint, Problem: []int{http.StatusNotFound},
		},
		{
			Method: http.MethodPost, Path: "/v1/complaints/{id}/updates", Name: "updateComplaint", Tag: "complaints", Roles: roles(dishub, bapenda, token.Agency, admin),
			Summary: "Verify, hand on, answer, close, reject, reopen a complaint, or add a note",
			Doc: "received to verified, rejected or duplicate; verified to in_progress, answered, rejected or duplicate; in_progress to answered, rejected or duplicate; " +
				"answered to closed; with verified an answered or ended one is reopened. What the sensors saw end may be closed from any open status. " +
				"Role agency acts on its own as dishub and bapenda do on theirs; those about money of bapenda are for role bapenda, which sees the figures.",
			Params: []param{pathID("id of a complaint")}, Body: typeOf[NewComplaintUpdate](), Answer: typeOf[ComplaintDetail](),
			Handle: (*Server).updateComplaint, Problem: []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
		},
		{
			Method: http.MethodGet, Path: "/v1/outbox", Name: "getOutbox", Tag: "complaints", Roles: roles(dishub, bapenda, executive, admin),
			Summary: "How the passing on of complaints to the city's own system stands", Doc: "Counts of all agencies; /v1/complaints?delivery=unsure,refused names them.",
			Answer: typeOf[Outbox](), Handle: (*Server).outbox,
		},
		{
			Method: http.MethodGet, Path: "/v1/monev", Name: "getMonev", Tag: "complaints", Roles: roles(dishub, bapenda, auditor, token.Agency, executive, admin),
			Summary: "E-Monev: how each agency handled the complaints that it received in a month",
			Doc: "Roles executive and admin see every agency, others their own, dishub without those of money. Beside it realisasi against target of the accounts that the agency collects, " +
				"by the rules of /v1/revenue/realisasi; none for role agency. What an office spends is not known here.",
			Formats: reportForms, Answer: typeOf[Monev](), Handle: (*Server).monev, Problem: []int{http.StatusServiceUnavailable},
			Params: []param{{Name: "month", Doc: "YYYY-MM in the city's zone; default this month"}},
		},
	}
}
