package ledger

import (
	"fmt"

	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// effect notes what a range does to the sums, or with sign -1 what is taken back
// of it: a number counts, on the day of its sale, while it is sold and not void.
func (d *desk) effect(l *journal.Karcis, of *Entry, sign int64) error {
	switch l.State {
	case "sold":
		count := int64(l.Last - l.First + 1)
		void, err := d.numbers(l.Series, "void", l.First, l.Last)
		if err != nil {
			return err
		}
		for i := range void {
			count -= void[i].within(l)
		}
		d.sell(of, l, sign*count)
	case "void":
		sold, err := d.numbers(l.Series, "sold", l.First, l.Last)
		if err != nil {
			return err
		}
		for i := range sold {
			of, err := d.entryOf(sold[i].n)
			if err != nil {
				return err
			}
			d.sell(of, l, -sign*sold[i].within(l))
		}
	}
	return nil
}

func (d *desk) sell(of *Entry, l *journal.Karcis, count int64) {
	if count != 0 {
		d.sold = append(d.sold, sale{of, count, count * int64(l.Price)})
	}
}

// within counts the numbers of the row that a line names.
func (r *karcisRow) within(l *journal.Karcis) int64 {
	return int64(min(r.last, l.Last)) - int64(max(r.first, l.First)) + 1
}

// entryOf returns an entry of the books, or of this act.
func (d *desk) entryOf(n uint64) (*Entry, error) {
	if first := d.n - uint64(len(d.entries)); n > first {
		return d.entries[n-first-1], nil
	}
	var data, hash []byte
	var sum int64
	err := d.tx.QueryRowContext(d.ctx, queryTexts[qEntry], int64(n)).Scan(&data, &hash, &sum)
	if err == nil {
		err = sqlite.CheckSum(sum, "entry", int64(n), data, hash)
	}
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", n, err)
	}
	e, err := DecodeEntry(data)
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", n, err)
	}
	return e, nil
}
