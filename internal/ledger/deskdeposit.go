package ledger

import (
	"database/sql"
	"errors"
	"time"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// deposit books a credit, or takes an earlier one back whole.
func (d *desk) deposit(l *journal.Deposit, e *Entry) error {
	e.Account, e.Operator, e.Site, e.Day, e.Amount = l.Account, l.Operator, l.Site, d.past("credited_on", l.CreditedOn), l.Net
	e.Levy, e.NPWPD = d.account(l.Account), d.operator(l.Operator)
	if l.Site != "" {
		d.depositSite(l, e)
	}
	if l.Reverses == "" {
		if d.e.Pos > d.since && l.Kind == "SSPD" && e.Levy != "" && e.Levy != inventory.LevyPBJT {
			d.fault("kind", "SSPD pays PBJT, and account "+l.Account+" is of a retribusi ("+string(e.Levy)+"): use STS, or the account of PBJT")
		}
		return d.credit(l, e, 1)
	}
	r, err := d.undo("reverses", journal.TypeDeposit, l.Reverses)
	if err != nil || r == nil {
		return err
	}
	line, err := r.entry.line()
	if err != nil {
		return err
	}
	was, ok := line.(*journal.Deposit)
	if !ok || was.Reverses != "" {
		d.fault("reverses", "is itself one that takes back: send the deposit again under a new reference")
		return nil
	}
	for _, pair := range []struct {
		field   string
		is, was any
	}{
		{"kind", l.Kind, was.Kind},
		{"account", l.Account, was.Account},
		{"operator", l.Operator, was.Operator},
		{"site", l.Site, was.Site},
		{"period_from", l.PeriodFrom, was.PeriodFrom},
		{"period_to", l.PeriodTo, was.PeriodTo},
		{"gross", l.Gross, was.Gross},
		{"fee", l.Fee, was.Fee},
		{"net", l.Net, was.Net},
	} {
		d.same(pair.field, pair.is, pair.was)
	}
	if d.e.Pos > d.since && l.CreditedOn < was.CreditedOn {
		d.fault("credited_on", "lies before "+was.CreditedOn+", when what it takes back was credited: give the day on which it was taken back")
	}
	e.NPWPD = r.entry.NPWPD // taken from where it was added
	negate(e, r)
	return d.credit(l, e, -1)
}

// depositSite checks that the site is, or was, the operator's, and fits the
// account. Since staff may correct the inventory late, what any version says that
// held at the period's begin or came later is taken for right.
func (d *desk) depositSite(l *journal.Deposit, e *Entry) {
	s := d.site("site", l.Site)
	if s == nil {
		return
	}
	e.Kecamatan, e.NOPD = s.Kecamatan, s.NOPD
	runs := func(s *inventory.Site) bool { return s.Operator == l.Operator }
	if _, ok := inventory.Find(d.timeline, d.e.Pos, siteIs(l.Site, runs)); !ok {
		d.fault("site", "is not, and was not, a site of operator "+l.Operator)
		return
	}
	if l.Reverses != "" || d.e.Pos <= d.since || e.Levy == "" {
		return // what takes back is as what it takes back, right or wrong
	}
	begin := d.midnight(l.PeriodFrom)
	since := func(is func(*inventory.Site) bool) bool {
		_, ok := inventory.FindSince(d.timeline, d.e.Pos, begin, siteIs(l.Site, is))
		return ok
	}
	if !since(func(*inventory.Site) bool { return true }) {
		return // it had left by then: nobody says whose it was
	}
	if !since(runs) {
		d.fault("operator", "does not run site "+l.Site+" from "+l.PeriodFrom+" on: name who did, or leave the site out")
	}
	if !since(func(s *inventory.Site) bool { return s.Levy == e.Levy || s.Levy == "" }) {
		d.fault("account", "is of levy "+string(e.Levy)+", and site "+l.Site+" is of another from "+l.PeriodFrom+" on: name the account of the site's levy, or leave the site out")
	}
}

// siteIs finds whether a version has a site that is so.
func siteIs(id string, is func(*inventory.Site) bool) func(*inventory.Version) (bool, bool) {
	return func(v *inventory.Version) (bool, bool) {
		s := v.Site(id)
		return true, s != nil && is(s)
	}
}

// midnight returns the begin of a date in the city, Unix ms.
func (d *desk) midnight(date string) int64 {
	t, _ := time.ParseInLocation(time.DateOnly, date, d.zone)
	return t.UnixMilli()
}

// creditRow is a row of the sums of credits.
type creditRow struct {
	month    int32
	account  string
	masa     int32
	operator string
	npwpd    string
	site     string
	kind     string
	block    int64 // of PBJT, see blocks.go; else 0

	count, gross, fee, net int64
}

const bySumKey = " month = ? AND account = ? AND masa = ? AND operator = ? AND npwpd = ? AND site = ? AND kind = ? AND block = ?"

func (r *creditRow) key() []any {
	return []any{int64(r.month), r.account, int64(r.masa), r.operator, r.npwpd, r.site, r.kind, r.block}
}

// values are what the checksum is of: the row in the order of its columns, of
// which the block came last (see sqlite.SumColumn).
func (r *creditRow) values() []any {
	key := r.key()
	v := append(key[:len(key)-1], r.count, r.gross, r.fee, r.net)
	if r.block != 0 {
		v = append(v, r.block)
	}
	return v
}

// credit adds a deposit to its sums, or with sign -1 takes it from them. One
// that is taken back lowers the month in which it is taken back.
func (d *desk) credit(l *journal.Deposit, e *Entry, sign int64) (err error) {
	day, _ := parseDate(l.CreditedOn)
	from, _ := parseDate(l.PeriodFrom)
	r := creditRow{month: monthOf(day), account: l.Account, masa: monthOf(from), operator: l.Operator, npwpd: e.NPWPD, site: l.Site, kind: l.Kind}
	if r.block, err = d.blockOf(&r, e.Levy); err != nil {
		return err
	}
	err = r.scan(d.tx.QueryRowContext(d.ctx, "SELECT "+creditColumns+" FROM credit WHERE"+bySumKey, r.key()...))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	r.count += sign
	r.gross += sign * int64(l.Gross)
	r.fee += sign * int64(l.Fee)
	r.net += sign * int64(l.Net)
	if r.count == 0 && r.gross == 0 && r.fee == 0 && r.net == 0 {
		return d.exec("DELETE FROM credit WHERE"+bySumKey, r.key()...)
	}
	return d.exec("INSERT OR REPLACE INTO credit ("+creditColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		append(r.key(), r.count, r.gross, r.fee, r.net, sqlite.Sum("credit", r.values()...))...)
}
