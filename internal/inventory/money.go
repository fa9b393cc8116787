package inventory

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
)

var accountColumns = []column{
	{"account", true}, {"name", true}, {"levy", true}, {"agency", false}, {"rate", false}, {"share", false}, {"from", false},
}

func (p *parser) accounts() {
	rows := map[string]int{}  // account and from
	first := map[string]row{} // account
	holds := map[string]row{} // levy and from
	for _, r := range p.readTable(fileAccounts, accountColumns).rows {
		a := Account{
			Account: r.id("account"), Name: r.need("name"), Agency: r.text("agency"), From: r.date("from"),
			Levy:    Levy(r.word("levy", string(LevyStreet), string(LevySpecial), string(LevyPBJT))),
			RatePPM: r.ppm("rate"), SharePPM: r.ppm("share"),
		}
		if r.text("levy") == "" {
			r.need("levy")
		}
		if a.Agency != "" && p.has(fileAgencies) && !p.hasAgency(a.Agency) {
			r.fault("agency %s is not in %s: use one of %s, or add it", short(a.Agency), fileAgencies, p.agencyIDs())
		}
		if a.RatePPM >= 0 && a.Levy != LevyPBJT && a.Levy != "" {
			r.fault("rate is for the levy pbjt: a retribusi has a share by contract, move it to share")
		}
		if a.SharePPM >= 0 && a.Levy == LevyPBJT {
			r.fault("share is for retribusi by contract: the tax has a rate, move it to rate")
		}
		if a.Account == "" || r.twice(rows, a.Account+" "+a.From, fmt.Sprintf("account %s from %q", a.Account, a.From)) {
			continue
		}
		p.overlaps(r, a, first, holds)
		if a.Levy == LevyPBJT && a.RatePPM < 0 && r.text("rate") == "" {
			p.warn(fileAccounts, r.line, "account %s has no rate: what is due of it stays unknown", a.Account)
		}
		p.v.Accounts = append(p.v.Accounts, a)
	}
	sort.Slice(p.v.Accounts, func(i, j int) bool {
		a, b := p.v.Accounts[i], p.v.Accounts[j]
		return a.Account < b.Account || a.Account == b.Account && a.From < b.From
	})
}

// overlaps checks that at any date one account holds for a levy.
func (p *parser) overlaps(r row, a Account, first, holds map[string]row) {
	if before, ok := first[a.Account]; ok {
		if levy := before.text("levy"); levy != string(a.Levy) && a.Levy != "" {
			r.fault("account %s has the levy %s here and %s on line %d: an account has one levy", a.Account, a.Levy, levy, before.line)
		}
	} else {
		first[a.Account] = r
	}
	if a.Levy == "" {
		return
	}
	key := string(a.Levy) + " " + a.From
	if other, ok := holds[key]; ok {
		r.fault("two accounts hold for the levy %s from %q on (the other on line %d): give the newer one the date from which it holds", a.Levy, a.From, other.line)
		return
	}
	holds[key] = r
}

// ppm returns a share in millionths, -1 where it is left out.
func (r row) ppm(name string) int64 {
	s := r.text(name)
	if s == "" {
		return -1
	}
	n, wrong := parsePPM(s, !r.t.comma)
	if wrong != "" {
		r.fault("%s %s", name, wrong)
		return -1
	}
	return n
}

// AccountFor returns the account that holds for a levy on a date (YYYY-MM-DD),
// nil where none does: the one with the newest `from` at or before the date.
func (v *Version) AccountFor(levy Levy, date string) *Account {
	var found *Account
	for i := range v.Accounts {
		if a := &v.Accounts[i]; a.Levy == levy && a.From <= date && (found == nil || a.From > found.From) {
			found = a
		}
	}
	return found
}

var targetColumns = []column{
	{"year", true}, {"month", false}, {"account", true}, {"site", false}, {"budget", false}, {"target", true},
}

func (p *parser) targets() {
	seen := map[string]int{}
	for _, r := range p.readTable(fileTargets, targetColumns).rows {
		t := Target{Account: r.need("account"), Site: r.text("site"), Budget: r.word("budget", "murni", "perubahan")}
		if t.Budget == "" {
			t.Budget = "murni"
		}
		if r.need("year") == "" || r.need("target") == "" {
			continue
		}
		year, _ := r.whole("year", 1990, 2199)
		month, monthOK := r.whole("month", 1, 12)
		target, _ := r.whole("target", 0, math.MaxInt64/1_000_000)
		t.Year, t.Month, t.Target = int(year), int(month), city.Rupiah(target)
		if t.Account != "" && !slices.ContainsFunc(p.v.Accounts, func(a Account) bool { return a.Account == t.Account }) {
			r.fault("account %s is not in %s: correct it or add the account", short(t.Account), fileAccounts)
		}
		if t.Site != "" && p.v.sites[t.Site] == nil {
			r.fault("site %s is not in %s: correct it or add the site", short(t.Site), fileSites)
		}
		key := fmt.Sprintf("%d/%d/%s/%s/%s", t.Year, t.Month, t.Account, t.Site, t.Budget)
		if !monthOK && r.text("month") != "" || r.twice(seen, key, fmt.Sprintf("the target of account %s for this time, site and budget", t.Account)) {
			continue
		}
		p.v.Targets = append(p.v.Targets, t)
	}
	sort.SliceStable(p.v.Targets, func(i, j int) bool { return p.v.Targets[i].less(&p.v.Targets[j]) })
}

func (t *Target) less(u *Target) bool {
	if t.Year != u.Year {
		return t.Year < u.Year
	}
	if t.Account != u.Account {
		return t.Account < u.Account
	}
	if t.Month != u.Month {
		return t.Month < u.Month
	}
	if t.Site != u.Site {
		return t.Site < u.Site
	}
	return t.Budget < u.Budget
}

var operatorColumns = []column{{"id", true}, {"name", true}, {"npwpd", false}}

func (p *parser) operators() {
	seen := map[string]int{}
	for _, r := range p.readTable(fileOperators, operatorColumns).rows {
		o := Operator{ID: r.id("id"), Name: r.need("name"), NPWPD: r.text("npwpd")}
		if o.ID == "" || r.twice(seen, o.ID, "operator "+o.ID) {
			continue
		}
		p.v.Operators = append(p.v.Operators, o)
	}
	sort.Slice(p.v.Operators, func(i, j int) bool { return p.v.Operators[i].ID < p.v.Operators[j].ID })
}

// Operator returns the operator of that id, nil if there is none.
func (v *Version) Operator(id string) *Operator {
	i := sort.Search(len(v.Operators), func(i int) bool { return v.Operators[i].ID >= id })
	if i < len(v.Operators) && v.Operators[i].ID == id {
		return &v.Operators[i]
	}
	return nil
}

var attendantColumns = []column{{"id", true}, {"site", true}, {"collector", false}, {"from", false}, {"to", false}}

func (p *parser) attendants() {
	type key struct{ id, site string }
	periods := map[key][]Attendant{}
	for _, r := range p.readTable(fileAttendants, attendantColumns).rows {
		a := Attendant{ID: r.id("id"), Site: r.need("site"), Collector: r.text("collector"), From: r.date("from"), To: r.date("to")}
		if a.Site != "" && p.v.sites[a.Site] == nil {
			r.fault("site %s of attendant %s is not in %s: correct it or add the site", short(a.Site), a.ID, fileSites)
		}
		if a.To != "" && a.To < a.From {
			r.fault("to %s is before from %s: swap or correct them", a.To, a.From)
		}
		k := key{a.ID, a.Site}
		for _, b := range periods[k] {
			if (b.To == "" || a.From <= b.To) && (a.To == "" || b.From <= a.To) {
				r.fault("attendant %s is at site %s in an overlapping time already: let one time end before the other begins", a.ID, a.Site)
				break
			}
		}
		if a.ID == "" {
			continue
		}
		periods[k] = append(periods[k], a)
		p.v.Attendants = append(p.v.Attendants, a)
	}
	sort.SliceStable(p.v.Attendants, func(i, j int) bool {
		a, b := p.v.Attendants[i], p.v.Attendants[j]
		if a.ID != b.ID {
			return a.ID < b.ID
		}
		return a.Site < b.Site || a.Site == b.Site && a.From < b.From
	})
}
