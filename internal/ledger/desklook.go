package ledger

import (
	"fmt"

	"github.com/simpang-id/simpang/internal/inventory"
)

// same tells a fault where what takes a line back is not what it was.
func (d *desk) same(field string, is, was any) {
	if is != was {
		d.fault(field, fmt.Sprintf("must be as in what it takes back, %v: a line is taken back whole", was))
	}
}

// site returns a site as a version knows it; an unknown one is told.
func (d *desk) site(field, id string) *inventory.Site {
	s, ok := inventory.Find(d.timeline, d.e.Pos, func(v *inventory.Version) (*inventory.Site, bool) {
		s := v.Site(id)
		return s, s != nil
	})
	if !ok {
		d.fault(field, "no version of sites.geojson has it: correct it or add the site")
		return nil
	}
	return s
}

// account returns the levy of an account; an unknown one is told.
func (d *desk) account(id string) inventory.Levy {
	levy, ok := inventory.Find(d.timeline, d.e.Pos, levyOf(id))
	if !ok {
		d.fault("account", "no version of accounts.csv has it: correct it or add the account")
	}
	return levy
}

// operator returns the NPWPD of an operator; an unknown one is told.
func (d *desk) operator(id string) string {
	npwpd, ok := inventory.Find(d.timeline, d.e.Pos, func(v *inventory.Version) (string, bool) {
		o := v.Operator(id)
		if o == nil {
			return "", false
		}
		return o.NPWPD, true
	})
	if !ok {
		d.fault("operator", "no version of operators.csv has it: correct it or add the operator")
	}
	return npwpd
}

// past returns a date that must not lie ahead.
func (d *desk) past(field, date string) int32 {
	day, _ := parseDate(date)
	if day > d.today {
		d.fault(field, "lies ahead")
	}
	return day
}

// negate gives the entry the opposite effect.
func negate(e *Entry, of *row) {
	e.Amount, e.Count, e.Ref = -e.Amount, -1, of.n
}
