package world

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
)

// acts are what staff have written, by docs/api.md ("Writing into the books"):
// every act that came, one after the other, with all of its lines or none.
type acts struct {
	lines    []booked // of all acts that count, in their order
	outcomes map[uint64]verdict
	sold     map[uint64]map[base]int64 // rupiah of karcis as of an act
	closed   map[uint64]map[string]bool
	reads    int
}

// booked is a line that stands, or stood.
type booked struct {
	line   journal.Line
	undone bool
}

type verdict struct {
	outcome ledger.Outcome
	lines   int
}

// foldActs goes through the journal.
func foldActs(entries []journal.Entry) *acts {
	a := &acts{outcomes: map[uint64]verdict{}, sold: map[uint64]map[base]int64{}, closed: map[uint64]map[string]bool{}}
	for i := range entries {
		e := &entries[i]
		if !e.Type.IsAct() {
			continue
		}
		outcome, lines := a.judge(e)
		a.outcomes[e.Pos] = verdict{outcome, len(lines)}
		if outcome == ledger.Booked {
			a.take(lines)
			if e.Type == journal.TypeAccess {
				a.reads += len(e.Act.Lines)
			}
		}
		a.sold[e.Pos], a.closed[e.Pos] = a.sales(), a.closes()
	}
	return a
}

// judge says what becomes of an act, and which of its lines are new.
func (a *acts) judge(e *journal.Entry) (ledger.Outcome, []journal.Line) {
	if e.Type == journal.TypeAccess {
		return ledger.Booked, nil
	}
	trial := &acts{lines: slices.Clone(a.lines)}
	var fresh []journal.Line
	conflict, refused := false, false
	for _, line := range e.Act.Lines {
		switch was := trial.find(line.Type(), line.Key()); {
		case was != nil && reflect.DeepEqual(was.line, line):
		case was != nil:
			conflict = true
		case !trial.may(line, dateOf(e.Recv)):
			refused = true
		default:
			fresh = append(fresh, line)
			trial.take([]journal.Line{line})
		}
	}
	switch {
	case conflict:
		return ledger.Conflict, nil
	case refused:
		return ledger.Refused, nil
	case len(fresh) == 0:
		return ledger.Known, nil
	default:
		return ledger.Booked, fresh
	}
}

func (a *acts) find(t journal.Type, key string) *booked {
	i := slices.IndexFunc(a.lines, func(b booked) bool { return b.line.Type() == t && b.line.Key() == key })
	if i < 0 {
		return nil
	}
	return &a.lines[i]
}

// take books lines.
func (a *acts) take(lines []journal.Line) {
	for _, line := range lines {
		if earlier := about(line); earlier != "" {
			a.find(line.Type(), earlier).undone = true
		}
		a.lines = append(a.lines, booked{line: line})
	}
}

// about is the reference of the line that a line takes back or stands for.
func about(line journal.Line) string {
	switch l := line.(type) {
	case *journal.Deposit:
		return l.Reverses
	case *journal.Karcis:
		return l.Reverses
	case *journal.Handover:
		return l.Reverses
	case *journal.Declaration:
		return l.Corrects
	default:
		return ""
	}
}

// may tells whether a line that is new can be booked on a day.
func (a *acts) may(line journal.Line, today string) bool {
	if earlier := about(line); earlier != "" {
		was := a.find(line.Type(), earlier)
		if was == nil || was.undone {
			return false
		}
		if _, declared := line.(*journal.Declaration); !declared && (about(was.line) != "" || !takesBack(line, was.line)) {
			return false
		}
	}
	switch l := line.(type) {
	case *journal.Deposit:
		return l.CreditedOn <= today && depositFits(l)
	case *journal.Karcis:
		return l.Date <= today && attends(l.Attendant, l.Site) && a.karcisFits(l)
	case *journal.Handover:
		return l.HandedOn <= today && (l.Hop != "collector" || attends(l.From, l.Site))
	case *journal.Declaration:
		return l.FiledOn <= today && l.FiledOn[:7] > l.Period && l.NOPD == "CONTOH-S-GATE" && a.declares(l)
	case *journal.Close:
		return l.Period < today[:7]
	default:
		return false
	}
}

// attends tells whether attendants.csv has one at a site.
func attends(who, site string) bool {
	return who == "" || who == attendant && site == "S-SPOT"
}

// takesBack tells whether a line is another one, taken back whole: the same but
// for its own reference and day.
func takesBack(line, was journal.Line) bool {
	switch l := line.(type) {
	case *journal.Deposit:
		c, w := *l, *was.(*journal.Deposit) //nolint:forcetypeassert // found by its type
		late := c.CreditedOn >= w.CreditedOn
		c.Reference, c.Reverses, c.CreditedOn = w.Reference, "", w.CreditedOn
		return late && c == w
	case *journal.Karcis:
		c, w := *l, *was.(*journal.Karcis) //nolint:forcetypeassert // found by its type
		c.Reference, c.Reverses, c.Date, c.Attendant = w.Reference, "", w.Date, w.Attendant
		return c == w
	case *journal.Handover:
		c, w := *l, *was.(*journal.Handover) //nolint:forcetypeassert // found by its type
		c.Reference, c.Reverses, c.HandedOn = w.Reference, "", w.HandedOn
		return c == w
	default:
		return false
	}
}

// depositFits tells whether a deposit names what belongs together: every version
// of this city's inventory has the same sites, operators and accounts.
func depositFits(l *journal.Deposit) bool {
	levy := ""
	for of, account := range accounts {
		if account == l.Account {
			levy = of
		}
	}
	if l.Operator != "dishub" && l.Operator != "op-01" {
		return false
	}
	if where, ok := sitesOf[l.Site]; l.Site != "" && (!ok || where.operator != l.Operator || l.Reverses == "" && where.levy != levy) {
		return false
	}
	return l.Reverses != "" || l.Kind != "SSPD" || levy == "pbjt"
}

// sitesOf are all sites that a city of the world may have.
var sitesOf = map[string]struct{ operator, levy string }{
	"S-SPOT": {"dishub", "street"}, "S-GATE": {"op-01", "pbjt"}, "S-COUNT": {"dishub", "special"}, "S-OPEN": {"op-01", "pbjt"},
}

// ticket is what became of a number of a series: the lines that stand.
type ticket struct{ issued, sold, void, returned *journal.Karcis }

func (a *acts) ticket(series string, n uint64) (t ticket) {
	for i := range a.lines {
		k, ok := a.lines[i].line.(*journal.Karcis)
		if !ok || a.lines[i].undone || k.Reverses != "" || k.Series != series || n < k.First || n > k.Last {
			continue
		}
		switch k.State {
		case "issued":
			t.issued = k
		case "sold":
			t.sold = k
		case "void":
			t.void = k
		case "returned":
			t.returned = k
		}
	}
	return t
}

// karcisFits goes through the numbers of a line one by one.
func (a *acts) karcisFits(l *journal.Karcis) bool {
	for n := l.First; n <= l.Last; n++ {
		t := a.ticket(l.Series, n)
		used := t.sold != nil || t.void != nil || t.returned != nil
		fits := t.issued != nil && t.issued.Class == l.Class && t.issued.Price == l.Price
		switch {
		case l.Reverses != "":
			fits = l.State != "issued" || !used
		case l.State == "issued":
			fits = t.issued == nil
		case l.State == "sold":
			fits = fits && t.sold == nil && t.returned == nil
		case l.State == "returned":
			fits = fits && t.returned == nil && t.sold == nil
		default:
			fits = fits && t.void == nil
		}
		if !fits {
			return false
		}
	}
	return true
}

// declares tells whether a declaration is the first of its object and month, or
// names the one that holds.
func (a *acts) declares(l *journal.Declaration) bool {
	for i := range a.lines {
		x, ok := a.lines[i].line.(*journal.Declaration)
		if !ok || a.lines[i].undone {
			continue
		}
		if x.Reference == l.Corrects {
			return x.NPWPD == l.NPWPD && x.NOPD == l.NOPD && x.Period == l.Period
		}
		if l.Corrects == "" && x.NPWPD == l.NPWPD && x.NOPD == l.NOPD && x.Period == l.Period {
			return false
		}
	}
	return l.Corrects == ""
}

// sales are the numbers that are sold and not void, by the day, site and class of
// their sale.
func (a *acts) sales() map[base]int64 {
	sold := map[base]int64{}
	a.eachSold(func(k *journal.Karcis) {
		sold[base{k.Date, k.Site, k.Class.String(), "karcis"}] += int64(k.Price)
	})
	return sold
}

// eachSold calls each for every number that is sold and not void.
func (a *acts) eachSold(each func(*journal.Karcis)) {
	for i := range a.lines {
		k, ok := a.lines[i].line.(*journal.Karcis)
		if !ok || k.State != "sold" || k.Reverses != "" || a.lines[i].undone {
			continue
		}
		for n := k.First; n <= k.Last; n++ {
			if a.ticket(k.Series, n).void == nil {
				each(k)
			}
		}
	}
}

func (a *acts) closes() map[string]bool {
	closed := map[string]bool{}
	for i := range a.lines {
		if c, ok := a.lines[i].line.(*journal.Close); ok {
			closed[c.Period] = true
		}
	}
	return closed
}

// hops compares hand after hand.
func (a *acts) hops() []ledger.Hop {
	type key struct{ date, stage, holder string }
	all := map[key]*ledger.Hop{}
	at := func(date, stage, holder string) *ledger.Hop {
		k := key{date, stage, holder}
		if all[k] == nil {
			all[k] = &ledger.Hop{Date: date, Stage: stage, Holder: holder}
		}
		return all[k]
	}
	a.eachSold(func(k *journal.Karcis) {
		if k.Attendant != "" {
			at(k.Date, "attendant", k.Attendant).Received += k.Price
		}
	})
	for i := range a.lines {
		h, ok := a.lines[i].line.(*journal.Handover)
		if !ok || a.lines[i].undone || h.Reverses != "" {
			continue
		}
		switch h.Hop {
		case "collector":
			at(h.CollectedOn, "attendant", h.From).Passed += h.Amount
			at(h.CollectedOn, "collector", h.To).Received += h.Amount
		case "treasurer":
			at(h.CollectedOn, "collector", h.From).Passed += h.Amount
			at(h.CollectedOn, "treasurer", h.To).Received += h.Amount
		default:
			at(h.CollectedOn, "treasurer", h.From).Passed += h.Amount
			at("", "sts", h.To).Received += h.Amount
		}
	}
	for k, hop := range all {
		if k.stage != "sts" {
			continue
		}
		for i := range a.lines {
			d, ok := a.lines[i].line.(*journal.Deposit)
			if ok && !a.lines[i].undone && d.Reference == k.holder && d.Kind == "STS" && d.Reverses == "" {
				hop.Passed += d.Gross
			}
		}
	}
	out := []ledger.Hop{}
	for _, hop := range all {
		out = append(out, *hop)
	}
	stages := []string{"attendant", "collector", "treasurer", "sts"}
	slices.SortFunc(out, func(x, y ledger.Hop) int {
		return cmp.Or(cmp.Compare(x.Date, y.Date), cmp.Compare(slices.Index(stages, x.Stage), slices.Index(stages, y.Stage)), cmp.Compare(x.Holder, y.Holder))
	})
	return out
}

// signedNet is what a deposit adds to what was credited.
func signedNet(d *journal.Deposit) city.Rupiah {
	if d.Reverses != "" {
		return -d.Net
	}
	return d.Net
}
