package api

import (
	"log/slog"
	"net/http"
	"net/url"
	"strconv"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/report"
	"github.com/simpang-id/simpang/internal/report/expect"
	"github.com/simpang-id/simpang/internal/report/sheet"
	"github.com/simpang-id/simpang/internal/token"
)

// How much evidence a site's day shows: in the list, and alone.
const (
	fewStays  = 5
	manyStays = 200
	mostGaps  = 20
)

// reconciliation serves /v1/revenue/reconciliation.
func (s *Server) reconciliation(w http.ResponseWriter, q *request) error {
	query := report.ReconcileQuery{
		Date: s.today(q.now).AddDate(0, 0, -1).Format("2006-01-02"), Site: q.text("site"), After: q.text("cursor"), Now: q.now.UnixMilli(), Sample: fewStays,
	}
	if q.given("date") {
		query.Date = q.text("date")
	}
	if query.Site != "" {
		query.Sample = manyStays
	}
	if q.format() == "json" {
		query.Limit = q.limit() + 1
	}
	found, err := s.Reporting.Reports.Reconcile(q.Context(), query)
	if err != nil {
		return err
	}
	if query.Site != "" && len(found.Sites) == 0 && query.After == "" {
		return notFound("there is no such site")
	}
	s.access(q, "a reconciliation was read", slog.String("date", query.Date), slog.String("site", query.Site), slog.Int("sites", len(found.Sites)))
	if q.format() != "json" {
		return s.writeSheet(w, q, s.reconciliationSheet(found))
	}
	page, next := firstPage(found.Sites, q.limit(), func(d report.SiteDay) string { return d.Site })
	reports, err := s.siteReports(q.Context(), query.Date)
	if err != nil {
		return err
	}
	answer := Reconciliation{Date: found.Date, Items: make([]ReconciledSite, 0, len(page)), Periods: []ReconciledPeriod{}, Next: next}
	for i := range page {
		item := s.reconciledSite(&page[i])
		item.Evidence.Reports = append(item.Evidence.Reports, reports[page[i].Site]...)
		answer.Items = append(answer.Items, item)
	}
	if query.After == "" {
		for i := range found.Periods {
			answer.Periods = append(answer.Periods, reconciledPeriod(&found.Periods[i]))
		}
	}
	writeJSON(w, q, http.StatusOK, answer)
	return nil
}

func intervalOf(i expect.Interval) Interval {
	return Interval{int64(i.Low), int64(i.Mid), int64(i.High)}
}

func (s *Server) reconciledSite(d *report.SiteDay) ReconciledSite {
	out := ReconciledSite{
		Site: TextOrNull(d.Site), Name: TextOrNull(d.Name), Kecamatan: TextOrNull(d.Kecamatan), Operator: TextOrNull(d.Operator), NPWPD: TextOrNull(d.NPWPD),
		NOPD: TextOrNull(d.NOPD), Levy: TextOrNull(d.Levy), Account: TextOrNull(d.Account), Unknown: TextOrNull(d.Expected.Why),
		Recorded: int64(d.Recorded), Karcis: int64(d.Karcis), Compared: int64(d.Compared), Due: d.Due, DueBy: TextOrNull(d.DueBy),
		Settled: d.Settled, Fee: d.Fee, Deposited: d.Deposited, Overdue: d.Overdue, Leak2: d.Leak2, Leak2State: d.Leak2State,
		Whole: d.Expected.Whole, Evidence: s.evidence(d), Parties: make([]ReconciledParty, 0, len(d.Parties)),
	}
	for i := range d.Parties {
		p := &d.Parties[i]
		out.Parties = append(out.Parties, ReconciledParty{
			Operator: TextOrNull(p.Operator), NPWPD: TextOrNull(p.NPWPD), NOPD: TextOrNull(p.NOPD), Levy: TextOrNull(p.Levy), Account: TextOrNull(p.Account),
			Receipts: p.Receipts, Recorded: int64(p.Recorded), Karcis: int64(p.Karcis), Due: p.Due, DueBy: TextOrNull(p.DueBy),
			Settled: p.Settled, Fee: p.Fee, Deposited: p.Deposited, Overdue: p.Overdue, Leak2: p.Leak2, Leak2State: p.Leak2State,
		})
	}
	if d.Leak1 != nil {
		expected := intervalOf(d.Expected.Expected)
		out.Expected, out.Leak1 = &expected, &Leak1{intervalOf(d.Leak1.Interval), d.Leak1.Sure}
		out.Confidence = city.MilliOf(d.Expected.Share)
	}
	return out
}

func (s *Server) evidence(d *report.SiteDay) Evidence {
	a := &d.Expected
	e := Evidence{
		Stays: a.Stays, Charged: a.Charged, Receipts: d.Receipts, Sold: int64(d.SoldFor), Karcis: make([]EvidenceSold, 0, len(d.Sold)), Sample: make([]EvidenceStay, 0, len(a.Sample)), Gaps: []EvidenceGap{},
		Days: orEmpty(a.Days), Unseen: make([]string, 0, len(a.Unseen)), Links: []string{}, Reports: []SiteReports{},
	}
	for i := range d.Sold {
		k := &d.Sold[i]
		e.Karcis = append(e.Karcis, EvidenceSold{
			k.Reference, k.Series, k.First, k.Last, k.Class.String(), int64(k.Price) * int64(k.Last-k.First+1), TextOrNull(k.Attendant),
		})
	}
	if a.Known {
		e.Coverage = city.MilliOf(a.Coverage)
	}
	for i := range a.Sample {
		x := &a.Sample[i]
		e.Sample = append(e.Sample, EvidenceStay{x.Device, x.Class.String(), s.at(x.From), s.at(x.Until), x.Known, int64(x.Amount)})
	}
	for _, g := range a.Gaps[:min(len(a.Gaps), mostGaps)] {
		e.Gaps = append(e.Gaps, EvidenceGap{g.Class.String(), s.at(g.From), s.at(g.To), city.MilliOf(g.Known)})
	}
	for _, class := range a.Unseen {
		e.Unseen = append(e.Unseen, class.String())
	}
	if d.Site != "" {
		day := url.Values{"from": {d.Date}, "to": {nextDay(d.Date)}}
		e.Links = append(e.Links, "/v1/revenue/receipts?"+day.Encode()+"&site="+url.QueryEscape(d.Site),
			"/v1/parking/sites/"+url.PathEscape(d.Site)+"/history?"+day.Encode()+"&step=1h")
	}
	return e
}

func reconciledPeriod(p *report.Period) ReconciledPeriod {
	return ReconciledPeriod{
		Month: p.Month, Operator: TextOrNull(p.Operator), NPWPD: TextOrNull(p.NPWPD), NOPD: TextOrNull(p.NOPD), Account: TextOrNull(p.Account), Sites: orEmpty(p.Sites),
		Recorded: int64(p.Recorded), Declared: p.Declared, Due: p.Due, DueFiled: p.DueFiled, DueNow: p.DueNow, DueBy: TextOrNull(p.DueBy), Settled: p.Settled, Fee: p.Fee, Deposited: p.Deposited,
		CarriedIn: int64(p.CarriedIn), CarriedOut: int64(p.CarriedOut), Overdue: p.Overdue, Leak2: p.Leak2, Leak2State: p.Leak2State, Credits: orEmpty(p.Credits),
	}
}

// statement serves /v1/revenue/statements/{operator}.
func (s *Server) statement(w http.ResponseWriter, q *request) error {
	who := q.text("operator")
	if q.token.Role == token.Operator && q.token.Operator != who {
		return notFound("there is no such operator, or it is not yours")
	}
	month := s.today(q.now).AddDate(0, 0, 1-q.now.In(s.zone).Day()).AddDate(0, -1, 0).Format("2006-01")
	if q.given("month") {
		month = q.text("month")
	}
	found, err := s.Reporting.Reports.Statement(q.Context(), report.StatementQuery{Operator: who, Month: month, Filed: filed(q), Now: q.now.UnixMilli()})
	if err != nil {
		return err
	}
	s.access(q, "a statement was read", slog.String("operator", who), slog.String("month", month))
	if q.format() != "json" {
		return s.writeSheet(w, q, s.statementSheet(found))
	}
	writeJSON(w, q, http.StatusOK, statementOf(found))
	return nil
}

func statementOf(x *report.Statement) Statement {
	out := Statement{
		Operator: x.Operator, Name: TextOrNull(x.Name), NPWPD: TextOrNull(x.NPWPD), Month: x.Month, FileBy: x.FileBy, DepositBy: x.DepositBy, AsOf: x.AsOf,
		View: viewWord(x.View), ClosedOn: TextOrNull(x.ClosedOn), Known: StatementBase{int64(x.Known.Gross), x.Known.Due}, Filed: StatementBase{int64(x.Filed.Gross), x.Filed.Due},
		Gross: int64(x.Gross), Due: x.Due, Declared: x.Declared, FiledOn: TextOrNull(x.FiledOn), Late: []LatePart{},
		Objects: objectsOf(x.Objects), Other: objectsOf(x.Other), Credits: make([]StatementCredit, 0, len(x.Credits)),
	}
	if o := x.Owed; o != nil {
		out.Deposited, out.Unpaid, out.Interest = city.SomeInt(int64(o.Paid)), city.SomeInt(int64(o.Unpaid)), city.SomeInt(int64(o.Interest))
		out.CarriedIn, out.CarriedOut = city.SomeInt(int64(o.CarriedIn)), city.SomeInt(int64(o.CarriedOut))
		for _, p := range o.Late {
			out.Late = append(out.Late, LatePart{TextOrNull(p.Reference), p.Until, int64(p.Amount), p.Months, int64(p.Interest)})
		}
	}
	for i := range x.Credits {
		c := &x.Credits[i]
		out.Credits = append(out.Credits, StatementCredit{c.Reference, c.Kind, c.Account, c.CreditedOn, int64(c.Net)})
	}
	return out
}

func viewWord(v ledger.View) string {
	if v == ledger.FiledView {
		return "filed"
	}
	return "known"
}

func objectsOf(list []report.Object) []StatementObject {
	out := make([]StatementObject, 0, len(list))
	for _, o := range list {
		out = append(out, StatementObject{TextOrNull(o.NOPD), TextOrNull(o.Site), TextOrNull(o.Account), percentOfPPM(o.RatePPM), o.Receipts, int64(o.Gross), o.Due})
	}
	return out
}

// percentOfPPM writes millionths as per cent, unset where they are not known.
func percentOfPPM(ppm int64) city.Milli {
	if ppm < 0 {
		return city.Milli{}
	}
	return city.SomeMilli(ppm / 10)
}

// realisasi serves /v1/revenue/realisasi.
func (s *Server) realisasi(w http.ResponseWriter, q *request) error {
	query := report.RealisasiQuery{
		Year: q.now.In(s.zone).Year(), By: q.text("by"), Group: q.text("group"), Budget: q.text("budget"), Now: q.now.UnixMilli(), Totals: q.token.Role == token.Executive,
	}
	if q.given("year") {
		query.Year = q.whole("year")
	}
	found, err := s.Reporting.Reports.Realisasi(q.Context(), query)
	if err != nil {
		return err
	}
	s.access(q, "realisasi was read", slog.Int("year", query.Year), slog.String("by", query.By), slog.String("group", query.Group))
	answer := Realisasi{Year: query.Year, Items: make([]RealisasiRow, 0, len(found.Rows)), Projections: make([]Projection, 0, len(found.Projections))}
	for i := range found.Rows {
		answer.Items = append(answer.Items, realisasiRow(&found.Rows[i]))
	}
	for i := range found.Projections {
		p := &found.Projections[i]
		x := Projection{Account: p.Account, Of: p.Of, Target: p.Target, Months: p.Months}
		if p.Known {
			x.Year = &Interval{int64(p.Low), int64(p.Mid), int64(p.High)}
		}
		answer.Projections = append(answer.Projections, x)
	}
	if q.format() != "json" {
		return s.writeSheet(w, q, s.realisasiSheet(&answer, query.By, query.Group))
	}
	writeJSON(w, q, http.StatusOK, answer)
	return nil
}

func realisasiRow(r *report.RealisasiRow) RealisasiRow {
	out := RealisasiRow{
		Period: r.Period, Kecamatan: TextOrNull(r.Kecamatan), Account: r.Account, Name: TextOrNull(r.Name), Target: r.Target,
		Recorded: r.Recorded, Due: r.Due, Realized: r.Realized, ToDate: r.ToDate, Suppressed: r.Suppressed,
		Percent: percentOf(r.Realized, r.Target), ToDatePercent: percentOf(r.ToDate, r.YearTarget),
	}
	if r.Target.OK && r.Realized.OK {
		out.Remaining = city.SomeInt(r.Target.V - r.Realized.V)
	}
	return out
}

// percentOf returns a part in per cent, two places; unset where it has no
// sense.
func percentOf(part, whole city.Int) city.Milli {
	if !part.OK || !whole.OK || whole.V <= 0 {
		return city.Milli{}
	}
	return city.MilliOf(float64(int64(float64(part.V)/float64(whole.V)*10_000+0.5)) / 100)
}

// writeSheet answers with a report as a file.
func (s *Server) writeSheet(w http.ResponseWriter, q *request, x *sheet.Sheet) error {
	var kind, ending string
	var body []byte
	var err error
	switch q.format() {
	case "xlsx":
		kind, ending = sheetType, ".xlsx"
	case "html":
		kind, ending = "text/html; charset=utf-8", ".html"
	case "metadata":
		kind, ending = "application/json; charset=utf-8", ".metadata.json"
	default:
		t := &table{name: x.Name, rows: x.Rows}
		for _, c := range x.Columns {
			t.columns = append(t.columns, c.Name)
		}
		return s.writeTable(w, q, t, notStored, "")
	}
	if len(x.Rows) > sheet.MostRows && q.format() != "metadata" {
		return badParameter("format", q.format()+" takes "+strconv.Itoa(sheet.MostRows)+" rows at most: use csv, or ask for less")
	}
	x.About.City, x.About.Region = s.Reporting.City, s.Reporting.Region
	x.About.Producer, x.About.Custodian, x.About.Licence = s.Reporting.Producer, s.Reporting.Custodian, s.Reporting.Licence
	x.About.Updated = q.now.In(s.zone)
	h := w.Header()
	switch q.format() {
	case "xlsx":
		body, err = x.XLSX()
	case "html":
		body, err = x.HTML()
		h.Set("Content-Security-Policy", sheet.PagePolicy())
	default:
		body, err = x.MetadataFile()
	}
	if err != nil {
		return err
	}
	disposition := "attachment"
	if q.format() == "html" {
		disposition = "inline"
	}
	h.Set("Content-Disposition", disposition+`; filename="`+x.Name+ending+`"`)
	if q.route.public() {
		writePublic(w, q, []string{kind}, body)
		return nil
	}
	h.Set("Content-Type", kind)
	h["Cache-Control"] = notStored
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
	return nil
}
