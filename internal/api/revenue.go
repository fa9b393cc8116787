package api

import (
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/token"
)

// Account is one kode rekening of one year, the whole city. Rupiah.
type Account struct {
	Account      string     `json:"account"`
	Name         string     `json:"name"`
	Target       city.Int   `json:"target" doc:"null: none is set"`
	Recorded     city.Int   `json:"recorded" doc:"null: suppressed"`
	Due          city.Int   `json:"due" doc:"levy owed on what was recorded"`
	InSettlement city.Int   `json:"in_settlement" doc:"paid without cash and not yet covered by a credit"`
	Realized     city.Int   `json:"realized" doc:"credits confirmed by the treasury"`
	Percent      city.Milli `json:"percent" doc:"realized of target, per cent"`
	Remaining    city.Int   `json:"remaining" doc:"target - realized"`
	Suppressed   bool       `json:"suppressed" doc:"a figure of PBJT of fewer than three taxpayers is not told"`
	Withheld     bool       `json:"withheld" doc:"credits of one or two taxpayers of PBJT have come since: realized and in_settlement are those before them"`
}

// RevenueSummary is a year's accounts.
type RevenueSummary struct {
	Year     int       `json:"year"`
	Accounts []Account `json:"accounts"`
}

// DailyRevenue is one day of one group. Rupiah.
type DailyRevenue struct {
	Date     string     `json:"date" format:"date"`
	Key      string     `json:"key" doc:"the site, operator, kecamatan, account, class or method"`
	Name     TextOrNull `json:"name"`
	Receipts int64      `json:"receipts" doc:"counted receipts less voids"`
	Voids    int64      `json:"voids"`
	Recorded int64      `json:"recorded"`
	Due      int64      `json:"due"`
	DueKnown bool       `json:"due_known" doc:"false: a part has no rate, and due is without it"`
}

// Receipt is one money reading as the books hold it.
type Receipt struct {
	ID         string     `json:"id" doc:"device:boot:seq"`
	Device     string     `json:"device"`
	Site       TextOrNull `json:"site"`
	Kecamatan  TextOrNull `json:"kecamatan"`
	Operator   TextOrNull `json:"operator"`
	Account    TextOrNull `json:"account"`
	Receipt    string     `json:"receipt" doc:"number on paper"`
	Amount     int64      `json:"amount" doc:"rupiah; of a void the original amount"`
	Method     TextOrNull `json:"method" enum:"cash,qris,emoney,card,subscription,free"`
	Class      TextOrNull `json:"class" enum:"car,motorcycle,truck,bus,bicycle,unknown"`
	At         Time       `json:"at"`
	ReceivedAt Time       `json:"received_at"`
	EnteredAt  TimeOrNull `json:"entered_at"`
	LeftAt     TimeOrNull `json:"left_at"`
	Void       bool       `json:"void"`
	Counted    bool       `json:"counted" doc:"false: a reprint, or the void of an unknown number"`
	Flags      []string   `json:"flags"`
}

var dailyGroups = []string{"site", "operator", "kecamatan", "account", "class", "method"}

// totals are the groups that name no site and no operator.
var totals = []string{"kecamatan", "account", "class", "method"}

// revenueSummary serves /v1/revenue/summary.
func (s *Server) revenueSummary(w http.ResponseWriter, q *request) error {
	year := q.now.In(s.zone).Year()
	if q.given("year") {
		year = q.whole("year")
	}
	accounts, err := s.Books.Summary(q.Context(), year, filed(q))
	if err != nil {
		return err
	}
	answer := RevenueSummary{Year: year, Accounts: make([]Account, 0, len(accounts))}
	for i := range accounts {
		answer.Accounts = append(answer.Accounts, accountOf(&accounts[i]))
	}
	if q.format() != "json" {
		return s.writeSheet(w, q, s.summarySheet(&answer))
	}
	writeJSON(w, q, http.StatusOK, answer)
	return nil
}

// filed tells whether the view as filed is asked for.
func filed(q *request) bool { return q.text("view") == "filed" }

// accountOf adds what is reckoned from target and realized.
func accountOf(t *ledger.AccountTotal) Account {
	a := Account{
		Account: t.Account, Name: t.Name, Target: t.Target, Recorded: t.Recorded, Due: t.Due,
		InSettlement: t.InSettlement, Realized: t.Realized, Suppressed: t.Suppressed, Withheld: t.Withheld,
	}
	if a.Target.OK && a.Realized.OK {
		a.Remaining = city.SomeInt(a.Target.V - a.Realized.V)
		if a.Target.V > 0 {
			a.Percent = city.MilliOf(math.Round(float64(a.Realized.V)/float64(a.Target.V)*10_000) / 100)
		}
	}
	return a
}

// revenueDaily serves /v1/revenue/daily.
func (s *Server) revenueDaily(w http.ResponseWriter, q *request) error {
	query, err := s.dailyQuery(q)
	if err != nil {
		return err
	}
	rows, err := s.Books.Daily(q.Context(), query)
	if err != nil {
		return err
	}
	s.access(q, "daily revenue was read", slog.String("from", query.FromDate), slog.String("to", query.ToDate),
		slog.String("group", query.Group), slog.Int("rows", len(rows)))
	key := func(r ledger.DailyRow) string { return r.Date + " " + r.Key }
	if q.format() != "json" {
		return s.writeSheet(w, q, s.dailySheet(&query, rows))
	}
	page, next := firstPage(pageAfter(q, rows, key), q.limit(), key)
	list := List[DailyRevenue]{Items: make([]DailyRevenue, 0, len(page)), Next: next}
	for _, r := range page {
		list.Items = append(list.Items, DailyRevenue{
			Date: r.Date, Key: r.Key, Name: TextOrNull(r.Name), Receipts: r.Receipts, Voids: r.Voids,
			Recorded: int64(r.Recorded), Due: int64(r.Due), DueKnown: !r.DueUnknown,
		})
	}
	writeJSON(w, q, http.StatusOK, list)
	return nil
}

// accessSpan is what of the access log is shown by default.
const accessSpan = 7 * 24 * time.Hour

// maxDays is how many days one report may span.
const maxDays = 400

// dailyQuery reads the days that [from, to) touches and what the role may see.
func (s *Server) dailyQuery(q *request) (ledger.DailyQuery, error) {
	now := q.now.In(s.zone)
	from := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, s.zone)
	to := s.today(q.now).AddDate(0, 0, 1)
	if q.given("to") {
		to = time.UnixMilli(q.args.get("to").whole).In(s.zone)
		if midnight := s.today(to); !midnight.Equal(to) {
			to = midnight.AddDate(0, 0, 1)
		}
	}
	if q.given("from") {
		from = s.today(time.UnixMilli(q.args.get("from").whole))
	} else if !from.Before(to) {
		from = to.AddDate(0, 0, -1)
	}
	query := ledger.DailyQuery{FromDate: from.Format(time.DateOnly), ToDate: to.Format(time.DateOnly), Group: q.text("group"), Filed: filed(q)}
	if from.After(to) {
		return query, badParameter("from", "lies after to")
	}
	if from.AddDate(0, 0, maxDays).Before(to) {
		return query, badParameter("from", "asks for more than 400 days")
	}
	switch q.token.Role {
	case token.Operator:
		query.Operator = q.token.Operator
	case token.Dishub:
		query.Accounts = s.collectedBy(q.token.Agency)
	case token.Executive:
		if !slices.Contains(totals, query.Group) {
			return query, problem(http.StatusForbidden, "role executive sees totals: group by "+strings.Join(totals, ", "))
		}
		// A day of PBJT may be of one taxpayer, and the year less the other days
		// would tell it: of PBJT summary and realisasi have what may be told.
		query.Accounts = s.accounts(func(a *inventory.Account) bool { return a.Levy != inventory.LevyPBJT })
	default:
	}
	return query, nil
}

// collectedBy returns the accounts that an agency collects itself; a dishub
// token without an agency belongs to the one called dishub.
func (s *Server) collectedBy(agency string) []string {
	if agency == "" {
		agency = "dishub"
	}
	return s.accounts(func(a *inventory.Account) bool { return strings.EqualFold(a.Agency, agency) })
}

// accounts returns those of accounts.csv that are selected. Never nil: nil would
// mean all.
func (s *Server) accounts(selected func(a *inventory.Account) bool) []string {
	accounts := []string{}
	list := s.board.Load().version.Accounts
	for i := range list {
		if a := &list[i]; selected(a) && !slices.Contains(accounts, a.Account) {
			accounts = append(accounts, a.Account)
		}
	}
	return accounts
}

// receipts serves /v1/revenue/receipts.
func (s *Server) receipts(w http.ResponseWriter, q *request) error {
	sp, err := q.span(24 * time.Hour)
	if err != nil {
		return err
	}
	query := ledger.ReceiptQuery{Site: q.text("site"), From: sp.from, To: sp.to, After: q.text("cursor"), Limit: q.limit()}
	if q.token.Role == token.Operator {
		query.Operator = q.token.Operator
	}
	found, next, err := s.Books.Receipts(q.Context(), query)
	if err != nil {
		return err
	}
	// A site that has left the inventory, or the operator, has its receipts still.
	if query.Site != "" && query.After == "" && len(found) == 0 {
		site := s.board.Load().version.Site(query.Site)
		if site == nil || query.Operator != "" && site.Operator != query.Operator {
			return notFound("there is no such site, or it is not yours")
		}
	}
	s.access(q, "receipts were read", slog.String("site", query.Site), slog.String("from", string(s.at(sp.from))),
		slog.String("to", string(s.at(sp.to))), slog.Int("receipts", len(found)))
	if q.format() != "json" {
		linkNext(w, q, cursorOf(next))
		return s.writeTable(w, q, s.receiptTable(found), notStored, "")
	}
	list := List[Receipt]{Items: make([]Receipt, 0, len(found)), Next: cursorOf(next)}
	for i := range found {
		list.Items = append(list.Items, s.receipt(&found[i]))
	}
	writeJSON(w, q, http.StatusOK, list)
	return nil
}

// access notes who read money: the token's id, no name.
func (s *Server) access(q *request, what string, attrs ...any) {
	s.log.Info(what, append([]any{
		slog.String("token", q.token.ID), slog.String("role", string(q.token.Role)), slog.Time("at", q.now),
	}, attrs...)...)
}

func (s *Server) receipt(r *ledger.Receipt) Receipt {
	return Receipt{
		ID: r.ID, Device: r.Device, Site: TextOrNull(r.Site), Kecamatan: TextOrNull(r.Kecamatan), Operator: TextOrNull(r.Operator),
		Account: TextOrNull(r.Account), Receipt: r.Number, Amount: int64(r.Amount), Method: TextOrNull(r.Method.String()),
		Class: TextOrNull(r.Class.String()), At: s.at(r.At), ReceivedAt: s.at(r.Recv),
		EnteredAt: s.atOrNull(r.EnteredAt.V), LeftAt: s.atOrNull(r.LeftAt.V), Void: r.Void, Counted: r.Counted, Flags: orEmpty(r.Flags),
	}
}

func (s *Server) receiptTable(found []ledger.Receipt) *table {
	t := &table{name: "receipts", columns: []string{
		"id", "device", "site", "kecamatan", "operator", "account", "receipt", "amount", "method", "class",
		"at", "received_at", "entered_at", "left_at", "void", "counted", "flags",
	}}
	for i := range found {
		r := s.receipt(&found[i])
		t.add(r.ID, r.Device, string(r.Site), string(r.Kecamatan), string(r.Operator), string(r.Account), r.Receipt, r.Amount,
			string(r.Method), string(r.Class), string(r.At), string(r.ReceivedAt), string(r.EnteredAt), string(r.LeftAt),
			r.Void, r.Counted, strings.Join(r.Flags, " "))
	}
	return t
}
