package api

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/report"
	"github.com/simpang-id/simpang/internal/report/sheet"
	"github.com/simpang-id/simpang/internal/token"
)

// monevNote is said on every E-Monev: what it is not.
const monevNote = "Realisasi adalah penerimaan rekening yang dipungut perangkat daerah itu; belanja APBD tidak diketahui gerbang data ini dan tidak ada di sini."

// monev serves /v1/monev.
func (s *Server) monev(w http.ResponseWriter, q *request) error {
	month := s.today(q.now)
	month = month.AddDate(0, 0, 1-month.Day())
	if q.given("month") {
		var err error
		if month, err = time.ParseInLocation("2006-01", q.text("month"), s.zone); err != nil || month.Year() < 2000 {
			return badParameter("month", "must be a month like 2026-03")
		}
	}
	mine := scopeOf(q.token)
	found, err := s.Complaints.Monev(q.Context(), complaint.MonevQuery{
		From: month.UnixMilli(), To: month.AddDate(0, 1, 0).UnixMilli(), Now: q.now.UnixMilli(), Agencies: mine.agencies, NoMoney: mine.noMoney,
	})
	if err != nil {
		return err
	}
	out := Monev{Month: month.Format("2006-01"), AsOf: s.at(q.now.UnixMilli()), Items: []MonevAgency{}, Note: monevNote}
	if out.Waiting, err = s.Complaints.Waiting(q.Context()); err != nil {
		return err
	}
	accounts, err := s.monevAccounts(q, out.Month, month.Year())
	if err != nil {
		return err
	}
	for i := range found {
		out.Items = append(out.Items, s.monevAgency(&found[i], accounts[strings.ToLower(found[i].Agency)]))
	}
	s.access(q, "E-Monev was read", slog.String("month", out.Month))
	if q.format() != "json" {
		return s.writeSheet(w, q, s.monevSheet(&out))
	}
	writeJSON(w, q, http.StatusOK, out)
	return nil
}

// monevAccounts returns the accounts of each agency (in lower case) that the
// token may see.
func (s *Server) monevAccounts(q *request, month string, year int) (map[string][]MonevAccount, error) {
	if q.token.Role == token.Agency {
		return nil, nil
	}
	found, err := s.Reporting.Reports.Realisasi(q.Context(), report.RealisasiQuery{
		Year: year, By: "month", Group: "account", Now: q.now.UnixMilli(), Totals: q.token.Role == token.Executive || q.token.Role == token.Dishub,
	})
	if err != nil {
		return nil, err
	}
	collector := map[string]string{}
	for _, a := range s.board.Load().version.Accounts {
		collector[a.Account] = strings.ToLower(a.Agency)
	}
	accounts := map[string][]MonevAccount{}
	for i := range found.Rows {
		r := &found.Rows[i]
		if r.Period != month {
			continue
		}
		agency := collector[r.Account]
		accounts[agency] = append(accounts[agency], MonevAccount{
			Account: r.Account, Name: TextOrNull(r.Name), Realized: r.Realized, RealizedToDate: r.ToDate, TargetYear: r.YearTarget,
			Percent: percentOf(r.ToDate, r.YearTarget), Suppressed: r.Suppressed,
		})
	}
	return accounts, nil
}

func (s *Server) monevAgency(m *complaint.Monev, accounts []MonevAccount) MonevAgency {
	out := MonevAgency{
		Agency: TextOrNull(m.Agency), Received: m.Received, Anomalies: m.Anomaly, VerifyAuto: m.VerifyAuto,
		Verified: m.VerifyDone, VerifyInTime: m.VerifyInTime, VerifyLate: m.VerifyLate,
		Answered: m.AnswerDone, AnswerInTime: m.AnswerInTime, AnswerLate: m.AnswerLate,
		Closed: m.Closed, Rejected: m.Rejected, Reopened: m.Reopened, Escalated: m.Escalated, Open: OpenAges(m.Open), Accounts: []MonevAccount{},
	}
	out.Accounts = append(out.Accounts, accounts...)
	for _, a := range s.board.Load().version.Agencies {
		if a.ID == m.Agency {
			out.Name = TextOrNull(a.Name)
		}
	}
	out.VerifyMedianH, out.VerifyP90H = hoursOf(m.VerifyHours)
	out.AnswerMedianH, out.AnswerP90H = hoursOf(m.AnswerHours)
	out.CloseMedianH, out.CloseP90H = hoursOf(m.CloseHours)
	out.TargetYear.OK, out.RealizedToDate.OK = len(accounts) > 0, len(accounts) > 0
	for i := range accounts {
		a := &accounts[i]
		out.TargetYear = city.Int{V: out.TargetYear.V + a.TargetYear.V, OK: out.TargetYear.OK && a.TargetYear.OK}
		out.RealizedToDate = city.Int{V: out.RealizedToDate.V + a.RealizedToDate.V, OK: out.RealizedToDate.OK && a.RealizedToDate.OK}
	}
	out.Percent = percentOf(out.RealizedToDate, out.TargetYear)
	return out
}

// hoursOf returns both figures of a spread, unset where nothing was measured.
func hoursOf(x complaint.Spread) (median, ninety city.Milli) {
	if x.N == 0 {
		return median, ninety
	}
	return city.MilliOf(x.Median), city.MilliOf(x.NinetyPc)
}

func (s *Server) monevSheet(m *Monev) *sheet.Sheet {
	count := func(name, title, en string) sheet.Column {
		return sheet.Column{Name: name, Title: title, EN: en, Kind: sheet.Count, Unit: "pengaduan", Total: true}
	}
	hours := func(name, title, en string) sheet.Column {
		return sheet.Column{Name: name, Title: title, EN: en, Kind: sheet.Number, Unit: "jam"}
	}
	x := &sheet.Sheet{
		Name: "e-monev-" + m.Month, Title: "E-Monev pengaduan " + m.Month, EN: "Complaints: who answers",
		Notes: []string{
			"Pengaduan menurut bulan diterima. Batas waktu dalam hari kerja: Senin-Jumat, bukan hari libur nasional dan cuti bersama. Jam menurut waktu kalender.",
			monevNote,
		},
		Columns: []sheet.Column{
			{Name: "agency", Title: "Perangkat daerah", EN: "Agency"},
			colName,
			count("received", "Diterima", "Received"),
			count("anomalies", "Dari sensor", "Found by the gateway"),
			count("verified_automatically", "Verifikasi otomatis", "Verified automatically"),
			count("verified", "Diverifikasi", "Verified"),
			count("verified_in_time", "Verifikasi tepat waktu", "Verified in time"),
			count("verify_late", "Verifikasi terlambat", "Verified late"),
			count("answered", "Dijawab", "Answered"),
			count("answered_in_time", "Dijawab tepat waktu", "Answered in time"),
			count("answer_late", "Jawaban terlambat", "Answered late"),
			count("closed", "Selesai", "Closed"),
			count("rejected", "Ditolak atau ganda", "Rejected or duplicate"),
			count("reopened", "Dibuka kembali", "Reopened"),
			count("escalated", "Dieskalasi", "Escalated"),
			hours("verify_median_h", "Median verifikasi", "Median to verify"),
			hours("verify_p90_h", "P90 verifikasi", "P90 to verify"),
			hours("answer_median_h", "Median jawaban", "Median to answer"),
			hours("answer_p90_h", "P90 jawaban", "P90 to answer"),
			hours("close_median_h", "Median selesai", "Median to close"),
			hours("close_p90_h", "P90 selesai", "P90 to close"),
			count("open_0_3", "Terbuka 0-3 hari", "Open 0-3 working days"),
			count("open_4_5", "Terbuka 4-5 hari", "Open 4-5 working days"),
			count("open_6_10", "Terbuka 6-10 hari", "Open 6-10 working days"),
			count("open_over_10", "Terbuka > 10 hari", "Open over 10 working days"),
			money("target_year", "Target setahun", "Target of the year"),
			money("realized_to_date", "Realisasi s.d. bulan ini", "Realized to date"),
			percent("percent", "Persen", "Per cent"),
		},
		About: sheet.About{
			Concept: "Penanganan pengaduan", Definition: "Jumlah dan waktu penanganan pengaduan per perangkat daerah", Class: "Kinerja pelayanan", Measure: "jumlah", Period: m.Month,
		},
	}
	for i := range m.Items {
		a := &m.Items[i]
		n := func(v int) any { return int64(v) }
		x.Add(string(a.Agency), string(a.Name), n(a.Received), n(a.Anomalies), n(a.VerifyAuto), n(a.Verified), n(a.VerifyInTime), n(a.VerifyLate),
			n(a.Answered), n(a.AnswerInTime), n(a.AnswerLate), n(a.Closed), n(a.Rejected), n(a.Reopened), n(a.Escalated),
			cellMilli(a.VerifyMedianH), cellMilli(a.VerifyP90H), cellMilli(a.AnswerMedianH), cellMilli(a.AnswerP90H), cellMilli(a.CloseMedianH), cellMilli(a.CloseP90H),
			n(a.Open.To3), n(a.Open.To5), n(a.Open.To10), n(a.Open.Older), cellInt(a.TargetYear), cellInt(a.RealizedToDate), cellMilli(a.Percent))
	}
	return x
}
