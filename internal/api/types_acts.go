package api

import (
	"math"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// NewDeposit is a credit that the treasury, or a settlement file, confirms.
type NewDeposit struct {
	Reference  string `json:"reference" maxLength:"64" doc:"NTPN, number of the STS, or of the line in the settlement file"`
	Kind       string `json:"kind" enum:"SSPD,STS,settlement"`
	Account    string `json:"account" doc:"kode rekening"`
	Operator   string `json:"operator" doc:"id in operators.csv"`
	Site       string `json:"site,omitempty" doc:"absent: for no one site"`
	PeriodFrom string `json:"period_from" format:"date" doc:"first day that it is for"`
	PeriodTo   string `json:"period_to" format:"date" doc:"last day, inclusive"`
	CreditedOn string `json:"credited_on" format:"date"`
	Gross      *int64 `json:"gross" minimum:"1" doc:"rupiah"`
	Fee        *int64 `json:"fee" minimum:"0" doc:"rupiah"`
	Net        *int64 `json:"net" minimum:"0" doc:"gross - fee"`
	Channel    string `json:"channel,omitempty" maxLength:"64" doc:"no personal data"`
	Reverses   string `json:"reverses,omitempty" doc:"reference of the deposit that it takes back whole: all but credited_on and channel as there"`
}

// Deposit is a credit as the books hold it.
type Deposit struct {
	Standing
	NewDeposit
}

func (n *NewDeposit) line() (journal.Line, []city.FieldError) {
	var missing []city.FieldError
	l := &journal.Deposit{
		Reference: n.Reference, Kind: n.Kind, Account: n.Account, Operator: n.Operator, Site: n.Site,
		PeriodFrom: n.PeriodFrom, PeriodTo: n.PeriodTo, CreditedOn: n.CreditedOn, Channel: n.Channel, Reverses: n.Reverses,
	}
	l.Gross, l.Fee, l.Net = rupiah(&missing, "gross", n.Gross), rupiah(&missing, "fee", n.Fee), rupiah(&missing, "net", n.Net)
	return l, missing
}

func (n *NewDeposit) show(line journal.Line) {
	if l, ok := line.(*journal.Deposit); ok {
		*n = NewDeposit{
			Reference: l.Reference, Kind: l.Kind, Account: l.Account, Operator: l.Operator, Site: l.Site,
			PeriodFrom: l.PeriodFrom, PeriodTo: l.PeriodTo, CreditedOn: l.CreditedOn,
			Gross: shownNumber(l.Gross), Fee: shownNumber(l.Fee), Net: shownNumber(l.Net), Channel: l.Channel, Reverses: l.Reverses,
		}
	}
}

// rupiah reads an amount; one that is far off stays far off.
func rupiah(missing *[]city.FieldError, field string, n *int64) city.Rupiah {
	return city.Rupiah(min(max(number(missing, field, n), math.MinInt64/4), math.MaxInt64/4))
}

// NewClose closes a period.
type NewClose struct {
	Period string `json:"period" doc:"masa pajak, YYYY-MM; it must be over"`
}

// Close is a closed period.
type Close struct {
	Standing
	NewClose
}

func (n *NewClose) line() (journal.Line, []city.FieldError) { //nolint:unparam // as every newLine
	return &journal.Close{Period: n.Period}, nil
}

func (n *NewClose) show(line journal.Line) {
	if l, ok := line.(*journal.Close); ok {
		n.Period = l.Period
	}
}

// NewDeclaration is an operator's filed SPTPD.
type NewDeclaration struct {
	Reference string `json:"reference" maxLength:"64"`
	NPWPD     string `json:"npwpd" doc:"taxpayer, of operators.csv"`
	NOPD      string `json:"nopd" doc:"object, of sites.geojson"`
	Period    string `json:"period" doc:"masa pajak, YYYY-MM"`
	FiledOn   string `json:"filed_on" format:"date"`
	Gross     *int64 `json:"gross" minimum:"0" doc:"rupiah"`
	Tax       *int64 `json:"tax" minimum:"0" doc:"rupiah"`
	Corrects  string `json:"corrects,omitempty" doc:"reference of the declaration that it stands for"`
}

// Declaration is a filed SPTPD as the books hold it.
type Declaration struct {
	Standing
	NewDeclaration
}

func (n *NewDeclaration) line() (journal.Line, []city.FieldError) {
	var missing []city.FieldError
	l := &journal.Declaration{Reference: n.Reference, NPWPD: n.NPWPD, NOPD: n.NOPD, Period: n.Period, FiledOn: n.FiledOn, Corrects: n.Corrects}
	l.Gross, l.Tax = rupiah(&missing, "gross", n.Gross), rupiah(&missing, "tax", n.Tax)
	return l, missing
}

func (n *NewDeclaration) show(line journal.Line) {
	if l, ok := line.(*journal.Declaration); ok {
		*n = NewDeclaration{
			Reference: l.Reference, NPWPD: l.NPWPD, NOPD: l.NOPD, Period: l.Period, FiledOn: l.FiledOn,
			Gross: shownNumber(l.Gross), Tax: shownNumber(l.Tax), Corrects: l.Corrects,
		}
	}
}

// NewKarcis says what became of a range of numbers of a series.
type NewKarcis struct {
	Reference string `json:"reference" maxLength:"64"`
	State     string `json:"state" enum:"issued,returned,void,sold"`
	Series    string `json:"series" maxLength:"64"`
	First     *int64 `json:"first" minimum:"1"`
	Last      *int64 `json:"last" minimum:"1" doc:"inclusive"`
	Class     string `json:"class" enum:"car,motorcycle,truck,bus,bicycle,unknown"`
	Price     *int64 `json:"price" minimum:"0" doc:"rupiah of one; as issued"`
	Site      string `json:"site,omitempty" doc:"required for sold"`
	Attendant string `json:"attendant,omitempty" doc:"id in attendants.csv"`
	Date      string `json:"date" format:"date"`
	Reverses  string `json:"reverses,omitempty" doc:"reference of the range that it takes back whole"`
}

// Karcis is a range of numbers as the books hold it.
type Karcis struct {
	Standing
	NewKarcis
}

func (n *NewKarcis) line() (journal.Line, []city.FieldError) {
	var missing []city.FieldError
	l := &journal.Karcis{Reference: n.Reference, State: n.State, Series: n.Series, Site: n.Site, Attendant: n.Attendant, Date: n.Date, Reverses: n.Reverses}
	l.First = uint64(max(number(&missing, "first", n.First), 0))
	l.Last = uint64(max(number(&missing, "last", n.Last), 0))
	l.Price = rupiah(&missing, "price", n.Price)
	var ok bool
	if l.Class, ok = city.ParseClass(n.Class); !ok {
		missing = append(missing, city.FieldError{Field: "class", Detail: "must be one of car, motorcycle, truck, bus, bicycle, unknown"})
	}
	return l, missing
}

func (n *NewKarcis) show(line journal.Line) {
	if l, ok := line.(*journal.Karcis); ok {
		*n = NewKarcis{
			Reference: l.Reference, State: l.State, Series: l.Series, First: shownNumber(l.First), Last: shownNumber(l.Last), Class: l.Class.String(),
			Price: shownNumber(l.Price), Site: l.Site, Attendant: l.Attendant, Date: l.Date, Reverses: l.Reverses,
		}
	}
}

// NewHandover is cash that went from one hand to the next.
type NewHandover struct {
	Reference   string `json:"reference" maxLength:"64"`
	Hop         string `json:"hop" enum:"collector,treasurer,sts" doc:"who took it: a collector from an attendant, the treasurer from a collector, the treasury by an STS"`
	From        string `json:"from" doc:"id of who gave, no name; hop collector: of attendants.csv"`
	To          string `json:"to" doc:"id of who took; hop sts: reference of the STS"`
	Site        string `json:"site,omitempty"`
	CollectedOn string `json:"collected_on" format:"date" doc:"day on which the money was taken in"`
	HandedOn    string `json:"handed_on" format:"date"`
	Amount      *int64 `json:"amount" minimum:"1" doc:"rupiah"`
	Reverses    string `json:"reverses,omitempty" doc:"reference of the hand-over that it takes back whole"`
}

// Handover is a hand-over as the books hold it.
type Handover struct {
	Standing
	NewHandover
}

func (n *NewHandover) line() (journal.Line, []city.FieldError) {
	var missing []city.FieldError
	l := &journal.Handover{
		Reference: n.Reference, Hop: n.Hop, From: n.From, To: n.To, Site: n.Site, CollectedOn: n.CollectedOn, HandedOn: n.HandedOn, Reverses: n.Reverses,
	}
	l.Amount = rupiah(&missing, "amount", n.Amount)
	return l, missing
}

func (n *NewHandover) show(line journal.Line) {
	if l, ok := line.(*journal.Handover); ok {
		*n = NewHandover{
			Reference: l.Reference, Hop: l.Hop, From: l.From, To: l.To, Site: l.Site, CollectedOn: l.CollectedOn, HandedOn: l.HandedOn,
			Amount: shownNumber(l.Amount), Reverses: l.Reverses,
		}
	}
}
