package ledger

import (
	"cmp"
	"math/bits"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// owedKey is a taxpayer's month.
type owedKey struct {
	payer string
	month int32
}

// owed is what a taxpayer of PBJT took in without cash in a month, and what
// covers it. Such money is the taxpayer's: to the city comes its tax, by SSPD. A
// settlement covers its gross, an SSPD as much of what was paid without cash as
// it is of the month's tax.
type owed struct {
	noCash, due   int64
	settled, paid int64
	dueUnknown    bool
}

func (o *owed) add(c *cell, p *party, due int64) {
	o.due += due
	o.dueUnknown = o.dueUnknown || p.Rate < 0
	if noCash(c.method) {
		o.noCash += c.amount
	}
}

// left is what no credit covers yet; false where it is not known how much one
// covers, since the rate is not.
func (o *owed) left() (int64, bool) {
	noCash := max(0, o.noCash)
	if o.dueUnknown && o.paid > 0 && noCash > 0 {
		return 0, false
	}
	covered := o.settled
	if paid := min(o.paid, o.due); paid > 0 {
		hi, lo := bits.Mul64(uint64(noCash), uint64(paid))
		share, _ := bits.Div64(hi, lo, uint64(o.due)) // paid is not over due
		covered += int64(share)
	}
	return max(0, noCash-covered), true
}

// yearTotal is what a year has of an account.
type yearTotal struct {
	levy                  inventory.Levy
	recorded, due, noCash int64
	settled, realized     int64
	dueUnknown            bool
	owed                  map[owedKey]*owed // of PBJT

	payers, settlers, creditors Payers
	late, lateNoCash            Payers // those by whom the filed view differs

	untoldSettled, untoldRealized bool // credits are kept back: their block has one or two taxpayers
}

func (t *yearTotal) add(c *cell, p *party, due int64) {
	t.recorded += c.amount
	t.due += due
	t.dueUnknown = t.dueUnknown || p.Rate < 0
	if noCash(c.method) {
		t.noCash += c.amount
	}
}

func (t *yearTotal) owing(npwpd, operator string, month int32) *owed {
	key := owedKey{cmp.Or(npwpd, "\x00"+operator), month}
	if t.owed[key] == nil {
		t.owed[key] = &owed{}
	}
	return t.owed[key]
}

// credit adds a credit of the year, or for it, unless it is not to be told yet.
func (t *yearTotal) credit(c *creditRow, year int, untold bool) {
	ofYear, forYear := int(c.month/12) == year, int(c.masa/12) == year && (c.kind == settlement || t.levy == inventory.LevyPBJT)
	if untold {
		t.untoldRealized = t.untoldRealized || ofYear
		t.untoldSettled = t.untoldSettled || forYear
		return
	}
	if ofYear {
		t.realized += c.net
		t.creditors.Add(c.npwpd, c.operator, c.net)
	}
	if !forYear {
		return
	}
	t.settlers.Add(c.npwpd, c.operator, c.gross)
	o := t.owing(c.npwpd, c.operator, c.masa)
	if c.kind == settlement {
		t.settled += c.gross
		o.settled += c.gross
	} else {
		o.paid += c.net
	}
}

// noCash tells whether what was paid comes back in a settlement.
func noCash(m city.Method) bool { return m == city.QRIS || m == city.EMoney || m == city.Card }

// inSettlement is what was paid without cash and no credit covers yet: of a
// retribusi of the year, of PBJT by taxpayer and month.
func (t *yearTotal) inSettlement() city.Int {
	if t.levy != inventory.LevyPBJT {
		return city.SomeInt(max(0, t.noCash-t.settled))
	}
	sum := city.SomeInt(0)
	for _, o := range t.owed {
		left, known := o.left()
		sum = city.Int{V: sum.V + left, OK: sum.OK && known}
	}
	return sum
}

// total leaves out each figure of PBJT that is of fewer than three taxpayers,
// also where it would follow from one that is shown: a settlement of two, from
// what is no longer in settlement; what came late, from the filed and the known
// view.
func (t *yearTotal) total() AccountTotal {
	total := AccountTotal{
		Recorded: city.SomeInt(t.recorded), Due: city.Int{V: t.due, OK: !t.dueUnknown}, InSettlement: t.inSettlement(), Realized: city.SomeInt(t.realized),
	}
	if t.levy != inventory.LevyPBJT {
		return total
	}
	total.Withheld = t.untoldRealized || t.untoldSettled
	if t.payers.Count() < Fewest || t.late.Few() {
		total.Recorded, total.Due, total.Suppressed = city.Int{}, city.Int{}, true
	}
	if total.Suppressed || t.noCash != 0 && (t.settlers.Few() || t.lateNoCash.Few() || t.untoldSettled && t.settlers.Count() == 0) {
		total.InSettlement, total.Suppressed = city.Int{}, true
	}
	if t.creditors.Few() || t.payers.Count() < Fewest && t.creditors.Count() < Fewest || t.untoldRealized && t.creditors.Count() == 0 {
		total.Realized, total.Suppressed = city.Int{}, true
	}
	return total
}
