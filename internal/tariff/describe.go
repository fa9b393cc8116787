package tariff

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
)

// Description is a tariff in words, for people.
type Description struct {
	ID         string             `json:"id"`
	Name       string             `json:"name"`
	Version    string             `json:"version"`
	LegalBasis string             `json:"legal_basis"`
	Sample     bool               `json:"sample"`
	Classes    []ClassDescription `json:"classes"`
}

// ClassDescription is the price of one class in a sentence.
type ClassDescription struct {
	Class city.Class `json:"class"`
	ID    string     `json:"id"` // Indonesian
	EN    string     `json:"en"` // English
}

// Describe tells in words what the tariff says at a moment (Unix ms), the
// classes in the order of city.Classes. Errors: ErrUnknownTariff, ErrNoVersion.
func (b Book) Describe(id string, atMs int64, cal Calendar) (Description, error) {
	v, err := b.Version(id, atMs, cal.Zone)
	if err != nil {
		return Description{}, err
	}
	out := Description{ID: id, Name: b.tariffs[id].Name, Version: v.ID, LegalBasis: v.LegalBasis, Sample: v.Sample}
	for _, class := range city.Classes {
		if r := v.Classes[class]; r != nil {
			out.Classes = append(out.Classes, ClassDescription{class, r.describe(indonesian), r.describe(english)})
		}
	}
	return out, nil
}

// FirstAmount returns what entering costs at least, once the free minutes are
// over: the flat amount or the first interval.
func (c *Charge) FirstAmount() city.Rupiah {
	if c.Flat {
		return c.FlatAmount
	}
	return c.First.Amount
}

type words struct {
	flat, perDay, first, next, each, free, max, lost, rule string
	hour, hours, minutes, everyDay                         string
	holiday                                                string
	days                                                   [7]string
}

var indonesian = words{
	flat: "%s sekali parkir", perDay: "%s per 24 jam", first: "%s pertama %s", next: "tiap %s berikutnya %s", each: "%s tiap %s",
	free: "gratis %s pertama", max: "paling banyak %s per 24 jam", lost: "denda karcis hilang %s", rule: "%s (%s): %s",
	hour: "1 jam", hours: "%d jam", minutes: "%d menit", everyDay: "setiap hari", holiday: "hari libur",
	days: [7]string{"Minggu", "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu"},
}

var english = words{
	flat: "%s a visit", perDay: "%s per 24 hours", first: "first %s %s", next: "each further %s %s", each: "%s each %s",
	free: "first %s free", max: "at most %s per 24 hours", lost: "lost ticket fine %s", rule: "%s (%s): %s",
	hour: "1 hour", hours: "%d hours", minutes: "%d minutes", everyDay: "every day", holiday: "holidays",
	days: [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
}

func (r *Rates) describe(w words) string {
	parts := []string{w.charge(&r.Charge, r.EachDay)}
	if r.FreeMinutes > 0 {
		parts = append(parts, fmt.Sprintf(w.free, w.length(r.FreeMinutes)))
	}
	if r.DailyMax > 0 {
		parts = append(parts, fmt.Sprintf(w.max, rupiah(r.DailyMax)))
	}
	if r.LostTicket > 0 {
		parts = append(parts, fmt.Sprintf(w.lost, rupiah(r.LostTicket)))
	}
	for i := range r.Rules {
		rule := &r.Rules[i]
		parts = append(parts, fmt.Sprintf(w.rule, rule.Name, w.when(rule), w.charge(&rule.Charge, false)))
	}
	return strings.Join(parts, "; ")
}

func (w words) charge(c *Charge, eachDay bool) string {
	switch {
	case c.Flat && eachDay:
		return fmt.Sprintf(w.perDay, rupiah(c.FlatAmount))
	case c.Flat:
		return fmt.Sprintf(w.flat, rupiah(c.FlatAmount))
	case c.First == c.Next:
		return fmt.Sprintf(w.each, rupiah(c.First.Amount), w.length(c.First.Minutes))
	default:
		// The two languages put the length and the amount in the same order here.
		return fmt.Sprintf(w.first, w.length(c.First.Minutes), rupiah(c.First.Amount)) + ", " +
			fmt.Sprintf(w.next, w.length(c.Next.Minutes), rupiah(c.Next.Amount))
	}
}

func (w words) length(minutes int) string {
	switch {
	case minutes == 60:
		return w.hour
	case minutes%60 == 0:
		return fmt.Sprintf(w.hours, minutes/60)
	default:
		return fmt.Sprintf(w.minutes, minutes)
	}
}

func (w words) when(r *Rule) string {
	var on []string
	for d := 1; d <= 7; d++ { // Monday first
		if r.Days[d%7] {
			on = append(on, w.days[d%7])
		}
	}
	if r.Holiday {
		on = append(on, w.holiday)
	}
	text := w.everyDay
	if len(on) > 0 {
		text = strings.Join(on, ", ")
	}
	if r.From != r.Until {
		text += fmt.Sprintf(" %02d:%02d-%02d:%02d", r.From/60, r.From%60, r.Until/60, r.Until%60)
	}
	return text
}

// rupiah writes an amount the Indonesian way: Rp12.500.
func rupiah(amount city.Rupiah) string {
	digits := strconv.FormatInt(int64(amount), 10)
	out := make([]byte, 0, len(digits)+8)
	for i := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out = append(out, '.')
		}
		out = append(out, digits[i])
	}
	return "Rp" + string(out)
}
