package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// Hop is what a hand took in and what it gave on.
type Hop struct {
	Date     string // day on which the money was collected, YYYY-MM-DD; "" for an STS
	Stage    string // attendant, collector, treasurer, sts
	Holder   string // id of the hand; of an STS its reference
	Received city.Rupiah
	Passed   city.Rupiah
}

var stages = []string{"attendant", "collector", "treasurer", "sts"}

// Key orders hops: by date, then from hand to hand; each STS comes first.
func (h *Hop) Key() string {
	return h.Date + " " + strconv.Itoa(slices.Index(stages, h.Stage)) + " " + h.Holder
}

// around is how many days before and after its collection money is looked for
// on its way.
const around = 62

// Hops compares each hand-over with the next, of money that was collected in
// [from, to): an attendant's sold karcis, which no line took back or made void, by
// the day of their sale, with what collectors got; what a
// collector and the treasurer got with what they gave on, and what was handed
// over for an STS with its deposit.
func (f *Follower) Hops(ctx context.Context, from, to string) ([]Hop, error) {
	first, err := parseDate(from)
	if err != nil {
		return nil, invalid("from", "write the date as YYYY-MM-DD")
	}
	last, err := parseDate(to)
	if err != nil {
		return nil, invalid("to", "write the date as YYYY-MM-DD")
	}
	h := hops{}
	var failed error
	within := func(date string) bool { return date >= from && date < to }
	err = f.each(ctx, LineQuery{Type: journal.TypeKarcis, FromDate: from, ToDate: to}, func(l *Line) {
		k, ok := l.Line.(*journal.Karcis)
		if ok && failed == nil && k.State == "sold" && k.Attendant != "" && k.Reverses == "" && l.Undone == 0 {
			var void int64
			void, failed = f.void(ctx, k)
			h.at(k.Date, 0, k.Attendant).Received += k.Price * city.Rupiah(int64(k.Last-k.First+1)-void)
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, fmt.Errorf("hops: %w", err)
	}
	touched := map[string]bool{}
	err = f.each(ctx, LineQuery{Type: journal.TypeHandover, FromDate: dateOf(first - around), ToDate: dateOf(last + around)}, func(l *Line) {
		m, ok := l.Line.(*journal.Handover)
		if !ok || m.Reverses != "" || l.Undone != 0 {
			return
		}
		amount, at := m.Amount, slices.Index(HandoverHops, m.Hop)
		if m.Hop == "sts" {
			h.at("", 3, m.To).Received += amount
			touched[m.To] = touched[m.To] || within(m.CollectedOn)
		}
		if within(m.CollectedOn) {
			h.at(m.CollectedOn, at, m.From).Passed += amount
			if m.Hop != "sts" {
				h.at(m.CollectedOn, at+1, m.To).Received += amount
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("hops: %w", err)
	}
	out := make([]Hop, 0, len(h))
	for _, hop := range h {
		if hop.Stage == "sts" {
			if !touched[hop.Holder] {
				continue
			}
			if hop.Passed, err = f.credited(ctx, hop.Holder); err != nil {
				return nil, fmt.Errorf("hops: %w", err)
			}
		}
		if hop.Received != 0 || hop.Passed != 0 {
			out = append(out, *hop)
		}
	}
	slices.SortFunc(out, func(a, b Hop) int { return strings.Compare(a.Key(), b.Key()) })
	return out, nil
}

// hops are by their key.
type hops map[string]*Hop

func (h hops) at(date string, stage int, holder string) *Hop {
	hop := &Hop{Date: date, Stage: stages[stage], Holder: holder}
	key := hop.Key()
	if h[key] == nil {
		h[key] = hop
	}
	return h[key]
}

// signed is an amount, or what takes it back.
func signed(amount city.Rupiah, reverses string) city.Rupiah {
	if reverses != "" {
		return -amount
	}
	return amount
}

// void counts the numbers of a range that are void.
func (f *Follower) void(ctx context.Context, k *journal.Karcis) (n int64, err error) {
	rows, err := f.db.R.QueryContext(ctx, touching, k.Series, "void", int64(k.Last), int64(k.First))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	list, err := scanKarcis(rows, k.Series, "void")
	for i := range list {
		n += list[i].within(k)
	}
	return n, err
}

// credited is what the deposit of an STS brought, 0 where there is none or it
// was taken back.
func (f *Follower) credited(ctx context.Context, reference string) (amount city.Rupiah, err error) {
	err = f.each(ctx, LineQuery{Type: journal.TypeDeposit, Reference: reference}, func(l *Line) {
		if d, ok := l.Line.(*journal.Deposit); ok && d.Kind == "STS" && d.Reverses == "" && l.Undone == 0 {
			amount += d.Gross
		}
	})
	return amount, err
}

// each calls f with every line that a query selects, page after page.
func (f *Follower) each(ctx context.Context, q LineQuery, each func(*Line)) error {
	q.Limit = largestPage
	for {
		page, next, err := f.Lines(ctx, q)
		if err != nil {
			return err
		}
		for i := range page {
			each(&page[i])
		}
		if next == "" {
			return nil
		}
		q.After = next
	}
}
