package ledger

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// Sold karcis stand in the sums of a day beside its receipts, under methods of
// their own: the price of what was sold, and what of it cash receipts stand for
// already. The numbers are in the file: none may become a method of receipts.
const (
	methodKarcis  city.Method = 14
	methodCovered city.Method = 15 // below 0
)

// methodWord is the word of a method in the sums.
func methodWord(m city.Method) string {
	if isKarcis(m) {
		return "karcis"
	}
	return m.String()
}

func isKarcis(m city.Method) bool { return m == methodKarcis || m == methodCovered }

// sale is a range of karcis that was sold, or whose sale was taken back.
type sale struct {
	of     *Entry // of the sale
	count  int64  // numbers, below 0: taken back
	amount int64
}

// sell adds a sale to the sums of its day and site; one that is taken back is
// taken from where it was added.
func (w *writer) sell(s sale) error {
	if s.of.Pos <= w.f.since {
		return nil
	}
	day := s.of.Day
	party := w.s.parties.atSite(s.of.Pos, s.of.Site, day)
	w.s.karcis[day] = true
	return w.post(bookKey{day, party, s.of.Class, methodKarcis}, sums{receipts: s.count, amount: s.amount}, w.afterClose(day) != 0)
}

// atSite returns the party of what is sold at a site on a day: that of the
// inventory at the day's end, as known at a position.
func (p *parties) atSite(pos uint64, site string, day int32) int32 {
	end := time.Date(1970, 1, int(day)+2, 0, 0, 0, 0, p.days.zone).UnixMilli() - 1
	v := p.timeline.At(pos, end)
	if v == nil || v.Site(site) == nil { // it has left the inventory, or came later
		v, _ = inventory.Find(p.timeline, pos, func(v *inventory.Version) (*inventory.Version, bool) { return v, v.Site(site) != nil })
	}
	if v == nil {
		return p.id(party{Rate: rateUnknown})
	}
	who := partyAt(v, v.Site(site))
	if a := v.AccountFor(who.Levy, dateOf(day)); a != nil {
		who.Account, who.Rate = a.Account, rateOf(a)
	}
	return p.id(who)
}

const classes = 16 // that a sum can have

// paid is the cash of a day and party, by class.
type paid struct{ karcis, cash, covered [classes]int64 }

type dayParty struct{ day, party int32 }

// post adds to the sums of a day. Late is what came after the month's close:
// that is filed with the next open month.
func (w *writer) post(key bookKey, effect sums, late bool) error {
	cash := key.method == city.Cash || key.method == methodKarcis
	if !cash || !w.s.karcis[key.day] {
		w.add(key, effect, late)
		return nil
	}
	p, err := w.paidOf(dayParty{key.day, key.party})
	if err != nil {
		return err
	}
	w.add(key, effect, late)
	if key.method == city.Cash {
		p.cash[key.class] += effect.amount
	} else {
		p.karcis[key.class] += effect.amount
	}
	for class, covered := range p.covers() {
		if more := covered - p.covered[class]; more != 0 {
			w.add(bookKey{key.day, key.party, city.Class(class), methodCovered}, sums{amount: -more}, late)
			p.covered[class] = covered
		}
	}
	return nil
}

func (w *writer) add(key bookKey, effect sums, late bool) {
	w.book[key] = w.book[key].plus(effect, 1)
	if late {
		w.filed[key] = w.filed[key].plus(effect, -1)
		key.day = w.filedDay(key.day)
		w.filed[key] = w.filed[key].plus(effect, 1)
	}
}

// covers returns how much of the sold karcis of each class cash receipts stand
// for: of the class itself, then of no told class; karcis of no told class are
// covered by any cash that is left.
func (p *paid) covers() (covered [classes]int64) {
	left := p.cash
	take := func(class, from int) {
		n := max(0, min(p.karcis[class]-covered[class], left[from]))
		covered[class] += n
		left[from] -= n
	}
	untold := [...]int{int(city.ClassNone), int(city.ClassUnknown)}
	for class := range classes {
		take(class, class)
	}
	for _, from := range untold {
		for class := range classes {
			take(class, from)
		}
	}
	for _, class := range untold {
		for from := range classes {
			take(class, from)
		}
	}
	return covered
}

// paidOf reads the cash of a day and party, with what this transaction has
// added.
func (w *writer) paidOf(of dayParty) (*paid, error) {
	if p := w.paid[of]; p != nil {
		return p, nil
	}
	p := &paid{}
	count := func(class city.Class, method city.Method, amount int64) {
		switch method {
		case city.Cash:
			p.cash[class&15] += amount
		case methodKarcis:
			p.karcis[class&15] += amount
		case methodCovered:
			p.covered[class&15] -= amount
		default:
		}
	}
	var data []byte
	var sum int64
	shelf := of.party / shelfSize
	err := w.row(qBook, of.day, shelf).Scan(&data, &sum)
	if err == nil {
		err = sqlite.CheckSum(sum, "book", int64(of.day), int64(shelf), data)
	}
	var cells []cell
	if err == nil {
		cells, err = decodeCells(nil, data)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%s: %w", dateOf(of.day), err)
	}
	for i := range cells {
		if c := &cells[i]; c.party == of.party {
			count(c.class, c.method, c.amount)
		}
	}
	for class := range city.Class(classes) {
		for _, method := range [...]city.Method{city.Cash, methodKarcis, methodCovered} {
			count(class, method, w.book[bookKey{of.day, of.party, class, method}].amount)
		}
	}
	w.paid[of] = p
	return p, nil
}

// loadKarcis reads the days for which something was written about karcis.
func (s *state) loadKarcis(f *Follower) error {
	s.karcis = map[int32]bool{}
	for day := int64(-1 << 31); ; {
		var next sql.NullInt64
		if err := f.db.W.QueryRowContext(f.ctx, "SELECT min(day) FROM line WHERE type = ? AND day > ?", int64(typeOf(KindKarcis)), day).Scan(&next); err != nil {
			return err
		}
		if !next.Valid {
			return nil
		}
		day = next.Int64
		s.karcis[int32(day)] = true
	}
}
