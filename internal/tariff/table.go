package tariff

import (
	"fmt"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// Table is a tariff as a meter is told it: rules to compute by, not words.
type Table struct {
	Tariff   string         `json:"tariff"`
	Name     string         `json:"name"`
	Versions []TableVersion `json:"versions"` // the one that holds, and those to come
}

// TableVersion is what holds between two days, both inclusive; an empty until
// is open.
type TableVersion struct {
	ID      string       `json:"id"`
	From    string       `json:"from"`
	Until   string       `json:"until,omitempty"`
	Classes []TableClass `json:"classes"`
}

// TableClass is the price of one class. A stay of at most free_minutes costs
// nothing, a tariff day at most daily_max.
type TableClass struct {
	Class city.Class `json:"class"`
	TableCharge
	FreeMinutes int         `json:"free_minutes,omitempty"`
	DailyMax    city.Rupiah `json:"daily_max,omitempty"`
	EachDay     bool        `json:"each_day,omitempty"`
	LostTicket  city.Rupiah `json:"lost_ticket,omitempty"`
	Rules       []TableRule `json:"rules,omitempty"` // the first that holds wins
}

// TableCharge is a flat amount, or a first interval and the next ones.
type TableCharge struct {
	Flat  *city.Rupiah   `json:"flat,omitempty"`
	First *TableInterval `json:"first,omitempty"`
	Next  *TableInterval `json:"next,omitempty"`
}

// TableInterval is a time that is charged as soon as it has begun.
type TableInterval struct {
	Minutes int         `json:"minutes"`
	Amount  city.Rupiah `json:"amount"`
}

// TableRule is a charge that holds on some days (none: on all) from one minute of
// the day, inclusive, until another, exclusive, which may be of the next day.
type TableRule struct {
	Name    string   `json:"name"`
	Days    []string `json:"days,omitempty"` // mon .. sun
	Holiday bool     `json:"holiday,omitempty"`
	From    string   `json:"from,omitempty"` // HH:MM
	Until   string   `json:"until,omitempty"`
	TableCharge
}

// Table returns a tariff's table as of a moment (Unix ms). Errors:
// ErrUnknownTariff, ErrNoVersion where none holds now or later.
func (b Book) Table(id string, atMs int64, zone *time.Location) (Table, error) {
	t := b.tariffs[id]
	if t == nil {
		return Table{}, fmt.Errorf("tariff %q: %w", id, ErrUnknownTariff)
	}
	out := Table{Tariff: t.ID, Name: t.Name}
	date := time.UnixMilli(atMs).In(zone).Format(time.DateOnly)
	for i, v := range t.Versions {
		until := v.Until
		if i+1 < len(t.Versions) { // the later version wins from its first day on
			if first, err := time.Parse(time.DateOnly, t.Versions[i+1].From); err == nil {
				if last := first.AddDate(0, 0, -1).Format(time.DateOnly); until == "" || last < until {
					until = last
				}
			}
		}
		if until == "" || until >= date {
			out.Versions = append(out.Versions, tableVersion(v, until))
		}
	}
	if len(out.Versions) == 0 {
		return out, fmt.Errorf("tariff %q on %s: %w", id, date, ErrNoVersion)
	}
	return out, nil
}

func tableVersion(v *Version, until string) TableVersion {
	out := TableVersion{ID: v.ID, From: v.From, Until: until}
	for _, class := range city.Classes {
		r := v.Classes[class]
		if r == nil {
			continue
		}
		c := TableClass{
			Class: class, TableCharge: tableCharge(&r.Charge), FreeMinutes: r.FreeMinutes,
			DailyMax: r.DailyMax, EachDay: r.EachDay, LostTicket: r.LostTicket,
		}
		for i := range r.Rules {
			c.Rules = append(c.Rules, tableRule(&r.Rules[i]))
		}
		out.Classes = append(out.Classes, c)
	}
	return out
}

func tableCharge(c *Charge) TableCharge {
	if c.Flat {
		return TableCharge{Flat: &c.FlatAmount}
	}
	return TableCharge{First: &TableInterval{c.First.Minutes, c.First.Amount}, Next: &TableInterval{c.Next.Minutes, c.Next.Amount}}
}

var tableDays = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func tableRule(r *Rule) TableRule {
	out := TableRule{Name: r.Name, Holiday: r.Holiday, TableCharge: tableCharge(&r.Charge)}
	for i := range 7 { // Monday first
		if d := (i + 1) % 7; r.Days[d] {
			out.Days = append(out.Days, tableDays[d])
		}
	}
	if r.From != r.Until {
		clock := func(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }
		out.From, out.Until = clock(r.From), clock(r.Until)
	}
	return out
}

// Current is the id of the version that holds on a day, "" where none does.
func (t Table) Current(date string) string {
	i := slices.IndexFunc(t.Versions, func(v TableVersion) bool { return v.From <= date && (v.Until == "" || date <= v.Until) })
	if i < 0 {
		return ""
	}
	return t.Versions[i].ID
}
