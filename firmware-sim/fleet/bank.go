package fleet

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// bank is what becomes of the money that the tills printed receipts for: each
// day the city's own places deposit their cash (STS) and what was paid without
// cash is settled; each month taxpayers file (SPTPD) and pay (SSPD). Nothing is
// rounded but the levy of a site's day, half up, as the books do.
type bank struct {
	f    *Fleet
	days map[string]map[taking]city.Rupiah // by date
}

// taking is what one site took on a day in one way.
type taking struct {
	site   string
	method city.Method
}

func (f *Fleet) newBank() *bank {
	b := &bank{f: f, days: map[string]map[taking]city.Rupiah{}}
	if f.o.Scenario.Bank.On {
		b.tomorrow(f.o.Start)
	}
	return b
}

// took counts a receipt that was printed, or with a minus a void.
func (b *bank) took(at int64, site string, method city.Method, amount city.Rupiah) {
	if !b.f.o.Scenario.Bank.On || amount == 0 {
		return
	}
	date := b.f.date(at)
	if b.days[date] == nil {
		b.days[date] = map[taking]city.Rupiah{}
	}
	b.days[date][taking{site, method}] += amount
}

func (f *Fleet) date(at int64) string { return time.UnixMilli(at).In(f.zone).Format(time.DateOnly) }

// tomorrow closes each day at six in the morning after, when voids of its last
// receipts are through; on the pay day the month before is filed and paid.
func (b *bank) tomorrow(at int64) {
	t := time.UnixMilli(at).In(b.f.zone)
	next := time.Date(t.Year(), t.Month(), t.Day()+1, 6, 0, 0, 0, b.f.zone)
	b.f.at(next.UnixMilli(), func(at int64) {
		b.day(next.AddDate(0, 0, -1))
		if next.Day() == b.f.o.Scenario.Bank.PayDay {
			b.month(time.Date(next.Year(), next.Month()-1, 1, 0, 0, 0, 0, b.f.zone))
		}
		b.tomorrow(at)
	})
}

// day deposits what the city's own places took.
func (b *bank) day(t time.Time) {
	date := t.Format(time.DateOnly)
	for _, s := range b.f.o.Version.Sites {
		a := b.f.o.Version.AccountFor(s.Levy, date)
		if s.Levy == inventory.LevyPBJT || a == nil {
			continue
		}
		var all, cashless city.Rupiah
		for _, m := range city.Methods {
			gross := b.days[date][taking{s.ID, m}]
			all += gross
			if m != city.QRIS && m != city.EMoney && m != city.Card {
				continue
			}
			share := levy(gross, sharePPM(a))
			cashless += share
			b.deposit(s, a, deposit{
				Kind: "settlement", Reference: "STL-" + date + "-" + s.ID + "-" + m.String(), Channel: m.String(),
				Gross: share, Fee: city.Rupiah(float64(share) * b.f.o.Scenario.Bank.Fee),
			}, t, t, 1)
		}
		b.deposit(s, a, deposit{
			Kind: "STS", Reference: "STS-" + date + "-" + s.ID, Channel: "teller", Gross: levy(all, sharePPM(a)) - cashless,
		}, t, t, 1)
	}
}

// month files and pays what taxpayers owe of a month.
func (b *bank) month(first time.Time) {
	last := first.AddDate(0, 1, -1)
	for _, s := range b.f.o.Version.Sites {
		a := b.f.o.Version.AccountFor(s.Levy, first.Format(time.DateOnly))
		if s.Levy != inventory.LevyPBJT || a == nil || a.RatePPM < 0 {
			continue
		}
		var gross, tax city.Rupiah
		for t := first; !t.After(last); t = t.AddDate(0, 0, 1) {
			var day city.Rupiah
			for _, m := range city.Methods {
				day += b.days[t.Format(time.DateOnly)][taking{s.ID, m}]
			}
			gross += day
			tax += levy(day, a.RatePPM)
		}
		if gross == 0 {
			continue
		}
		month := first.Format("2006-01")
		b.line(truth.Declared, s, map[string]any{
			"reference": "SPTPD-" + month + "-" + s.ID, "npwpd": b.npwpd(s.Operator), "nopd": s.NOPD, "period": month,
			"filed_on": last.AddDate(0, 0, b.f.o.Scenario.Bank.PayDay).Format(time.DateOnly), "gross": gross, "tax": tax,
		})
		b.deposit(s, a, deposit{Kind: "SSPD", Reference: "SSPD-" + month + "-" + s.ID, Channel: "va", Gross: tax}, first, last, b.f.o.Scenario.Bank.PayDay)
	}
	end := last.Format(time.DateOnly)
	maps.DeleteFunc(b.days, func(date string, _ map[taking]city.Rupiah) bool { return date <= end })
}

func (b *bank) npwpd(operator string) string {
	if o := b.f.o.Version.Operator(operator); o != nil {
		return o.NPWPD
	}
	return ""
}

// deposit is the body of contract section 4.
type deposit struct {
	Reference  string      `json:"reference"`
	Kind       string      `json:"kind"`
	Account    string      `json:"account"`
	Operator   string      `json:"operator"`
	Site       string      `json:"site,omitempty"`
	PeriodFrom string      `json:"period_from"`
	PeriodTo   string      `json:"period_to"`
	CreditedOn string      `json:"credited_on"`
	Gross      city.Rupiah `json:"gross"`
	Fee        city.Rupiah `json:"fee"`
	Net        city.Rupiah `json:"net"`
	Channel    string      `json:"channel"`
}

// deposit tells of one that is credited days after its period's end, and later
// or of less where that was planted.
func (b *bank) deposit(s *inventory.Site, a *inventory.Account, d deposit, from, to time.Time, after int) {
	planted := b.f.o.Scenario.Planted
	at := to.UnixMilli()
	if p := planted.In(scenario.DepositShort, s.Operator, at); p != nil {
		kept := city.Rupiah(math.Round(float64(d.Gross) * p.Share))
		d.Gross -= kept
		d.Fee = city.Rupiah(float64(d.Gross) * b.f.o.Scenario.Bank.Fee)
		if d.Kind != "settlement" {
			d.Fee = 0
		}
		b.leak("deposit_short", s.ID, at, kept)
	}
	if p := planted.In(scenario.DepositLate, s.Operator, at); p != nil {
		after += p.Days
	}
	if d.Gross <= 0 {
		return
	}
	d.Account, d.Operator, d.Site, d.Net = a.Account, s.Operator, s.ID, d.Gross-d.Fee
	d.PeriodFrom, d.PeriodTo = from.Format(time.DateOnly), to.Format(time.DateOnly)
	d.CreditedOn = to.AddDate(0, 0, after).Format(time.DateOnly)
	b.line(truth.Deposit, s, d)
}

func (b *bank) line(what string, s *inventory.Site, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("a %s cannot be said: %v", what, err)) // its members are text and whole numbers
	}
	b.f.o.Truth.Line(truth.Line{What: what, Site: s.ID, At: b.f.now, Body: text})
}

// leak tells of money that is lost on purpose.
func (b *bank) leak(name, site string, at int64, amount city.Rupiah) {
	b.f.o.Truth.Line(truth.Line{What: truth.Leak, Fault: name, Site: site, At: at, Amount: &amount})
}

const whole = 1_000_000

// sharePPM is what the city gets of a retribusi.
func sharePPM(a *inventory.Account) int64 {
	if a.SharePPM < 0 {
		return whole
	}
	return a.SharePPM
}

// levy is a part of an amount, rounded half up.
func levy(amount city.Rupiah, ppm int64) city.Rupiah {
	if amount < 0 {
		return -levy(-amount, ppm)
	}
	return city.Rupiah((int64(amount)*ppm + whole/2) / whole)
}
