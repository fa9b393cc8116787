package journal

import (
	"fmt"
	"strconv"

	"github.com/simpang-id/simpang/internal/city"
)

// Act is what a person wrote into the books over the API, all of one request,
// or the reads of money that were made since the last one. It counts whole or
// not at all.
type Act struct {
	By    string // id of the token, no name; "" for TypeAccess and TypeCertificates
	Lines []Line // one or more, all of the entry's type
}

// Line is one line of an act.
type Line interface {
	// Type is the type of entry that the line belongs to.
	Type() Type
	// Key is the reference under which the line is known, "" where it has none.
	Key() string
	// fields are what is stored, in its order: append only with a new version.
	fields() []any
}

// Deposit is a credit that the treasury, or a settlement file, confirms. Dates
// are YYYY-MM-DD.
type Deposit struct {
	Reference  string
	Kind       string // SSPD, STS, settlement
	Account    string // kode rekening
	Operator   string
	Site       string // "" where it is for no one site
	PeriodFrom string
	PeriodTo   string // inclusive
	CreditedOn string
	Gross      city.Rupiah
	Fee        city.Rupiah
	Net        city.Rupiah
	Channel    string
	Reverses   string // reference of the deposit that it takes back whole, "" none
}

// Karcis says what became of a range of numbers of a series.
type Karcis struct {
	Reference string
	State     string // issued, returned, void, sold
	Series    string
	First     uint64
	Last      uint64 // inclusive
	Class     city.Class
	Price     city.Rupiah
	Site      string
	Attendant string
	Date      string // YYYY-MM-DD
	Reverses  string // reference of the line that it takes back whole, "" none
}

// Handover is cash that went from one hand to the next.
type Handover struct {
	Reference   string
	Hop         string // collector: from an attendant; treasurer: from a collector; sts: from the treasurer
	From        string // id of who gave
	To          string // id of who took; of hop sts the reference of the STS
	Site        string // "" where it is for no one site
	CollectedOn string // day on which the money was taken in, YYYY-MM-DD
	HandedOn    string // YYYY-MM-DD
	Amount      city.Rupiah
	Reverses    string // reference of the hand-over that it takes back whole, "" none
}

// Declaration is an operator's filed SPTPD.
type Declaration struct {
	Reference string
	NPWPD     string
	NOPD      string
	Period    string // masa pajak, YYYY-MM
	FiledOn   string // YYYY-MM-DD
	Gross     city.Rupiah
	Tax       city.Rupiah
	Corrects  string // reference of the declaration that it stands for, "" none
}

// Close closes a period of the books.
type Close struct {
	Period string // masa pajak, YYYY-MM
}

// Access is one read of money.
type Access struct {
	Token  string // id, no name
	At     int64  // Unix ms, our clock
	Route  string // operationId
	Filter string // digest of what was asked for, hex
}

// Certificates is the list of a day's certificates of completeness.
type Certificates struct {
	Date     string // YYYY-MM-DD
	Revision uint64 // from 1 on
	Places   uint64
	Devices  uint64
	SHA256   string // of the list, hex
}

// Type is TypeDeposit.
func (*Deposit) Type() Type { return TypeDeposit }

// Type is TypeKarcis.
func (*Karcis) Type() Type { return TypeKarcis }

// Type is TypeHandover.
func (*Handover) Type() Type { return TypeHandover }

// Type is TypeDeclaration.
func (*Declaration) Type() Type { return TypeDeclaration }

// Type is TypeClose.
func (*Close) Type() Type { return TypeClose }

// Type is TypeAccess.
func (*Access) Type() Type { return TypeAccess }

// Type is TypeCertificates.
func (*Certificates) Type() Type { return TypeCertificates }

// Key is the reference.
func (d *Deposit) Key() string { return d.Reference }

// Key is the reference.
func (k *Karcis) Key() string { return k.Reference }

// Key is the reference.
func (h *Handover) Key() string { return h.Reference }

// Key is the reference.
func (d *Declaration) Key() string { return d.Reference }

// Key is the period: it closes once.
func (c *Close) Key() string { return c.Period }

// Key is "": a read has no reference.
func (*Access) Key() string { return "" }

// Key is the day and the revision: each is booked once.
func (c *Certificates) Key() string { return c.Date + "/" + strconv.FormatUint(c.Revision, 10) }

func (d *Deposit) fields() []any {
	return []any{
		&d.Reference, &d.Kind, &d.Account, &d.Operator, &d.Site, &d.PeriodFrom, &d.PeriodTo, &d.CreditedOn,
		&d.Gross, &d.Fee, &d.Net, &d.Channel, &d.Reverses,
	}
}

func (k *Karcis) fields() []any {
	return []any{&k.Reference, &k.State, &k.Series, &k.First, &k.Last, &k.Class, &k.Price, &k.Site, &k.Attendant, &k.Date, &k.Reverses}
}

func (h *Handover) fields() []any {
	return []any{&h.Reference, &h.Hop, &h.From, &h.To, &h.Site, &h.CollectedOn, &h.HandedOn, &h.Amount, &h.Reverses}
}

func (d *Declaration) fields() []any {
	return []any{&d.Reference, &d.NPWPD, &d.NOPD, &d.Period, &d.FiledOn, &d.Gross, &d.Tax, &d.Corrects}
}

func (c *Close) fields() []any { return []any{&c.Period} }

func (a *Access) fields() []any { return []any{&a.Token, &a.At, &a.Route, &a.Filter} }

func (c *Certificates) fields() []any {
	return []any{&c.Date, &c.Revision, &c.Places, &c.Devices, &c.SHA256}
}

// IsAct tells whether entries of the type carry an act.
func (t Type) IsAct() bool { return t >= TypeDeposit && t <= TypeCertificates }

func newLine(t Type) Line {
	switch t {
	case TypeDeposit:
		return &Deposit{}
	case TypeKarcis:
		return &Karcis{}
	case TypeHandover:
		return &Handover{}
	case TypeDeclaration:
		return &Declaration{}
	case TypeClose:
		return &Close{}
	case TypeAccess:
		return &Access{}
	case TypeCertificates:
		return &Certificates{}
	default:
		return nil
	}
}

// EncodeLine appends the canonical bytes of an line: a version and its fields.
func EncodeLine(dst []byte, line Line) []byte { return encodeFields(append(dst, version1), line) }

// DecodeLine returns the line of a type of which b are the canonical bytes.
func DecodeLine(t Type, b []byte) (Line, error) {
	line := newLine(t)
	if line == nil {
		return nil, fmt.Errorf("type %d has no lines", t)
	}
	r := reader{b: b}
	r.version("line")
	decodeFields(&r, line)
	return line, r.end()
}

func encodeFields(dst []byte, line Line) []byte {
	for _, field := range line.fields() {
		switch v := field.(type) {
		case *string:
			dst = appendString(dst, *v)
		case *uint64:
			dst = appendUint(dst, *v)
		case *int64:
			dst = appendInt(dst, *v)
		case *city.Rupiah:
			dst = appendInt(dst, int64(*v))
		case *city.Class:
			dst = append(dst, byte(*v))
		}
	}
	return dst
}

func decodeFields(r *reader, line Line) {
	for _, field := range line.fields() {
		switch v := field.(type) {
		case *string:
			*v = r.string()
		case *uint64:
			*v = r.uint()
		case *int64:
			*v = r.int()
		case *city.Rupiah:
			*v = city.Rupiah(r.int())
		case *city.Class:
			*v = city.Class(r.byte())
		}
	}
}

// encodeAct appends: token | number of lines | their fields, one after the other.
func encodeAct(dst []byte, t Type, a *Act) ([]byte, error) {
	if len(a.Lines) == 0 {
		return dst, errEmptyBody
	}
	dst = appendUint(appendString(dst, a.By), uint64(len(a.Lines)))
	for _, line := range a.Lines {
		if line.Type() != t {
			return dst, fmt.Errorf("an line of type %d in an entry of type %d", line.Type(), t)
		}
		dst = encodeFields(dst, line)
	}
	return dst, nil
}

func decodeAct(r *reader, t Type) *Act {
	a := &Act{By: r.string()}
	n := r.count(len(newLine(t).fields()))
	if n == 0 {
		r.fail(errEmptyBody)
		return a
	}
	a.Lines = make([]Line, n)
	for i := range a.Lines {
		a.Lines[i] = newLine(t)
		decodeFields(r, a.Lines[i])
	}
	return a
}
