package api

import (
	"net/http"

	"github.com/simpang-id/simpang/internal/report"
)

// reportForms are the formats of reports: data, workbook, a page to print, and
// the metadata file of the data set.
var reportForms = []string{"csv", "xlsx", "html", "metadata"}

func reportRoutes() []*route {
	return []*route{
		{
			Method: http.MethodGet, Path: "/v1/revenue/reconciliation", Name: "getReconciliation", Tag: "revenue", Roles: roles(bapenda, auditor, admin),
			Summary: "Expected, recorded, declared, due, settled and deposited side by side, a site a row",
			Doc: "`leak_1` = expected - recorded of the classes that sensors see, an interval of nine chances in ten; it is sure where even its low end is above 0. " +
				"`leak_2` = due - settled - deposited of what is overdue; null where credits name no site and day: `periods` have it then. " +
				"PBJT is owed by the month: days show null.",
			Formats: reportForms, Answer: typeOf[Reconciliation](), Handle: (*Server).reconciliation, Logged: always, Problem: []int{http.StatusNotFound, http.StatusServiceUnavailable},
			Params: join([]param{
				{Name: "date", Type: isDay, Doc: "day in the city's zone; default yesterday"},
				{Name: "site", Doc: "only this site, with more evidence"},
			}, pageParams()),
		},
		{
			Method: http.MethodGet, Path: "/v1/revenue/statements/{operator}", Name: "getStatement", Tag: "revenue", Roles: roles(bapenda, auditor, operator, admin),
			Summary: "Draft of an operator's SPTPD of a month, with what was paid and the late interest",
			Doc: "Interest: 1 % a month of what was paid late or is unpaid (rules.yaml), part of a month counting whole, 24 months at most, each part rounded half up. " +
				"Both views are told in `known` and `filed`; the rest is of the one that is asked for. Role operator sees its own.",
			Formats: reportForms, Answer: typeOf[Statement](), Handle: (*Server).statement, Logged: always, Problem: []int{http.StatusNotFound, http.StatusServiceUnavailable},
			Params: []param{
				{Name: "operator", Doc: "id of an operator", Required: true, Path: true},
				{Name: "month", Doc: "masa pajak, YYYY-MM; default last month"},
				viewParam(),
			},
		},
		{
			Method: http.MethodGet, Path: "/v1/revenue/realisasi", Name: "getRealisasi", Tag: "revenue", Roles: roles(bapenda, auditor, executive, admin),
			Summary: "A year against its targets, with what it will bring",
			Doc: "Realized are credits by the day on which they came. The projection knows no season: it is an interval of nine chances in ten if the months to come are like those " +
				"that are over, and null before three are. Role executive sees no PBJT cell of fewer than three taxpayers.",
			Formats: reportForms, Answer: typeOf[Realisasi](), Handle: (*Server).realisasi, Logged: toldWhole, Problem: []int{http.StatusServiceUnavailable},
			Params: []param{
				{Name: "year", Type: isWhole, Min: 2000, Max: 2200, Doc: "default this year"},
				{Name: "by", Enum: report.By, Default: "month"},
				{Name: "group", Enum: report.Groups, Default: "account"},
				{Name: "budget", Enum: []string{"murni", "perubahan"}, Doc: "default perubahan where there is one, else murni"},
			},
		},
	}
}
