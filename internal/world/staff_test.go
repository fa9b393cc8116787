package world

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
)

// What staff write about.
const (
	accountPBJT   = "4.1.01.19.04.0001"
	taxpayer      = "P.2.0000001.01.01"
	attendant     = "att-1" // at S-SPOT by attendants.csv
	collector     = "col-1"
	treasurer     = "ben-1"
	karcisNumbers = 60 // of each of the two series
)

// accounts are by levy.
var accounts = map[string]string{"pbjt": accountPBJT, "street": "4.1.02.01.04.0001", "special": "4.1.02.02.14.0001"}

// office is the staff who write into the books. It is never sure that it was
// heard: what it sent it sends again now and then.
type office struct {
	sent []journal.Entry
	refs int
}

func (o *office) reference(what string) string {
	o.refs++
	return fmt.Sprintf("%s-%d", what, o.refs)
}

// staff sends an act: a new one, one that was sent before, or one that says
// something else under a reference that was used. Mostly the books are asked
// first, as app asks them; where they are not, the journal's order decides.
func (w *World) staff() {
	o := &w.office
	act := w.newAct()
	switch n := len(o.sent); {
	case n > 0 && w.dice.chance(22):
		act = *pickOf(w.dice, o.sent)
		w.note("staff sends again")
	case n > 0 && w.dice.chance(8):
		if other, ok := otherContent(pickOf(w.dice, o.sent)); ok {
			act = other
			w.note("staff sends other content")
		}
	default:
		o.sent = append(o.sent, act)
	}
	w.note("act of type %d: %s", act.Type, linesText(act.Act.Lines))
	if w.dice.chance(75) && !w.wouldBook(act) {
		return
	}
	w.do(intake.Command{Entries: []journal.Entry{act}, Done: nobody})
}

// wouldBook tries an act. Where the books have all that there is, what they say
// is what the model says.
func (w *World) wouldBook(act journal.Entry) bool {
	s := w.sys
	if books := s.runners[slices.IndexFunc(s.runners, func(r *runner) bool { return r.follower == follower(s.ledger) })]; w.dice.chance(50) {
		for w.follow(books) {
		}
		w.flush(books)
	}
	w.point("try")
	act.Recv = w.now + w.skew
	v, err := s.ledger.Try(w.ctx, &act)
	must(err, "try an act")
	w.note("tried: %d", v.Outcome)
	if s.ledger.Cursor() == s.journal.Head() {
		if want, _ := foldActs(w.model.entries).judge(&act); v.Outcome != want {
			failf("the books would say %d of an act, and should say %d: %s", v.Outcome, want, linesText(act.Act.Lines))
		}
	}
	return v.Outcome == ledger.Booked
}

func linesText(lines []journal.Line) string {
	list := make([]string, len(lines))
	for i, l := range lines {
		list[i] = fmt.Sprintf("%+v", l)
	}
	return strings.Join(list, " ")
}

// otherContent is an act under the same references that says something else;
// false where it has none.
func otherContent(of *journal.Entry) (journal.Entry, bool) {
	out := journal.Entry{Type: of.Type, Act: &journal.Act{By: of.Act.By}}
	for _, line := range of.Act.Lines {
		switch l := line.(type) {
		case *journal.Deposit:
			c := *l
			c.Gross, c.Net = l.Gross+500, l.Net+500
			line = &c
		case *journal.Karcis:
			c := *l
			c.Last++
			line = &c
		case *journal.Handover:
			c := *l
			c.Amount += 500
			line = &c
		case *journal.Declaration:
			c := *l
			c.Gross += 500
			line = &c
		default:
			return out, false
		}
		out.Act.Lines = append(out.Act.Lines, line)
	}
	return out, true
}

// newAct makes an act of one to three lines of a type.
func (w *World) newAct() journal.Entry {
	d := w.dice
	t := pick(d, journal.TypeDeposit, journal.TypeDeposit, journal.TypeKarcis, journal.TypeKarcis, journal.TypeKarcis, journal.TypeHandover, journal.TypeDeclaration, journal.TypeClose, journal.TypeClose, journal.TypeAccess)
	act := journal.Entry{Type: t, Act: &journal.Act{By: "tok-1"}}
	if t == journal.TypeAccess {
		act.Act.By = ""
	}
	for range 1 + d.n(3) {
		act.Act.Lines = append(act.Act.Lines, w.newLine(t))
	}
	return act
}

func (w *World) newLine(t journal.Type) journal.Line {
	switch t {
	case journal.TypeDeposit:
		return w.newDeposit()
	case journal.TypeKarcis:
		return w.newKarcis()
	case journal.TypeHandover:
		return w.newHandover()
	case journal.TypeDeclaration:
		return w.newDeclaration()
	case journal.TypeClose:
		return &journal.Close{Period: w.month(pick(w.dice, -2, -1, -1, -1, 0))}
	default:
		return &journal.Access{Token: "tok-2", At: w.now, Route: "listReceipts", Filter: "00ff"}
	}
}

// month is the month so many away from the one of now.
func (w *World) month(away int) string {
	t := time.UnixMilli(w.now).In(zone)
	return time.Date(t.Year(), t.Month()+time.Month(away), 1, 0, 0, 0, 0, zone).Format("2006-01")
}

// someDay is a day of late, seldom one that lies ahead.
func (w *World) someDay() string {
	if w.dice.chance(4) {
		return dateOf(w.now + 2*day)
	}
	return dateOf(w.now - w.dice.between(0, 3)*day)
}

// sentLine is a line of a type that was sent before, booked or not; nil for none.
func sentLine[T journal.Line](w *World) (found T, ok bool) {
	var all []T
	for i := range w.office.sent {
		for _, line := range w.office.sent[i].Act.Lines {
			if l, is := line.(T); is {
				all = append(all, l)
			}
		}
	}
	if len(all) == 0 {
		return found, false
	}
	return *pickOf(w.dice, all), true
}

func (w *World) newDeposit() *journal.Deposit {
	d := w.dice
	if was, ok := sentLine[*journal.Deposit](w); ok && d.chance(25) {
		back := *was
		back.Reference, back.Reverses, back.CreditedOn = w.office.reference("dep"), was.Reference, w.someDay()
		if d.chance(15) {
			back.Gross, back.Net = back.Gross+1000, back.Net+1000
		}
		return &back
	}
	s := pickOf(d, w.plan.sites)
	on := w.someDay()
	x := &journal.Deposit{
		Reference: w.office.reference("dep"), Kind: pick(d, "STS", "settlement"), Account: accounts[s.levy], Operator: s.operator, Site: s.id,
		PeriodFrom: on, PeriodTo: on, CreditedOn: w.someDay(), Gross: city.Rupiah(1000 * d.between(1, 90)), Channel: "bank",
	}
	if s.levy == "pbjt" && d.chance(70) {
		x.Kind = "SSPD"
	}
	switch {
	case d.chance(20):
		x.PeriodFrom, x.PeriodTo = "2026-10-01", "2026-10-31"
	case d.chance(10):
		x.PeriodFrom = "2026-10-30"
	}
	switch {
	case d.chance(25):
		x.Site = ""
	case d.chance(5):
		x.Operator = pick(d, "dishub", "op-01", "nobody")
	case d.chance(5):
		x.Kind = "SSPD"
	case d.chance(5):
		x.Account = accounts[pick(d, "pbjt", "street", "special")]
	}
	if x.Kind == "settlement" {
		x.Fee = x.Gross * 7 / 1000
	}
	x.Net = x.Gross - x.Fee
	return x
}

func (w *World) newKarcis() *journal.Karcis {
	d := w.dice
	was, ok := sentLine[*journal.Karcis](w)
	if ok && d.chance(20) {
		back := *was
		back.Reference, back.Reverses, back.Date = w.office.reference("kar"), was.Reference, w.someDay()
		if d.chance(10) {
			back.Last++
		}
		return &back
	}
	k := &journal.Karcis{
		Reference: w.office.reference("kar"), State: "issued", Series: pick(d, "A", "B"), First: uint64(1 + d.n(karcisNumbers)), Class: city.Car, Price: 2000, Site: "S-SPOT", Date: w.someDay(),
	}
	k.Last = k.First + uint64(d.n(12))
	if k.Series == "B" {
		k.Class, k.Price = city.Motorcycle, 1000
	}
	if ok && d.chance(75) { // of numbers that may have been issued
		k.State, k.Series, k.Class, k.Price = pick(d, "sold", "sold", "sold", "void", "returned"), was.Series, was.Class, was.Price
		k.First = was.First + uint64(d.n(int(was.Last-was.First+1)))
		k.Last = min(was.Last, k.First+uint64(d.n(5)))
	}
	switch {
	case d.chance(60):
		k.Attendant = attendant
	case d.chance(5):
		k.Attendant = "att-9"
	case d.chance(5):
		k.Price += 500
	case d.chance(10) && len(w.plan.sites) > 2:
		k.Site = w.plan.sites[2].id
	}
	return k
}

func (w *World) newHandover() *journal.Handover {
	d := w.dice
	if was, ok := sentLine[*journal.Handover](w); ok && d.chance(20) {
		back := *was
		back.Reference, back.Reverses, back.HandedOn = w.office.reference("han"), was.Reference, dateOf(w.now)
		if d.chance(10) {
			back.Amount += 1000
		}
		return &back
	}
	h := &journal.Handover{
		Reference: w.office.reference("han"), Hop: pick(d, "collector", "treasurer", "sts"), Site: "S-SPOT",
		CollectedOn: dateOf(w.now - w.dice.between(0, 3)*day), HandedOn: dateOf(w.now), Amount: city.Rupiah(1000 * d.between(1, 40)),
	}
	switch h.Hop {
	case "collector":
		h.From, h.To = pick(d, attendant, attendant, attendant, "att-9"), collector
	case "treasurer":
		h.From, h.To = collector, treasurer
	default:
		h.From, h.To = treasurer, "dep-1"
		if dep, ok := sentLine[*journal.Deposit](w); ok {
			h.To = dep.Reference
		}
	}
	return h
}

func (w *World) newDeclaration() *journal.Declaration {
	d := w.dice
	x := &journal.Declaration{
		Reference: w.office.reference("dec"), NPWPD: taxpayer, NOPD: "CONTOH-S-GATE", Period: w.month(pick(d, -2, -1, -1, 0)), FiledOn: w.someDay(),
		Gross: city.Rupiah(10_000 * d.between(1, 90)),
	}
	x.Tax = x.Gross / 10
	if d.chance(5) {
		x.NOPD = "CONTOH-NOWHERE"
	}
	if was, ok := sentLine[*journal.Declaration](w); ok && d.chance(50) {
		x.Corrects = was.Reference
		if d.chance(85) {
			x.NOPD, x.Period = was.NOPD, was.Period
		}
	}
	return x
}
