package ledger

import (
	"fmt"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// A credit of PBJT that is told to the public as soon as it comes tells its
// taxpayer's tax, and so the turnover, by what the year's figure grows. So the
// credits of an account are gathered in blocks, in the order in which they were
// booked: a block is told once three taxpayers are in it, and the next act with
// credits begins another. Two figures of two moments then differ by whole
// blocks, and the newest of them may lack the credits of one or two taxpayers.
//
// A block is of one year of credited_on and one of period_from, since figures
// are of a year.
type blockKey struct {
	account    string
	year, masa int32
}

// blockOf returns the block of a credit: the same for all of an act.
func (d *desk) blockOf(r *creditRow, levy inventory.Levy) (int64, error) {
	if levy != inventory.LevyPBJT || d.e.Pos <= d.since {
		return 0, nil
	}
	key := blockKey{r.account, r.month / 12, r.masa / 12}
	if block, known := d.blocks[key]; known {
		return block, nil
	}
	rows, err := d.tx.QueryContext(d.ctx, "SELECT "+creditColumns+` FROM credit
		WHERE month >= ?1 AND month < ?1 + 12 AND account = ?2 AND masa >= ?3 AND masa < ?3 + 12 AND block > 0`, key.year*12, key.account, key.masa*12)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	block, in := int64(1), Payers{}
	for rows.Next() {
		var is creditRow
		if err := is.scan(rows); err != nil {
			return 0, err
		}
		if is.block > block {
			block, in = is.block, Payers{}
		}
		if is.block == block {
			in.Add(is.npwpd, is.operator, is.gross)
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	if in.Count() >= Fewest {
		block++
	}
	d.blocks[key] = block
	return block, nil
}

// creditColumns are what scan reads.
const creditColumns = "month, account, masa, operator, npwpd, site, kind, block, count, gross, fee, net, sum"

func (r *creditRow) scan(rows interface{ Scan(into ...any) error }) error {
	var sum int64
	err := rows.Scan(&r.month, &r.account, &r.masa, &r.operator, &r.npwpd, &r.site, &r.kind, &r.block, &r.count, &r.gross, &r.fee, &r.net, &sum)
	if err != nil {
		return err
	}
	if err := sqlite.CheckSum(sum, "credit", r.values()...); err != nil {
		return fmt.Errorf("credits of %s: %w", monthName(r.month), err)
	}
	return nil
}

// untold tells of each block of credits whether it is kept from the public.
func untold(credits []creditRow) func(*creditRow) bool {
	type of struct {
		blockKey

		block int64
	}
	key := func(r *creditRow) of { return of{blockKey{r.account, r.month / 12, r.masa / 12}, r.block} }
	in := map[of]Payers{}
	for i := range credits {
		r := &credits[i]
		if r.block == 0 {
			continue
		}
		if in[key(r)] == nil {
			in[key(r)] = Payers{}
		}
		in[key(r)].Add(r.npwpd, r.operator, r.gross)
	}
	few := make(map[of]bool, len(in))
	for block, payers := range in {
		few[block] = payers.Count() < Fewest
	}
	return func(r *creditRow) bool { return few[key(r)] }
}
