package watch

// number is a value that a message may leave out.
type number struct {
	V  int64
	OK bool
}

// mark is a reading with what its meter had counted by then.
type mark struct {
	Order  order
	ID     string
	At     int64
	Count  number
	Amount number
	Paper  uint64   // hash of its number
	Did    []effect // what it may have done to the totals, the likeliest first
}

// effect is what readings do to the totals.
type effect struct{ Count, Amount int64 }

// gap is a span between two readings in which the totals do not agree.
type gap struct {
	From, To mark
	Miss     effect
	Mixed    bool // readings without totals lie in it
	Kind     gapKind
	Since    int64 // the journal's clock when it was seen
}

type gapKind uint8

const (
	isGap gapKind = iota
	isReset
	isRollback
	isQuiet // the totals agree, but readings are missing that may have undone each other
)

// between compares two readings; ok is false where they agree.
func between(from, to mark, extra effect, now int64) (g gap, ok bool) {
	g = gap{From: from, To: to, Since: now, Mixed: extra != effect{}}
	for i, did := range to.Did {
		miss := effect{}
		if from.Count.OK && to.Count.OK {
			miss.Count = to.Count.V - from.Count.V - did.Count - extra.Count
		}
		if from.Amount.OK && to.Amount.OK {
			miss.Amount = to.Amount.V - from.Amount.V - did.Amount - extra.Amount
		}
		if miss == (effect{}) {
			g.Kind, g.Miss, g.From.Did = isQuiet, effect{}, nil
			return g, from.Order.room(to.Order)
		}
		if i == 0 {
			g.Miss = miss
		}
	}
	g.From.Did = nil
	fell := g.Miss.Count < 0 || g.Miss.Count == 0 && g.Miss.Amount < 0
	switch {
	case !fell || explained(&g):
	case fellToNothing(&from, &to):
		g.Kind = isReset
		g.Miss = effect{}
		if did := to.Did[0]; to.Count.OK && to.Count.V > did.Count {
			g.Miss.Count = to.Count.V - max(did.Count, 0)
			if to.Amount.OK {
				g.Miss.Amount = max(to.Amount.V-max(did.Amount, 0), 0)
			}
		}
	default:
		g.Kind = isRollback
	}
	return g, true
}

// explained tells whether voids that are missing between the two readings can
// have lowered the totals so far.
func explained(g *gap) bool {
	a, b := g.From.Order, g.To.Order
	if a.Boot != b.Boot || b.Seq <= a.Seq {
		return false
	}
	missing := b.Seq - a.Seq - 1
	return missing > 0 && uint64(-min(g.Miss.Count, 0)) <= missing
}

// fellToNothing tells whether the totals that fell show no more than the reading
// itself, or a tenth of what they were.
func fellToNothing(from, to *mark) bool {
	if from.Count.OK && to.Count.OK {
		return to.Count.V <= 1 || to.Count.V <= from.Count.V/10
	}
	return to.Amount.V <= max(to.Did[0].Amount, 0) || to.Amount.V <= from.Amount.V/10
}
