package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// The words of lines.
var (
	DepositKinds = []string{"SSPD", "STS", "settlement"}
	KarcisStates = []string{"issued", "returned", "void", "sold"}
	HandoverHops = []string{"collector", "treasurer", "sts"}
)

// The bounds of lines.
const (
	mostMoney   = 1_000_000_000_000_000 // rupiah of one line
	longestText = 64                    // bytes
	mostKarcis  = 1_000_000             // numbers of one range

	largestKarcis = 1 << 53 // number; JSON tells larger ones badly
)

// CheckLine tells what is wrong with a line by itself, nothing where it is
// well formed.
func CheckLine(line journal.Line) []city.FieldError {
	c := &checker{}
	switch l := line.(type) {
	case *journal.Deposit:
		c.deposit(l)
	case *journal.Karcis:
		c.karcis(l)
	case *journal.Handover:
		c.handover(l)
	case *journal.Declaration:
		c.declaration(l)
	case *journal.Close:
		c.month("period", l.Period)
	case *journal.Certificates:
		c.certificates(l)
	case *journal.Access:
		c.text("token", l.Token, true)
		c.text("route", l.Route, true)
		c.text("filter", l.Filter, false)
	}
	return c.faults
}

// checker gathers faults.
type checker struct{ faults []city.FieldError }

func (c *checker) add(field, detail string) {
	c.faults = append(c.faults, city.FieldError{Field: field, Detail: detail})
}

func (c *checker) text(field, s string, required bool) {
	switch {
	case s == "" && required:
		c.add(field, "is required")
	case len(s) > longestText:
		c.add(field, "must have "+strconv.Itoa(longestText)+" bytes at most")
	case !utf8.ValidString(s):
		c.add(field, "must be UTF-8")
	default:
		for _, r := range s {
			if !unicode.IsPrint(r) {
				c.add(field, "must have no control characters")
				return
			}
		}
	}
}

func (c *checker) word(field, s string, words []string) {
	if !slices.Contains(words, s) {
		c.add(field, fmt.Sprintf("must be one of %v", words))
	}
}

// date returns the day of a date, which lies after 2000.
func (c *checker) date(field, s string) (day int32, ok bool) {
	day, err := parseDate(s)
	if err != nil || s < "2000-01-01" || s > "2199-12-31" {
		c.add(field, "must be a day like 2026-03-02")
		return 0, false
	}
	return day, true
}

func (c *checker) month(field, s string) (month int32, ok bool) {
	month, ok = parseMonth(s)
	if !ok {
		c.add(field, "must be a month like 2026-03")
	}
	return month, ok
}

func (c *checker) money(field string, v city.Rupiah, least int64) {
	if int64(v) < least || v > mostMoney {
		c.add(field, fmt.Sprintf("must be whole rupiah from %d to %d", least, int64(mostMoney)))
	}
}

// reference checks what names a line, and the earlier one that it is about.
func (c *checker) reference(key, field, earlier string) {
	c.text("reference", key, true)
	c.text(field, earlier, false)
	if key != "" && key == earlier {
		c.add(field, "names the line itself")
	}
}

func (c *checker) deposit(d *journal.Deposit) {
	c.reference(d.Reference, "reverses", d.Reverses)
	c.word("kind", d.Kind, DepositKinds)
	c.text("account", d.Account, true)
	c.text("operator", d.Operator, true)
	c.text("site", d.Site, false)
	c.text("channel", d.Channel, false)
	from, fromOK := c.date("period_from", d.PeriodFrom)
	to, toOK := c.date("period_to", d.PeriodTo)
	c.date("credited_on", d.CreditedOn)
	if fromOK && toOK && to < from {
		c.add("period_to", "lies before period_from")
	}
	c.money("gross", d.Gross, 1)
	c.money("fee", d.Fee, 0)
	if d.Net != d.Gross-d.Fee || d.Net < 0 {
		c.add("net", fmt.Sprintf("must be gross - fee, which is %d, and not below 0", int64(d.Gross-d.Fee)))
	}
}

func (c *checker) karcis(k *journal.Karcis) {
	c.reference(k.Reference, "reverses", k.Reverses)
	c.word("state", k.State, KarcisStates)
	c.text("series", k.Series, true)
	c.text("site", k.Site, k.State == "sold")
	c.text("attendant", k.Attendant, false)
	c.date("date", k.Date)
	c.money("price", k.Price, 0)
	switch {
	case k.First < 1:
		c.add("first", "must be 1 or more")
	case k.Last > largestKarcis:
		c.add("last", "must be "+strconv.FormatInt(largestKarcis, 10)+" at most")
	case k.Last < k.First:
		c.add("last", "lies before first")
	case k.Last-k.First >= mostKarcis:
		c.add("last", "a range has "+strconv.Itoa(mostKarcis)+" numbers at most")
	case k.Price > 0 && int64(k.Last-k.First+1) > mostMoney/int64(k.Price):
		c.add("price", "makes more than "+strconv.FormatInt(mostMoney, 10)+" rupiah of the range")
	}
}

func (c *checker) handover(h *journal.Handover) {
	c.reference(h.Reference, "reverses", h.Reverses)
	c.word("hop", h.Hop, HandoverHops)
	c.text("from", h.From, true)
	c.text("to", h.To, true)
	c.text("site", h.Site, false)
	collected, ok := c.date("collected_on", h.CollectedOn)
	handed, handedOK := c.date("handed_on", h.HandedOn)
	if ok && handedOK && handed < collected {
		c.add("handed_on", "lies before collected_on")
	}
	c.money("amount", h.Amount, 1)
}

func (c *checker) declaration(d *journal.Declaration) {
	c.reference(d.Reference, "corrects", d.Corrects)
	c.text("npwpd", d.NPWPD, true)
	c.text("nopd", d.NOPD, true)
	c.month("period", d.Period)
	c.date("filed_on", d.FiledOn)
	c.money("gross", d.Gross, 0)
	c.money("tax", d.Tax, 0)
	if d.Tax > d.Gross {
		c.add("tax", "is more than gross")
	}
}

func (c *checker) certificates(l *journal.Certificates) {
	c.date("date", l.Date)
	if l.Revision < 1 {
		c.add("revision", "must be 1 or more")
	}
	if hash, err := hex.DecodeString(l.SHA256); err != nil || len(hash) != sha256.Size {
		c.add("sha256", "must be 64 hex digits")
	}
}

// parseMonth returns the number of a month YYYY-MM: year * 12 + month - 1.
func parseMonth(s string) (int32, bool) {
	t, err := time.Parse("2006-01", s)
	if err != nil || t.Year() < 2000 || t.Year() > 2199 {
		return 0, false
	}
	return int32(t.Year()*12) + int32(t.Month()) - 1, true
}

// monthOf returns the number of the month of a day.
func monthOf(day int32) int32 {
	t := time.Unix(int64(day)*86400, 0).UTC()
	return int32(t.Year()*12) + int32(t.Month()) - 1
}

// firstOf returns the first day of a month.
func firstOf(month int32) int32 {
	return int32(time.Date(int(month/12), time.Month(month%12)+1, 1, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}
