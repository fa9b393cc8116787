package inventory

import "time"

// RevenueRules are what rules.yaml says of money. The zero value holds the
// defaults; none of them is verified against a text in force.
type RevenueRules struct {
	minStay  map[Levy]time.Duration
	official float64
	due      dueRules
}

type dueRules struct {
	file, deposit int  // days after the masa pajak
	working       bool // they are working days
	retribusi     int  // days after the day of a receipt
	interestPPM   int64
	mostMonths    int
}

// The defaults of rules.yaml.
const (
	defaultMinStreet   = 2
	defaultFile        = 15
	defaultDeposit     = 15
	defaultInterestPPM = 10_000
	defaultMostMonths  = 24
	defaultRetribusi   = 1
)

// expectedRules say which stays are expected to pay.
type expectedRules struct {
	MinStayMinutes map[string]int `yaml:"min_stay_minutes"`
	OfficialShare  float64        `yaml:"official_share"`
}

// obligationRules say when what is due has to be paid.
type obligationRules struct {
	File        int     `yaml:"jatuh_tempo_lapor"`
	Deposit     int     `yaml:"jatuh_tempo_setor"`
	Retribusi   int     `yaml:"setor_retribusi_days"`
	WorkingDays bool    `yaml:"working_days"`
	Interest    float64 `yaml:"interest_percent_a_month"`
	MostMonths  int     `yaml:"interest_months_at_most"`
}

func defaultExpected() expectedRules {
	return expectedRules{MinStayMinutes: map[string]int{string(LevyStreet): defaultMinStreet}}
}

func defaultObligations() obligationRules {
	return obligationRules{
		File: defaultFile, Deposit: defaultDeposit, Retribusi: defaultRetribusi,
		Interest: float64(defaultInterestPPM) / 10_000, MostMonths: defaultMostMonths,
	}
}

func defaultRevenue() RevenueRules {
	return RevenueRules{
		minStay: map[Levy]time.Duration{LevyStreet: defaultMinStreet * time.Minute},
		due:     dueRules{file: defaultFile, deposit: defaultDeposit, retribusi: defaultRetribusi, interestPPM: defaultInterestPPM, mostMonths: defaultMostMonths},
	}
}

// MinStay is how long a stay must be at least to be charged.
func (r *RevenueRules) MinStay(levy Levy) time.Duration { return r.minStay[levy] }

// OfficialShare is the share of stays, 0..1, of official vehicles, which pay
// nothing.
func (r *RevenueRules) OfficialShare() float64 { return r.official }

// Interest is the late interest a month, millionths of the unpaid tax, and the
// months that it runs at most.
func (r *RevenueRules) Interest() (ppm int64, mostMonths int) {
	return r.due.interestPPM, r.due.mostMonths
}

// RetribusiDays is how many days after its receipt a retribusi is paid in time.
func (r *RevenueRules) RetribusiDays() int { return r.due.retribusi }

// FileBy returns the last day (YYYY-MM-DD) on which the SPTPD of a month is
// filed in time.
func (v *Version) FileBy(year int, month time.Month) string {
	return v.dueDay(year, month, v.Revenue.due.file)
}

// DepositBy returns the last day (YYYY-MM-DD) on which the tax of a month is
// paid in time.
func (v *Version) DepositBy(year int, month time.Month) string {
	return v.dueDay(year, month, v.Revenue.due.deposit)
}

// dueDay counts days from the end of a month, working ones where the rules say
// so: neither weekend nor holiday.
func (v *Version) dueDay(year int, month time.Month, days int) string {
	day := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC)
	for n := 0; n < days; {
		day = day.AddDate(0, 0, 1)
		if !v.Revenue.due.working || v.works(day) {
			n++
		}
	}
	return day.Format(time.DateOnly)
}

// revenue checks what rules.yaml says of money.
func (f *rulesFile) revenue(wrong func(path, format string, args ...any)) RevenueRules {
	r := RevenueRules{minStay: map[Levy]time.Duration{}, official: f.Expected.OfficialShare}
	for levy, minutes := range f.Expected.MinStayMinutes {
		path := "expected.min_stay_minutes." + levy
		switch Levy(levy) {
		case LevyStreet, LevySpecial, LevyPBJT:
		default:
			wrong(path, "%s is no levy: use street, special or pbjt", short(levy))
		}
		if minutes < 0 || minutes > 60 {
			wrong(path, "%s is %d: give minutes from 0 to 60", path, minutes)
		}
		r.minStay[Levy(levy)] = time.Duration(minutes) * time.Minute
	}
	if !(r.official >= 0 && r.official <= 1) {
		wrong("expected.official_share", "expected.official_share is %v: give a share from 0 to 1", r.official)
	}
	o := &f.Obligations
	for path, days := range map[string]int{"obligations.jatuh_tempo_lapor": o.File, "obligations.jatuh_tempo_setor": o.Deposit} {
		if days < 1 || days > 60 {
			wrong(path, "%s is %d: give days after the end of the month, from 1 to 60", path, days)
		}
	}
	if o.Retribusi < 0 || o.Retribusi > 60 {
		wrong("obligations.setor_retribusi_days", "obligations.setor_retribusi_days is %d: give days from 0 to 60", o.Retribusi)
	}
	if !(o.Interest >= 0 && o.Interest <= 10) {
		wrong("obligations.interest_percent_a_month", "obligations.interest_percent_a_month is %v: give per cent from 0 to 10", o.Interest)
	}
	if o.MostMonths < 0 || o.MostMonths > 120 {
		wrong("obligations.interest_months_at_most", "obligations.interest_months_at_most is %d: give months from 0 to 120", o.MostMonths)
	}
	r.due = dueRules{o.File, o.Deposit, o.WorkingDays, o.Retribusi, int64(o.Interest*10_000 + 0.5), o.MostMonths}
	return r
}
