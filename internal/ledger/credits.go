package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
)

const settlement = "settlement"

// CreditQuery selects sums of credits. Months are YYYY-MM, "" all.
type CreditQuery struct {
	Account  string // "" all
	Operator string // "" all
	Period   string // month that the credit is for, of its period_from
}

// CreditTotal is what was credited for a month.
type CreditTotal struct {
	Period    string // YYYY-MM
	Account   string
	Operator  string
	NPWPD     string
	Site      string      // "": for no one site
	Settled   city.Rupiah // paid without cash and confirmed by a settlement, net of its fee
	Fee       city.Rupiah // of the settlements
	Deposited city.Rupiah // SSPD and STS
	Credits   int64       // less those that were taken back
}

// Credits returns the sums of credits by period, account, operator, taxpayer
// and site, in this order. What was taken back is in none of them.
func (f *Follower) Credits(ctx context.Context, q CreditQuery) ([]CreditTotal, error) {
	if _, ok := parseMonth(q.Period); q.Period != "" && !ok {
		return nil, invalid("period", "write the month as YYYY-MM")
	}
	s, err := f.snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("credits: %w", err)
	}
	defer s.end()
	var out []CreditTotal
	err = s.credits(ctx, q, func(r *creditRow) {
		t := CreditTotal{Period: monthName(r.masa), Account: r.account, Operator: r.operator, NPWPD: r.npwpd, Site: r.site}
		if n := len(out); n == 0 || !out[n-1].sameKey(&t) {
			out = append(out, t)
		}
		last := &out[len(out)-1]
		last.Credits += r.count
		if r.kind == settlement {
			last.Settled += city.Rupiah(r.net)
			last.Fee += city.Rupiah(r.fee)
			return
		}
		last.Deposited += city.Rupiah(r.net)
	})
	if err != nil {
		return nil, fmt.Errorf("credits: %w", err)
	}
	kept := out[:0]
	for _, t := range out {
		if t.Credits != 0 || t.Settled != 0 || t.Deposited != 0 || t.Fee != 0 {
			kept = append(kept, t)
		}
	}
	return kept, nil
}

func (t *CreditTotal) sameKey(o *CreditTotal) bool {
	return t.Period == o.Period && t.Account == o.Account && t.Operator == o.Operator && t.NPWPD == o.NPWPD && t.Site == o.Site
}

// monthName returns a month as YYYY-MM.
func monthName(month int32) string { return dateOf(firstOf(month))[:7] }

// credits calls f with each row of the sums of credits.
func (s *snapshot) credits(ctx context.Context, q CreditQuery, each func(*creditRow)) (err error) {
	masa, _ := parseMonth(q.Period)
	rows, err := s.tx.QueryContext(ctx, "SELECT "+creditColumns+` FROM credit
		WHERE (?1 = '' OR account = ?1) AND (?2 = '' OR operator = ?2) AND (?3 = 0 OR masa = ?3)
		ORDER BY masa, account, operator, npwpd, site, month, kind, block`, q.Account, q.Operator, masa)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r creditRow
		if err := r.scan(rows); err != nil {
			return err
		}
		each(&r)
	}
	return rows.Err()
}
