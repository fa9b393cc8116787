package api

import "github.com/simpang-id/simpang/internal/city"

// Interval is an amount that is not known exactly. Rupiah.
type Interval struct {
	Low  int64 `json:"low"`
	Mid  int64 `json:"mid"`
	High int64 `json:"high" doc:"with nine chances in ten the truth lies from low to high"`
}

// Leak1 is expected - recorded. Rupiah.
type Leak1 struct {
	Interval

	Sure bool `json:"sure" doc:"even the low end is above 0"`
}

// ReconciledSite is a site's day, all figures side by side. Rupiah; null is not
// known.
type ReconciledSite struct {
	Site       TextOrNull `json:"site" doc:"null: receipts whose device has no site"`
	Name       TextOrNull `json:"name"`
	Kecamatan  TextOrNull `json:"kecamatan"`
	Operator   TextOrNull `json:"operator"`
	NPWPD      TextOrNull `json:"npwpd"`
	NOPD       TextOrNull `json:"nopd"`
	Levy       TextOrNull `json:"levy" enum:"street,special,pbjt"`
	Account    TextOrNull `json:"account"`
	Expected   *Interval  `json:"expected" doc:"null: not known, see expected_unknown"`
	Unknown    TextOrNull `json:"expected_unknown" enum:"no_sensors,no_days,no_prices,no_stays,no_tariff,not_yet,too_many"`
	Recorded   int64      `json:"recorded" doc:"receipts and sold karcis"`
	Karcis     int64      `json:"recorded_karcis" doc:"of it: sold karcis beyond what cash receipts of the class, site and day stand for"`
	Compared   int64      `json:"recorded_compared" doc:"recorded of the classes that expected is of"`
	Declared   city.Int   `json:"declared" doc:"always null: an SPTPD is of a month, see periods"`
	Due        city.Int   `json:"due" doc:"null: a part has no rate"`
	DueBy      TextOrNull `json:"due_by" format:"date"`
	Settled    city.Int   `json:"settled" doc:"paid without cash and confirmed by a settlement, net of its fee"`
	Fee        city.Int   `json:"fee"`
	Deposited  city.Int   `json:"deposited"`
	Overdue    city.Int   `json:"overdue"`
	Leak1      *Leak1     `json:"leak_1"`
	Leak2      city.Int   `json:"leak_2"`
	Leak2State string     `json:"leak_2_state" enum:"known,not_yet_due,by_period,no_rate,unknown"`
	Confidence city.Milli `json:"confidence" doc:"0..1: share of expected that was seen; null with expected"`
	Whole      bool       `json:"whole" doc:"the day is over"`
	Evidence   Evidence   `json:"evidence"`

	Parties []ReconciledParty `json:"parties" doc:"where the day has several (a change of operator or levy, a credit of another for this day alone): each; what they do not have in common is null above, money is of all"`
}

// ReconciledParty is what one party has of a site's day. Rupiah.
type ReconciledParty struct {
	Operator   TextOrNull `json:"operator"`
	NPWPD      TextOrNull `json:"npwpd"`
	NOPD       TextOrNull `json:"nopd"`
	Levy       TextOrNull `json:"levy" enum:"street,special,pbjt"`
	Account    TextOrNull `json:"account"`
	Receipts   int64      `json:"receipts"`
	Recorded   int64      `json:"recorded"`
	Karcis     int64      `json:"recorded_karcis"`
	Due        city.Int   `json:"due"`
	DueBy      TextOrNull `json:"due_by" format:"date"`
	Settled    city.Int   `json:"settled"`
	Fee        city.Int   `json:"fee"`
	Deposited  city.Int   `json:"deposited"`
	Overdue    city.Int   `json:"overdue"`
	Leak2      city.Int   `json:"leak_2"`
	Leak2State string     `json:"leak_2_state" enum:"known,not_yet_due,by_period,no_rate,unknown"`
}

// Evidence is what a site's day rests on.
type Evidence struct {
	Stays    int            `json:"stays" doc:"that sensors saw"`
	Charged  int            `json:"stays_charged" doc:"of those, with a price above 0"`
	Sample   []EvidenceStay `json:"sample" doc:"the first stays that pay something"`
	Receipts int64          `json:"receipts"`
	Sold     int64          `json:"karcis_sold" doc:"rupiah of the karcis that were sold, whole"`
	Karcis   []EvidenceSold `json:"karcis" doc:"the first 20 ranges that were sold"`
	Coverage city.Milli     `json:"coverage" doc:"0..1: known share of places x open time"`
	Gaps     []EvidenceGap  `json:"gaps" doc:"when places were not seen, the first 20"`
	Days     []string       `json:"days" doc:"days of the same kind from which the gaps were estimated"`
	Unseen   []string       `json:"classes_unseen" doc:"classes without a sensor: nothing is expected of them"`
	Links    []string       `json:"links" doc:"the receipts, and the history of the places"`
	Reports  []SiteReports  `json:"reports" doc:"of citizens that day: overcharged, no_karcis, illegal_attendant; not those that were rejected or are duplicates"`
}

// SiteReports counts citizens' reports of a service.
type SiteReports struct {
	Service string `json:"service"`
	Count   int    `json:"count"`
}

// EvidenceSold is a range of karcis that was sold. Rupiah.
type EvidenceSold struct {
	Reference string     `json:"reference"`
	Series    string     `json:"series"`
	First     uint64     `json:"first"`
	Last      uint64     `json:"last"`
	Class     string     `json:"class"`
	Amount    int64      `json:"amount" doc:"of all its numbers; those that are void count nothing"`
	Attendant TextOrNull `json:"attendant"`
}

// EvidenceStay is a stay that was seen.
type EvidenceStay struct {
	Device string `json:"device"`
	Class  string `json:"class"`
	From   Time   `json:"from"`
	Until  Time   `json:"until"`
	Begun  bool   `json:"begin_seen"`
	Amount int64  `json:"amount" doc:"rupiah; of a stay whose begin was not seen the least"`
}

// EvidenceGap is a time in which places were not seen.
type EvidenceGap struct {
	Class string     `json:"class"`
	From  Time       `json:"from"`
	Until Time       `json:"until"`
	Known city.Milli `json:"known" doc:"0..1: share that was seen"`
}

// ReconciledPeriod is what an operator owes of an account and month. Rupiah.
type ReconciledPeriod struct {
	Month      string     `json:"month"`
	Operator   TextOrNull `json:"operator"`
	NPWPD      TextOrNull `json:"npwpd"`
	NOPD       TextOrNull `json:"nopd" doc:"null: of all objects, where a credit does not say for which it is; of a retribusi"`
	Account    TextOrNull `json:"account"`
	Sites      []string   `json:"sites"`
	Recorded   int64      `json:"recorded"`
	Declared   city.Int   `json:"declared" doc:"gross of the filed SPTPD"`
	Due        city.Int   `json:"due"`
	DueFiled   city.Int   `json:"due_filed" doc:"due as filed: what came after the month's close is owed with the next open month"`
	DueNow     city.Int   `json:"due_now" doc:"of due_filed, what had to be paid by now"`
	DueBy      TextOrNull `json:"due_by" format:"date"`
	Settled    city.Int   `json:"settled"`
	Fee        city.Int   `json:"fee"`
	Deposited  city.Int   `json:"deposited"`
	CarriedIn  int64      `json:"carried_in" doc:"of credits for closed months: pays what came late for those and is filed with this one"`
	CarriedOut int64      `json:"carried_out" doc:"of its own credits: pays what came late and is filed with a later month"`
	Overdue    city.Int   `json:"overdue"`
	Leak2      city.Int   `json:"leak_2"`
	Leak2State string     `json:"leak_2_state" enum:"known,not_yet_due,no_rate,unknown"`
	Credits    []string   `json:"credits" doc:"references, the first 20"`
}

// Reconciliation is a day of the city.
type Reconciliation struct {
	Date    string             `json:"date" format:"date"`
	Items   []ReconciledSite   `json:"items"`
	Periods []ReconciledPeriod `json:"periods" doc:"of the date's month, as known now; on the first page"`
	Next    TextOrNull         `json:"next" doc:"cursor of the next page, null at the end"`
}

// Statement is the draft of an operator's SPTPD of a month. Rupiah.
type Statement struct {
	Operator   string            `json:"operator"`
	Name       TextOrNull        `json:"name"`
	NPWPD      TextOrNull        `json:"npwpd"`
	Month      string            `json:"month"`
	FileBy     string            `json:"file_by" format:"date"`
	DepositBy  string            `json:"deposit_by" format:"date"`
	AsOf       string            `json:"as_of" format:"date"`
	View       string            `json:"view" enum:"known,filed"`
	ClosedOn   TextOrNull        `json:"closed_on" format:"date" doc:"null: the month is open"`
	Known      StatementBase     `json:"known" doc:"gross and due as known now"`
	Filed      StatementBase     `json:"filed" doc:"gross and due as filed: what came after the close of its month stands in the next open month"`
	Gross      int64             `json:"gross" doc:"of PBJT, in the view"`
	Due        city.Int          `json:"due" doc:"in the view; unpaid and interest are reckoned from the one of filed, in either view"`
	Declared   city.Int          `json:"declared" doc:"gross of the filed SPTPD"`
	FiledOn    TextOrNull        `json:"filed_on" format:"date"`
	Deposited  city.Int          `json:"deposited" doc:"null: not known"`
	CarriedIn  city.Int          `json:"carried_in" doc:"of credits for closed months: pays what came late for those and is filed with this one"`
	CarriedOut city.Int          `json:"carried_out" doc:"of its own credits: pays what came late and is filed with a later month"`
	Unpaid     city.Int          `json:"unpaid" doc:"of what is due as filed"`
	Interest   city.Int          `json:"interest"`
	Late       []LatePart        `json:"late" doc:"parts that were paid late or not at all"`
	Objects    []StatementObject `json:"objects"`
	Other      []StatementObject `json:"other" doc:"retribusi, which has no SPTPD and no interest"`
	Credits    []StatementCredit `json:"credits"`
}

// StatementBase is what a tax is reckoned from, and the tax. Rupiah.
type StatementBase struct {
	Gross int64    `json:"gross"`
	Due   city.Int `json:"due" doc:"null: a part has no rate"`
}

// StatementObject is a tax object, or a retribusi's site, in a month.
type StatementObject struct {
	NOPD     TextOrNull `json:"nopd"`
	Site     TextOrNull `json:"site"`
	Account  TextOrNull `json:"account"`
	Rate     city.Milli `json:"rate_percent" doc:"of gross; null: not known"`
	Receipts int64      `json:"receipts"`
	Gross    int64      `json:"gross"`
	Due      city.Int   `json:"due"`
}

// StatementCredit is a credit for the month.
type StatementCredit struct {
	Reference  string `json:"reference"`
	Kind       string `json:"kind"`
	Account    string `json:"account"`
	CreditedOn string `json:"credited_on" format:"date"`
	Net        int64  `json:"net"`
}

// LatePart is a part of what is due with the interest on it.
type LatePart struct {
	Reference TextOrNull `json:"reference" doc:"null: unpaid"`
	Until     string     `json:"until" format:"date"`
	Amount    int64      `json:"amount"`
	Months    int        `json:"months"`
	Interest  int64      `json:"interest"`
}

// Realisasi is a year against its targets.
type Realisasi struct {
	Year        int            `json:"year"`
	Items       []RealisasiRow `json:"items"`
	Projections []Projection   `json:"projections"`
}

// RealisasiRow is a period of an account, or of a kecamatan and account. Rupiah.
type RealisasiRow struct {
	Period        string     `json:"period" doc:"2026-03-02, 2026-03, 2026-Q1 or 2026"`
	Kecamatan     TextOrNull `json:"kecamatan" doc:"null by account; and of credits that name no site"`
	Account       string     `json:"account"`
	Name          TextOrNull `json:"name"`
	Target        city.Int   `json:"target" doc:"of the period; null: none is set"`
	Recorded      city.Int   `json:"recorded"`
	Due           city.Int   `json:"due"`
	Realized      city.Int   `json:"realized"`
	Percent       city.Milli `json:"percent" doc:"realized of target"`
	Remaining     city.Int   `json:"remaining" doc:"target - realized"`
	ToDate        city.Int   `json:"to_date" doc:"realized from the year's begin (s.d.)"`
	ToDatePercent city.Milli `json:"to_date_percent" doc:"of the year's target"`
	Suppressed    bool       `json:"suppressed"`
}

// Projection is what a year will bring. Rupiah.
type Projection struct {
	Account string    `json:"account"`
	Of      string    `json:"of" enum:"due,realized"`
	Target  city.Int  `json:"target"`
	Months  int       `json:"months" doc:"that are over, from the first of which the books have anything"`
	Year    *Interval `json:"year" doc:"null before three months are over"`
}
