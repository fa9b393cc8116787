package ledger

// Fewest is how many taxpayers a cell of PBJT must have to be told to the public
// and to those who see totals only.
const Fewest = 3

// Payer is by whom money was taken in or paid, as the books wrote it down.
type Payer struct{ NPWPD, Operator string }

// Payers are sums in rupiah by payer. A taxpayer is an NPWPD, whichever
// operators share it; an operator without one is a taxpayer of its own, unless
// another sum knows its NPWPD.
type Payers map[Payer]int64

// Add adds an amount to its payer's sum.
func (p Payers) Add(npwpd, operator string, amount int64) { p[Payer{npwpd, operator}] += amount }

// AddAll adds the sums of others without their signs: what came and was taken
// back in another sum is no less somebody's.
func (p Payers) AddAll(others Payers) {
	for who, amount := range others {
		p[who] += max(amount, -amount)
	}
}

// Count counts the taxpayers of whom there is something in the sum. Money of
// which nobody knows whose it is may be of any of them: it is one where there is
// no other.
func (p Payers) Count() int {
	npwpd := map[string]string{} // by operator
	for who := range p {
		if who.NPWPD != "" {
			npwpd[who.Operator] = max(npwpd[who.Operator], who.NPWPD)
		}
	}
	sums := make(map[Payer]int64, len(p))
	for who, amount := range p {
		switch {
		case who.NPWPD != "":
			who.Operator = ""
		case who.Operator != "" && npwpd[who.Operator] != "":
			who = Payer{NPWPD: npwpd[who.Operator]}
		}
		sums[who] += amount
	}
	n := 0
	for who, amount := range sums {
		if amount != 0 && who != (Payer{}) {
			n++
		}
	}
	if n == 0 && sums[Payer{}] != 0 {
		return 1
	}
	return n
}

// Few tells that there are some taxpayers and fewer than may be told.
func (p Payers) Few() bool { n := p.Count(); return n > 0 && n < Fewest }
