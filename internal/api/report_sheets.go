package api

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/report"
	"github.com/simpang-id/simpang/internal/report/sheet"
)

// nextDay returns the day after a date.
func nextDay(date string) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return t.AddDate(0, 0, 1).Format(time.DateOnly)
}

// Columns that several reports have.
var (
	colDate      = sheet.Column{Name: "date", Title: "Tanggal", EN: "Date", Kind: sheet.Date}
	colSite      = sheet.Column{Name: "site", Title: "Lokasi", EN: "Site"}
	colName      = sheet.Column{Name: "name", Title: "Nama", EN: "Name"}
	colKecamatan = sheet.Column{Name: "kecamatan", Title: "Kecamatan", EN: "District"}
	colOperator  = sheet.Column{Name: "operator", Title: "Pengelola", EN: "Operator"}
	colNOPD      = sheet.Column{Name: "nopd", Title: "NOPD", EN: "Tax object"}
	colAccount   = sheet.Column{Name: "account", Title: "Kode rekening", EN: "Account"}
	colReceipts  = sheet.Column{Name: "receipts", Title: "Jumlah struk", EN: "Receipts", Kind: sheet.Count, Unit: "struk", Total: true}
	colWilayah   = sheet.Column{Name: "kode_wilayah", Title: "Kode wilayah", EN: "Region code"}
)

// money is a column of money that adds up.
func money(name, title, en string) sheet.Column {
	return sheet.Column{Name: name, Title: title, EN: en, Kind: sheet.Rupiah, Total: true}
}

func percent(name, title, en string) sheet.Column {
	return sheet.Column{Name: name, Title: title, EN: en, Kind: sheet.Number, Unit: "persen"}
}

// aboutMoney is what the metadata of every report of money says.
func aboutMoney(period, definition string) sheet.About {
	return sheet.About{
		Concept: "Pendapatan asli daerah dari parkir", Definition: definition, Class: "Pendapatan daerah; rahasia menurut peran pembaca", Measure: "jumlah", Period: period,
	}
}

func (s *Server) reconciliationSheet(r *report.Reconciliation) *sheet.Sheet {
	x := &sheet.Sheet{
		Name: "rekonsiliasi-" + r.Date, Title: "Rekonsiliasi pendapatan parkir", EN: "Reconciliation of parking revenue",
		Notes: []string{
			"Harapan: kendaraan yang terlihat sensor dikali tarif yang berlaku, selang kepercayaan 90 %. Kebocoran 1 = harapan - tercatat (golongan yang terlihat sensor).",
			"Kebocoran 2 = terutang - penyelesaian - setoran yang lewat jatuh tempo. PBJT dihitung per masa pajak, bukan per hari.",
		},
		Columns: []sheet.Column{
			colDate, colWilayah, colSite, colName, colKecamatan, colOperator, colNOPD, colAccount,
			money("expected_low", "Harapan (bawah)", "Expected, low"), money("expected_mid", "Harapan", "Expected"), money("expected_high", "Harapan (atas)", "Expected, high"),
			colReceipts, money("recorded", "Tercatat", "Recorded"), money("recorded_karcis", "Tercatat dari karcis", "Recorded, karcis"), money("recorded_compared", "Tercatat (terbanding)", "Recorded, compared"),
			money("declared", "Dilaporkan (SPTPD)", "Declared"), money("due", "Terutang", "Due"),
			{Name: "due_by", Title: "Jatuh tempo", EN: "Due by", Kind: sheet.Date},
			money("settled", "Penyelesaian nontunai", "Settled"), money("fee", "Biaya", "Fee"), money("deposited", "Disetor", "Deposited"), money("overdue", "Lewat jatuh tempo", "Overdue"),
			money("leak_1_low", "Kebocoran 1 (bawah)", "Leak 1, low"), money("leak_1_mid", "Kebocoran 1", "Leak 1"), money("leak_1_high", "Kebocoran 1 (atas)", "Leak 1, high"),
			{Name: "leak_1_sure", Title: "Pasti", EN: "Sure", Kind: sheet.Flag},
			money("leak_2", "Kebocoran 2", "Leak 2"),
			{Name: "leak_2_state", Title: "Keadaan kebocoran 2", EN: "State of leak 2"},
			{Name: "confidence", Title: "Keyakinan", EN: "Confidence", Kind: sheet.Number, Unit: "0..1"},
			{Name: "coverage", Title: "Cakupan sensor", EN: "Coverage", Kind: sheet.Number, Unit: "0..1"},
			{Name: "expected_unknown", Title: "Sebab tidak diketahui", EN: "Why unknown"},
		},
		About: aboutMoney(r.Date, "Harapan, tercatat, terutang, dan disetor per lokasi dan hari"),
	}
	for i := range r.Sites {
		d := s.reconciledSite(&r.Sites[i])
		var low, mid, high, leakLow, leakMid, leakHigh, sure any
		if d.Expected != nil {
			low, mid, high = d.Expected.Low, d.Expected.Mid, d.Expected.High
			leakLow, leakMid, leakHigh, sure = d.Leak1.Low, d.Leak1.Mid, d.Leak1.High, d.Leak1.Sure
		}
		x.Add(r.Date, s.Reporting.Region, string(d.Site), string(d.Name), string(d.Kecamatan), allOf(d.Operator, d.Parties, func(p *ReconciledParty) TextOrNull { return p.Operator }),
			allOf(d.NOPD, d.Parties, func(p *ReconciledParty) TextOrNull { return p.NOPD }), allOf(d.Account, d.Parties, func(p *ReconciledParty) TextOrNull { return p.Account }),
			low, mid, high, d.Evidence.Receipts, d.Recorded, d.Karcis, d.Compared, cellInt(d.Declared), cellInt(d.Due), cellText(d.DueBy),
			cellInt(d.Settled), cellInt(d.Fee), cellInt(d.Deposited), cellInt(d.Overdue), leakLow, leakMid, leakHigh, sure, cellInt(d.Leak2), d.Leak2State,
			cellMilli(d.Confidence), cellMilli(d.Evidence.Coverage), string(d.Unknown))
	}
	return x
}

// allOf is what all parties of a day have in common, else what each has.
func allOf(common TextOrNull, parties []ReconciledParty, of func(*ReconciledParty) TextOrNull) string {
	var each []string
	for i := range parties {
		if text := string(of(&parties[i])); text != "" && !slices.Contains(each, text) {
			each = append(each, text)
		}
	}
	if common != "" || len(each) == 0 {
		return string(common)
	}
	return strings.Join(each, " + ")
}

// cellText is a text that may be unknown.
func cellText(t TextOrNull) any {
	if t == "" {
		return nil
	}
	return string(t)
}

func (s *Server) statementSheet(r *report.Statement) *sheet.Sheet {
	x := &sheet.Sheet{
		Name: "sptpd-" + r.Operator + "-" + r.Month, Title: "Rancangan SPTPD " + strings.TrimSpace(r.Name+" "+r.NPWPD), EN: "Draft of the monthly tax return",
		Notes: []string{
			statementView(r) + "Masa pajak " + r.Month + "; jatuh tempo lapor " + r.FileBy + ", setor " + r.DepositBy + " (rules.yaml, belum terverifikasi). Keadaan per " + r.AsOf + ".",
			"Bunga " + strings.Replace(strconv.FormatFloat(float64(r.Rule.PPM)/10_000, 'f', -1, 64), ".", ",", 1) + " % per bulan (rules.yaml) dari pajak yang terlambat atau belum dibayar; " +
				"bagian bulan dihitung penuh, paling lama " + strconv.Itoa(r.Rule.MostMonths) + " bulan; tiap bagian dibulatkan sekali.",
		},
		Columns: []sheet.Column{
			{Name: "month", Title: "Masa pajak", EN: "Tax period"},
			colWilayah,
			{Name: "row", Title: "Baris", EN: "Row"},
			colNOPD, colSite, colAccount,
			{Name: "reference", Title: "Nomor bukti", EN: "Reference"},
			{Name: "date", Title: "Tanggal", EN: "Date", Kind: sheet.Date},
			percent("rate_percent", "Tarif pajak", "Rate"),
			{Name: "receipts", Title: "Jumlah struk", EN: "Receipts", Kind: sheet.Count, Unit: "struk"},
			{Name: "gross", Title: "Dasar pengenaan", EN: "Gross", Kind: sheet.Rupiah},
			{Name: "due", Title: "Pajak terutang", EN: "Due", Kind: sheet.Rupiah},
			{Name: "deposited", Title: "Disetor", EN: "Deposited", Kind: sheet.Rupiah},
			{Name: "unpaid", Title: "Belum dibayar", EN: "Unpaid", Kind: sheet.Rupiah},
			{Name: "late", Title: "Pokok terlambat", EN: "Paid late, or late and unpaid", Kind: sheet.Rupiah},
			{Name: "months", Title: "Bulan terlambat", EN: "Months late", Kind: sheet.Count, Unit: "bulan"},
			{Name: "interest", Title: "Bunga", EN: "Interest", Kind: sheet.Rupiah},
		},
		About: aboutMoney(r.Month, "Dasar pengenaan, pajak terutang, setoran, dan bunga keterlambatan per masa pajak"),
	}
	add := func(row string, nopd, site, account, reference string, cells ...any) {
		x.Add(append([]any{r.Month, s.Reporting.Region, row, nopd, site, account, reference}, cells...)...)
	}
	for _, o := range r.Objects {
		add("objek", o.NOPD, o.Site, o.Account, "", nil, cellMilli(percentOfPPM(o.RatePPM)), o.Receipts, int64(o.Gross), cellInt(o.Due), nil, nil, nil, nil, nil)
	}
	for i := range r.Credits {
		c := &r.Credits[i]
		add("setoran", "", c.Site, c.Account, c.Reference, c.CreditedOn, nil, nil, nil, nil, int64(c.Net), nil, nil, nil, nil)
	}
	var paid, unpaid, interest any
	if r.Owed != nil {
		paid, unpaid, interest = int64(r.Owed.Paid+r.Owed.CarriedIn-r.Owed.CarriedOut), int64(r.Owed.Unpaid), int64(r.Owed.Interest)
		if moved := r.Owed.CarriedIn - r.Owed.CarriedOut; moved != 0 { // of what came after the close of its month
			add("dialihkan", "", "", "", "", r.AsOf, nil, nil, nil, nil, int64(moved), nil, nil, nil, nil)
		}
		for _, p := range r.Owed.Late {
			add("bunga", "", "", "", p.Reference, p.Until, nil, nil, nil, nil, nil, nil, int64(p.Amount), int64(p.Months), int64(p.Interest))
		}
	}
	if r.ClosedOn != "" {
		for _, b := range []struct {
			row string
			of  report.Base
		}{{"diketahui", r.Known}, {"dilaporkan", r.Filed}} {
			add(b.row, "", "", "", "", r.ClosedOn, nil, nil, int64(b.of.Gross), cellInt(b.of.Due), nil, nil, nil, nil, nil)
		}
	}
	add("jumlah", "", "", "", "", r.AsOf, nil, nil, int64(r.Gross), cellInt(r.Due), paid, unpaid, nil, nil, interest)
	return x
}

// statementView says which view a statement is of.
func statementView(r *report.Statement) string {
	switch {
	case r.View == ledger.FiledView:
		return "Sebagaimana dilaporkan: yang masuk setelah penutupan masanya dihitung pada masa terbuka berikutnya. "
	case r.ClosedOn != "" && r.Known != r.Filed:
		return "Sebagaimana diketahui kini; masa ini ditutup " + r.ClosedOn + " dengan dasar pengenaan dan pajak yang lain (lihat baris dilaporkan), dan yang belum dibayar dihitung dari yang dilaporkan. "
	default:
		return ""
	}
}

func (s *Server) realisasiSheet(r *Realisasi, by, group string) *sheet.Sheet {
	year := time.Date(r.Year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006")
	x := &sheet.Sheet{
		Name: "realisasi-" + year + "-" + by + "-" + group, Title: "Realisasi pendapatan parkir " + year, EN: "Parking revenue against its targets",
		Notes: []string{"Realisasi: kredit yang dikonfirmasi kas daerah, menurut tanggalnya, setelah biaya. s.d.: sejak awal tahun."},
		Columns: []sheet.Column{
			{Name: "period", Title: "Periode", EN: "Period"},
			colWilayah, colKecamatan, colAccount, colName, money("target", "Target", "Target"), money("recorded", "Tercatat", "Recorded"),
			money("due", "Terutang", "Due"), money("realized", "Realisasi", "Realized"), percent("percent", "Persen", "Per cent"), money("remaining", "Sisa", "Remaining"),
			{Name: "to_date", Title: "Realisasi s.d.", EN: "To date", Kind: sheet.Rupiah},
			percent("to_date_percent", "Persen s.d.", "To date, per cent"),
			{Name: "suppressed", Title: "Disembunyikan", EN: "Suppressed", Kind: sheet.Flag},
		},
		About: aboutMoney(year, "Target dan realisasi per periode, kode rekening, dan kecamatan"),
	}
	for i := range r.Projections {
		x.Notes = append(x.Notes, projectionNote(&r.Projections[i]))
	}
	for i := range r.Items {
		d := &r.Items[i]
		x.Add(d.Period, s.Reporting.Region, string(d.Kecamatan), d.Account, string(d.Name), cellInt(d.Target), cellInt(d.Recorded), cellInt(d.Due), cellInt(d.Realized),
			cellMilli(d.Percent), cellInt(d.Remaining), cellInt(d.ToDate), cellMilli(d.ToDatePercent), d.Suppressed)
	}
	return x
}

// projectionNote says what a year will bring, and how sure that is.
func projectionNote(p *Projection) string {
	of := map[string]string{"due": "terutang", "realized": "realisasi"}[p.Of]
	note := "Proyeksi " + of + " " + p.Account + " sampai akhir tahun: "
	if p.Year == nil {
		return note + "belum dapat dihitung (kurang dari tiga bulan penuh)."
	}
	note += sheet.RupiahText(p.Year.Mid) + ", dengan peluang 90 % antara " + sheet.RupiahText(p.Year.Low) + " dan " + sheet.RupiahText(p.Year.High) +
		", menurut " + strconv.Itoa(p.Months) + " bulan penuh, tanpa musim"
	if p.Target.OK {
		note += "; target " + sheet.RupiahText(p.Target.V)
	}
	return note + "."
}

// summarySheet is /v1/revenue/summary as a report.
func (s *Server) summarySheet(r *RevenueSummary) *sheet.Sheet {
	year := strconv.Itoa(r.Year)
	x := &sheet.Sheet{
		Name: "revenue-summary", Title: "Ringkasan pendapatan parkir " + year, EN: "Parking revenue of the year",
		Notes: []string{
			"Realisasi: kredit yang dikonfirmasi kas daerah. Dalam penyelesaian: dibayar nontunai, belum tertutup kredit.",
			"Angka PBJT dari kurang dari tiga wajib pajak tidak ditampilkan.",
		},
		Columns: []sheet.Column{
			{Name: "year", Title: "Tahun", EN: "Year"},
			colWilayah, colAccount, colName, money("target", "Target", "Target"), money("recorded", "Tercatat", "Recorded"),
			money("due", "Terutang", "Due"), money("in_settlement", "Dalam penyelesaian", "In settlement"), money("realized", "Realisasi", "Realized"),
			percent("percent", "Persen", "Per cent"), money("remaining", "Sisa", "Remaining"),
			{Name: "suppressed", Title: "Disembunyikan", EN: "Suppressed", Kind: sheet.Flag},
			{Name: "withheld", Title: "Ditahan", EN: "Withheld", Kind: sheet.Flag},
		},
		About: sheet.About{
			Concept: "Pendapatan asli daerah dari parkir", Definition: "Target, tercatat, terutang, dan realisasi setahun per kode rekening; jumlah seluruh kota",
			Class: "Pendapatan daerah; terbuka", Measure: "jumlah", Period: year,
		},
	}
	for i := range r.Accounts {
		a := &r.Accounts[i]
		x.Add(year, s.Reporting.Region, a.Account, a.Name, cellInt(a.Target), cellInt(a.Recorded), cellInt(a.Due), cellInt(a.InSettlement),
			cellInt(a.Realized), cellMilli(a.Percent), cellInt(a.Remaining), a.Suppressed, a.Withheld)
	}
	return x
}

// handsSheet is /v1/revenue/handovers/differences as a report.
func (s *Server) handsSheet(from, to string, hops []ledger.Hop) *sheet.Sheet {
	x := &sheet.Sheet{
		Name: "revenue-handover-differences", Title: "Selisih serah terima uang parkir", EN: "Differences between hands",
		Notes: []string{"Juru parkir: karcis terjual, bukan yang batal, dibandingkan dengan yang diterima pengumpul; STS: yang diserahkan dibandingkan dengan kreditnya. Akhir periode tidak termasuk."},
		Columns: []sheet.Column{
			colDate, colWilayah,
			{Name: "stage", Title: "Tahap", EN: "Stage"},
			{Name: "holder", Title: "Pemegang", EN: "Holder"},
			{Name: "received", Title: "Diterima", EN: "Received", Kind: sheet.Rupiah},
			{Name: "passed", Title: "Diteruskan", EN: "Passed on", Kind: sheet.Rupiah},
			money("difference", "Selisih", "Difference"),
		},
		About: aboutMoney(from+"/"+to, "Uang yang diterima dan diteruskan tiap tangan, menurut hari pemungutan"),
	}
	for i := range hops {
		h := &hops[i]
		x.Add(cellText(TextOrNull(h.Date)), s.Reporting.Region, h.Stage, h.Holder, int64(h.Received), int64(h.Passed), int64(h.Received-h.Passed))
	}
	return x
}

// dailySheet is /v1/revenue/daily as a report.
func (s *Server) dailySheet(q *ledger.DailyQuery, rows []ledger.DailyRow) *sheet.Sheet {
	titles := map[string]sheet.Column{
		"site": colSite, "operator": colOperator, "kecamatan": colKecamatan, "account": colAccount,
		"class": {Name: "class", Title: "Golongan", EN: "Class"}, "method": {Name: "method", Title: "Cara bayar", EN: "Method"},
	}
	x := &sheet.Sheet{
		Name: "revenue-daily", Title: "Pendapatan parkir harian", EN: "Daily parking revenue",
		Columns: []sheet.Column{
			colDate, colWilayah, titles[q.Group], colName, colReceipts,
			{Name: "voids", Title: "Struk batal", EN: "Voids", Kind: sheet.Count, Unit: "struk", Total: true},
			money("recorded", "Tercatat", "Recorded"), money("due", "Terutang", "Due"),
			{Name: "due_known", Title: "Terutang diketahui", EN: "Due is known", Kind: sheet.Flag},
		},
		About: aboutMoney(q.FromDate+"/"+q.ToDate, "Tercatat dan terutang per hari dan kelompok; akhir periode tidak termasuk"),
	}
	for _, r := range rows {
		x.Add(r.Date, s.Reporting.Region, r.Key, r.Name, r.Receipts, r.Voids, int64(r.Recorded), int64(r.Due), !r.DueUnknown)
	}
	return x
}
