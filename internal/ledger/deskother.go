package ledger

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// close closes a month that is over. What comes for it later is filed with the
// next month that is open.
func (d *desk) close(l *journal.Close, e *Entry) {
	month, _ := parseMonth(l.Period)
	end := firstOf(month + 1)
	if d.today < end {
		d.fault("period", "is not over: it can be closed from "+dateOf(end)+" on")
		return
	}
	e.Day = end - 1
	d.closes[month] = true
}

// declaration books a filed SPTPD. One that corrects stands for the earlier
// one of the same taxpayer, object and period; that one is kept.
func (d *desk) declaration(l *journal.Declaration, e *Entry) error {
	e.NPWPD, e.NOPD, e.Amount, e.Levy = l.NPWPD, l.NOPD, l.Tax, inventory.LevyPBJT
	month, _ := parseMonth(l.Period)
	e.Day = firstOf(month)
	if filed := d.past("filed_on", l.FiledOn); filed < firstOf(month+1) {
		d.fault("filed_on", "lies before the end of the period")
	}
	d.taxpayer(l, e)
	if l.Corrects == "" {
		other, err := d.declared(l)
		if err == nil && other != nil {
			d.fault("corrects", fmt.Sprintf("entry %d is the declaration of this taxpayer, object and period: name its reference %q here", other.n, other.ref))
		}
		return err
	}
	r, err := d.undo("corrects", journal.TypeDeclaration, l.Corrects)
	if err != nil || r == nil {
		return err
	}
	line, err := r.entry.line()
	if err != nil {
		return err
	}
	if was, ok := line.(*journal.Declaration); ok {
		d.same("npwpd", l.NPWPD, was.NPWPD)
		d.same("nopd", l.NOPD, was.NOPD)
		d.same("period", l.Period, was.Period)
	}
	e.Ref = r.n
	return nil
}

// taxpayer checks that object and taxpayer belong together.
func (d *desk) taxpayer(l *journal.Declaration, e *Entry) {
	type place struct{ operator, site, kecamatan string }
	p, ok := inventory.Find(d.timeline, d.e.Pos, func(v *inventory.Version) (place, bool) {
		for _, s := range v.Sites {
			if o := v.Operator(s.Operator); s.NOPD == l.NOPD && o != nil && o.NPWPD == l.NPWPD {
				return place{o.ID, s.ID, s.Kecamatan}, true
			}
		}
		return place{}, false
	})
	if !ok {
		d.fault("nopd", "no version of the inventory has a site with this NOPD and an operator with this NPWPD: correct them or the inventory")
		return
	}
	e.Operator, e.Site, e.Kecamatan = p.operator, p.site, p.kecamatan
}

// declared returns the declaration that holds for a taxpayer, object and
// period, nil for none.
func (d *desk) declared(l *journal.Declaration) (*row, error) {
	var ref string
	err := d.tx.QueryRowContext(d.ctx, "SELECT ref FROM line WHERE about = ? AND about != '' AND undone = 0", declaredFor(l)).Scan(&ref)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return d.find(journal.TypeDeclaration, ref)
}

// about is by what a line is looked up: a declaration by what only one that
// holds may be about, a deposit by the first day of its period, or the last one
// where it is not of one month. "" where there is nothing.
func (d *desk) about(line journal.Line) string {
	switch l := line.(type) {
	case *journal.Declaration:
		return declaredFor(l)
	case *journal.Deposit:
		switch {
		case l.Reverses != "":
		case d.e.Pos > d.since && l.PeriodFrom[:7] != l.PeriodTo[:7]:
			return overMonths + l.PeriodTo + "/" + l.PeriodFrom
		default:
			return l.PeriodFrom
		}
	}
	return ""
}

func declaredFor(l *journal.Declaration) string {
	return l.Period + "\n" + l.NPWPD + "\n" + l.NOPD
}
