package escpos

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

// template is one layout of a till's prints.
type template struct {
	name    string
	other   bool // known, and no receipt
	match   patterns
	unless  patterns
	number  patterns
	codes   patterns
	amount  patterns
	plate   patterns
	entered patterns
	left    patterns
	at      patterns
	date    patterns
	void    patterns
	times   []layout
	comma   bool // thousands are parted by commas
	method  city.Method
	methods map[city.Method]patterns
	class   city.Class
	classes map[city.Class]patterns
}

type patterns []*regexp.Regexp

func (p patterns) all(text string) bool {
	for _, re := range p {
		if !re.MatchString(text) {
			return false
		}
	}
	return true
}

func (p patterns) any(text string) bool {
	for _, re := range p {
		if re.MatchString(text) {
			return true
		}
	}
	return false
}

// value returns what the first pattern that is found at all captures. Where it
// is found more than once with different values, it is none: several is true.
func (p patterns) value(text string) (value string, found, several bool) {
	for _, re := range p {
		for i, m := range re.FindAllStringSubmatch(text, -1) {
			v := strings.TrimSpace(m[1])
			if i > 0 && v != value {
				return "", true, true
			}
			value, found = v, true
		}
		if found {
			return value, true, false
		}
	}
	return "", false, false
}

func (t *template) fits(text string) bool { return t.match.all(text) && !t.unless.any(text) }

// reader reads one print by one template; problem is the first fault, without
// a word of the paper.
type reader struct {
	t       *template
	text    string
	zone    *time.Location
	problem string
}

func (r *reader) fail(format string, args ...any) {
	if r.problem == "" {
		r.problem = fmt.Sprintf(format, args...)
	}
}

// take returns a value of the paper.
func (r *reader) take(what string, p patterns) (value string, ok bool) {
	value, found, several := p.value(r.text)
	if several {
		r.fail("there are several different values of %s: make its pattern narrower, and retry this item", what)
		return "", false
	}
	return value, found
}

func (t *template) read(e *Envelope, zone *time.Location) (city.Reading, string) {
	r := &reader{t: t, text: e.Text, zone: zone}
	receipt := &city.Receipt{Void: t.void.any(e.Text), Class: r.class(), Method: r.method()}
	receipt.Number = r.number(e.Codes)
	receipt.Amount = r.amount(receipt.Void)
	if plate, ok := r.take("plate", t.plate); ok {
		receipt.Plate = plate
		if len(plate) > wire.MaxPlateBytes {
			r.fail("the plate is too long: make its pattern narrower, and retry this item")
		}
		if p := letters(plate); p != "" && strings.Contains(letters(receipt.Number), p) {
			r.fail("the number of the receipt holds the plate, which must not be kept: choose another number, and retry this item")
		}
	}
	at := r.times(receipt, e.Recv)
	if r.problem != "" {
		return city.Reading{}, r.problem
	}
	return city.Reading{Kind: city.KindReceipt, At: at, Receipt: receipt}, ""
}

// letters is what counts of a plate.
func letters(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToUpper(c)
		}
		return -1
	}, s)
}

func (r *reader) number(codes []string) string {
	number, ok := r.take("number", r.t.number)
	for _, said := range codes {
		if ok || len(r.t.codes) == 0 {
			break
		}
		number, ok, _ = r.t.codes.value(said)
	}
	switch {
	case !ok || number == "":
		r.fail("no number: mend its pattern, and retry this item")
	case len(number) > wire.MaxReceiptBytes:
		r.fail("the number is too long: make its pattern narrower, and retry this item")
	}
	return number
}

func (r *reader) amount(void bool) city.Rupiah {
	text, ok := r.take("amount", r.t.amount)
	if !ok {
		r.fail("no amount: mend its pattern, and retry this item")
		return 0
	}
	amount, negative, ok := Rupiah(text, r.t.comma)
	switch {
	case !ok:
		r.fail("the amount is no sum of whole rupiah as the template writes them: mend its pattern or thousands, and retry this item")
	case negative && !void:
		r.fail("the amount is below zero and nothing says void: mend void, and retry this item")
	}
	return amount
}

func (r *reader) method() city.Method {
	var found []city.Method
	for _, m := range city.Methods {
		if r.t.methods[m].any(r.text) {
			found = append(found, m)
		}
	}
	switch {
	case len(found) == 1:
		return found[0]
	case len(found) > 1:
		r.fail("several methods of payment: make their patterns narrower, and retry this item")
	case r.t.method == city.MethodNone:
		r.fail("no method of payment: add it to methods, or name the till's only one as method, and retry this item")
	}
	return r.t.method
}

// class is that of the paper; where it names several, none.
func (r *reader) class() city.Class {
	found := city.ClassNone
	for _, c := range city.Classes {
		if !r.t.classes[c].any(r.text) {
			continue
		}
		if found != city.ClassNone {
			return city.ClassNone
		}
		found = c
	}
	if found == city.ClassNone {
		return r.t.class
	}
	return found
}

// times fills in when the stay began and ended, and returns when the receipt
// was given: as printed, else when the stay ended, else when it came.
func (r *reader) times(receipt *city.Receipt, recv int64) (at int64) {
	var day *clock
	if text, ok := r.take("date", r.t.date); ok {
		if day = r.clock("date", text); day != nil && !day.hasDate {
			r.fail("the date is a time of day: mend its pattern, and retry this item")
		}
	}
	entered, enteredAlone := r.time("entered", r.t.entered, day)
	left, leftAlone := r.time("left", r.t.left, day)
	printed, _ := r.time("at", r.t.at, day)
	if enteredAlone && leftAlone && entered.OK && left.OK && entered.V > left.V {
		entered = city.Int{} // another day, and the paper does not say which
	}
	receipt.EnteredAt, receipt.LeftAt = entered, left
	switch {
	case printed.OK:
		return printed.V
	case left.OK:
		return left.V
	}
	return recv
}

// time returns a time of the paper, Unix ms; alone tells that its date is that
// of the whole paper.
func (r *reader) time(what string, p patterns, day *clock) (at city.Int, alone bool) {
	text, ok := r.take(what, p)
	if !ok {
		return city.Int{}, false
	}
	c := r.clock(what, text)
	if c == nil {
		return city.Int{}, false
	}
	alone = !c.hasDate
	if alone {
		if day == nil {
			r.fail("%s has no date and the paper has none: name date, and retry this item", what)
			return city.Int{}, false
		}
		c.year, c.month, c.day = day.year, day.month, day.day
	}
	return city.SomeInt(c.unix(r.zone)), alone
}

func (r *reader) clock(what, text string) *clock {
	for _, l := range r.t.times {
		if c, ok := l.parse(text); ok {
			return &c
		}
	}
	r.fail("%s is in none of the forms of times: add it, and retry this item", what)
	return nil
}
