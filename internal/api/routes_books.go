package api

import (
	"net/http"

	"github.com/simpang-id/simpang/internal/journal"
)

// booksRoutes are what staff write into the books, and who read money.
func booksRoutes() []*route {
	list := linesRoutes[NewDeposit, Deposit](journal.TypeDeposit, "deposits", "Deposit", "credits that the treasury or a settlement file confirms",
		"net is gross - fee. `from` and `to` are of credited_on.", func(s Standing, n NewDeposit) Deposit { return Deposit{s, n} })
	list = append(list, linesRoutes[NewKarcis, Karcis](journal.TypeKarcis, "karcis", "Karcis", "series of karcis by ranges of numbers",
		"A sold karcis is a claim, no proof of a stay. What is sold, void or returned was issued before, each number once.",
		func(s Standing, n NewKarcis) Karcis { return Karcis{s, n} })...)
	list = append(list, linesRoutes[NewHandover, Handover](journal.TypeHandover, "handovers", "Handover", "cash that went from hand to hand",
		"`from` and `to` are of handed_on.", func(s Standing, n NewHandover) Handover { return Handover{s, n} })...)
	list = append(list, &route{
		Method: http.MethodGet, Path: "/v1/revenue/handovers/differences", Name: "listHandoverDifferences", Tag: "revenue", Roles: roles(bapenda, auditor, admin),
		Summary: "What each hand took in and gave on", Formats: reportForms, Answer: typeOf[List[HandDifference]](), Handle: (*Server).hands, Logged: always,
		Doc: "By the day on which the money was collected, hand after hand: attendant (sold karcis against what a collector got), collector, treasurer; " +
			"and each STS against its deposit.",
		Params: join([]param{
			{Name: "from", Type: isDay, Doc: "first day; default 31 days before `to`"},
			{Name: "to", Type: isDay, Doc: "last day, exclusive; default tomorrow"},
		}, pageParams()),
	})
	list = append(list, linesRoutes[NewDeclaration, Declaration](journal.TypeDeclaration, "declarations", "Declaration", "filed SPTPD",
		"A second one of the same taxpayer, object and period names what it corrects. `from` and `to` are of the period's first day.",
		func(s Standing, n NewDeclaration) Declaration { return Declaration{s, n} })...)
	return append(list, linesRoutes[NewClose, Close](journal.TypeClose, "closes", "Close", "closed periods",
		"What comes for a closed month later is filed with the next open month (view=filed). No close is taken back.",
		func(s Standing, n NewClose) Close { return Close{s, n} })...)
}

// linesRoutes are the two routes of a type of line.
func linesRoutes[T, D any, P newLine[T]](t journal.Type, path, name, what, doc string, with func(Standing, T) D) []*route {
	logged := always
	if t == journal.TypeClose {
		logged = nil // it holds no money
	}
	return []*route{
		{
			Method: http.MethodPost, Path: "/v1/revenue/" + path, Name: "book" + name, Tag: "revenue", Roles: roles(bapenda, admin),
			Summary: "Book " + what, Sheet: true, Body: typeOf[T](), Answer: typeOf[BookedLines](), Status: http.StatusCreated, Also: http.StatusOK,
			Doc: "A JSON object, an array of them, or CSV (`,` or `;`); all lines are booked or none, 2,000 at most. 200: every line is known, word for word. " +
				"409: a reference has other content. 503: sending the same again is safe. " + doc,
			Handle: booking[T, P]{t}.handle, Problem: []int{http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
		},
		{
			Method: http.MethodGet, Path: "/v1/revenue/" + path, Name: "list" + name, Tag: "revenue", Roles: roles(bapenda, auditor, admin),
			Summary: "Booked: " + what, Doc: "In the order in which they were booked.", Formats: sheets, Answer: typeOf[List[D]](), Logged: logged,
			Handle: listing[T, D, P]{t, path, with}.handle, Problem: []int{http.StatusServiceUnavailable},
			Params: join([]param{
				{Name: "reference", Doc: "only this one"},
				{Name: "from", Type: isDay, Doc: "first day"},
				{Name: "to", Type: isDay, Doc: "last day, exclusive"},
			}, pageParams()),
		},
	}
}
