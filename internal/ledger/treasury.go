package ledger

import (
	"context"
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// overMonths is what deposits are about whose period is not of one month; their
// last day and first day follow.
const overMonths = "over/"

// EachCredit calls each with every deposit that holds (none that was taken
// back, and none that takes another one back) whose period touches
// [fromDate, toDate).
func (f *Follower) EachCredit(ctx context.Context, fromDate, toDate string, each func(*journal.Deposit)) error {
	for field, date := range map[string]string{"from": fromDate, "to": toDate} {
		if _, err := parseDate(date); err != nil {
			return invalid(field, "write the date as YYYY-MM-DD")
		}
	}
	touching := func(line journal.Line, _ *Entry, undone bool) {
		if d, ok := line.(*journal.Deposit); ok && !undone && d.PeriodFrom < toDate && d.PeriodTo >= fromDate {
			each(d)
		}
	}
	const end = "over0" // the byte after the one that ends overMonths
	if err := f.aboutLines(ctx, journal.TypeDeposit, fromDate, toDate, touching); err != nil {
		return err
	}
	return f.aboutLines(ctx, journal.TypeDeposit, overMonths+fromDate, end, touching)
}

// Credited is money that was credited on a day, or in a month; below 0: taken
// back then.
type Credited struct {
	On                             string // YYYY-MM-DD; of a month its first day
	Account, Operator, NPWPD, Site string
	Kind                           string
	Gross, Fee, Net                city.Rupiah
}

// EachCredited calls each with what was credited in a year, by day and line or,
// which is faster, in sums of a month.
func (f *Follower) EachCredited(ctx context.Context, year int, daily bool, each func(*Credited)) error {
	from, to := int32(year*12), int32(year*12+12)
	if !daily {
		s, err := f.snapshot(ctx)
		if err != nil {
			return fmt.Errorf("credits: %w", err)
		}
		defer s.end()
		err = s.credits(ctx, CreditQuery{}, func(r *creditRow) {
			if r.month >= from && r.month < to {
				each(&Credited{dateOf(firstOf(r.month)), r.account, r.operator, r.npwpd, r.site, r.kind, city.Rupiah(r.gross), city.Rupiah(r.fee), city.Rupiah(r.net)})
			}
		})
		if err != nil {
			return fmt.Errorf("credits: %w", err)
		}
		return nil
	}
	return f.dayLines(ctx, journal.TypeDeposit, firstOf(from), firstOf(to), func(line journal.Line, e *Entry, _ bool) {
		if d, ok := line.(*journal.Deposit); ok {
			each(&Credited{
				d.CreditedOn, d.Account, d.Operator, e.NPWPD, d.Site, d.Kind,
				signed(d.Gross, d.Reverses), signed(d.Fee, d.Reverses), signed(d.Net, d.Reverses),
			})
		}
	})
}

// EachSold calls each with every range of karcis whose sale on a day stands.
func (f *Follower) EachSold(ctx context.Context, date string, each func(*journal.Karcis)) error {
	day, err := parseDate(date)
	if err != nil {
		return invalid("date", "write the date as YYYY-MM-DD")
	}
	return f.dayLines(ctx, journal.TypeKarcis, day, day+1, func(line journal.Line, _ *Entry, undone bool) {
		if k, ok := line.(*journal.Karcis); ok && !undone && k.State == "sold" && k.Reverses == "" {
			each(k)
		}
	})
}

// EachDeclaration calls each with every SPTPD that holds for a month (YYYY-MM)
// and the operator that filed it.
func (f *Follower) EachDeclaration(ctx context.Context, month string, each func(d *journal.Declaration, operator string)) error {
	if _, ok := parseMonth(month); !ok {
		return invalid("month", "write the month as YYYY-MM")
	}
	const after = "\x0b" // the byte after the one that ends the month in about
	return f.aboutLines(ctx, journal.TypeDeclaration, month+"\n", month+after, func(line journal.Line, e *Entry, undone bool) {
		if d, ok := line.(*journal.Declaration); ok && !undone {
			each(d, e.Operator)
		}
	})
}

// aboutLines calls each with every line of a type that is about what lies in
// [from, to), in the order in which they were booked, and tells whether it was
// taken back.
func (f *Follower) aboutLines(ctx context.Context, t journal.Type, from, to string, each func(line journal.Line, e *Entry, undone bool)) error {
	return f.eachLine(ctx, t, "l.about >= ?2 AND l.about < ?3 AND l.about != ''", from, to, each)
}

// dayLines is aboutLines of the lines of some days.
func (f *Follower) dayLines(ctx context.Context, t journal.Type, from, to int32, each func(line journal.Line, e *Entry, undone bool)) error {
	return f.eachLine(ctx, t, "l.day >= ?2 AND l.day < ?3", int64(from), int64(to), each)
}

func (f *Follower) eachLine(ctx context.Context, t journal.Type, where string, from, to any, each func(line journal.Line, e *Entry, undone bool)) error {
	const lines = `SELECT l.ref, l.n, l.pos, l.day, l.about, l.undone, l.sum, e.data, e.hash, e.sum
		FROM line l LEFT JOIN entry e ON e.n = l.n WHERE l.type = ?1 AND `
	query := lines + where + " ORDER BY l.n" //nolint:gosec // where is one of the two above
	rows, err := f.db.R.QueryContext(ctx, query, int64(t), from, to)
	if err != nil {
		return fmt.Errorf("lines: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		l := row{typ: t}
		var data, hash []byte
		var lineSum, entrySum int64
		err := rows.Scan(&l.ref, &l.n, &l.pos, &l.day, &l.about, &l.undone, &lineSum, &data, &hash, &entrySum)
		if err == nil {
			err = sqlite.CheckSum(lineSum, "line", l.values()...)
		}
		if err == nil {
			err = sqlite.CheckSum(entrySum, "entry", int64(l.n), data, hash)
		}
		if err != nil {
			return fmt.Errorf("line %q, entry %d: %w", l.ref, l.n, err)
		}
		e, err := DecodeEntry(data)
		if err != nil {
			return fmt.Errorf("entry %d: %w", l.n, err)
		}
		line, err := e.line()
		if err != nil {
			return fmt.Errorf("entry %d: %w", l.n, err)
		}
		each(line, e, l.undone != 0)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("lines: %w", err)
	}
	return nil
}
