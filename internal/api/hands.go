package api

import (
	"net/http"
	"time"

	"github.com/simpang-id/simpang/internal/ledger"
)

// HandDifference is what a hand took in and what it gave on. Rupiah.
type HandDifference struct {
	Date       TextOrNull `json:"date" format:"date" doc:"day on which the money was collected; null for an STS, which may be of many"`
	Stage      string     `json:"stage" enum:"attendant,collector,treasurer,sts"`
	Holder     string     `json:"holder" doc:"id of the hand; of an STS its reference"`
	Received   int64      `json:"received" doc:"attendant: karcis sold; sts: handed over for it"`
	Passed     int64      `json:"passed" doc:"given on; sts: credited"`
	Difference int64      `json:"difference" doc:"received - passed"`
}

// hands serves /v1/revenue/handovers/differences.
func (s *Server) hands(w http.ResponseWriter, q *request) error {
	const span = 31
	to := s.today(q.now).AddDate(0, 0, 1)
	if q.given("to") {
		to = time.UnixMilli(q.args.get("to").whole).In(s.zone)
	}
	from := to.AddDate(0, 0, -span)
	if q.given("from") {
		from = time.UnixMilli(q.args.get("from").whole).In(s.zone)
	}
	switch {
	case from.After(to):
		return badParameter("from", "lies after to")
	case from.AddDate(0, 0, maxDays).Before(to):
		return badParameter("from", "asks for more than 400 days")
	}
	all, err := s.Books.Hops(q.Context(), from.Format(time.DateOnly), to.Format(time.DateOnly))
	if err != nil {
		return err
	}
	if q.format() != "json" {
		return s.writeSheet(w, q, s.handsSheet(from.Format(time.DateOnly), to.Format(time.DateOnly), all))
	}
	key := func(h ledger.Hop) string { return h.Key() }
	page, next := firstPage(pageAfter(q, all, key), q.limit(), key)
	list := List[HandDifference]{Items: make([]HandDifference, 0, len(page)), Next: next}
	for _, h := range page {
		list.Items = append(list.Items, HandDifference{
			Date: TextOrNull(h.Date), Stage: h.Stage, Holder: h.Holder, Received: int64(h.Received), Passed: int64(h.Passed), Difference: int64(h.Received - h.Passed),
		})
	}
	writeJSON(w, q, http.StatusOK, list)
	return nil
}
