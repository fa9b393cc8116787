package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// EntryKind is the kind of an entry. The numbers are in the canonical bytes:
// append only.
type EntryKind uint8

// The kinds of entry. Each reading has one entry of its own, of the first four
// kinds; a reading that comes late may make corrections of earlier ones.
const (
	KindReceipt    EntryKind = 1 // counts
	KindVoid       EntryKind = 2 // lowers the day of its own time
	KindReprint    EntryKind = 3 // kept, without effect
	KindKept       EntryKind = 4 // a void that is kept, without effect
	KindCorrection EntryKind = 5 // a receipt counts now, or no longer
	KindRevoid     EntryKind = 6 // a void counts now, or no longer
)

var kindNames = [...]string{
	"", "receipt", "void", "reprint", "kept", "correction", "revoid",
	"deposit", "karcis", "handover", "declaration", "close", "access", "unused", "certificates",
}

// String returns the word for people.
func (k EntryKind) String() string {
	if int(k) >= len(kindNames) {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// Entry is one change of the books. It holds no personal data: no plate and
// no hash of one.
type Entry struct {
	N    uint64 // 1, 2, 3 ... without holes
	Kind EntryKind

	Pos   uint64 // journal position of the reading that the entry is about
	Cause uint64 // journal position of the reading that made it; as Pos but for corrections
	Ref   uint64 // entry that it voids, reprints or corrects; 0 none

	Device  string
	HasBoot bool
	Boot    uint64
	Seq     uint64
	At      int64    // the meter's clock, Unix ms
	Content [16]byte // journal.ContentHash of the reading

	Number    string // as on paper
	Site      string
	Kecamatan string
	Operator  string
	NPWPD     string
	NOPD      string
	Levy      inventory.Levy
	Account   string // kode rekening, "" where none holds
	Tariff    string // tariff.Version.ID, "" where none holds

	Class  city.Class
	Method city.Method
	Face   city.Rupiah // as on paper
	Amount city.Rupiah // effect on the sum of Day
	Count  int64       // effect on the number of receipts of Day: 1, 0, -1
	Day    int32       // days since 1970-01-01 in the city's zone
	Flags  Flags       // what was known when the entry was made

	Body []byte // of an act's entry: the line word for word; nil for readings
}

const entryV1 = 1

var errEntry = errors.New("not the canonical bytes of an entry")

// AppendEntry appends the canonical bytes of an entry to dst. Equal entries
// have equal bytes in every version of the program; a change of the encoding
// is a new version byte beside this one, never a change of it. Numbers are
// varints (signed ones zigzag), texts have their length in front:
//
//	1 | kind | n | pos | pos - cause, signed | ref | device | 1 and boot, or 0 | seq | at | content, 16 bytes |
//	number | site | kecamatan | operator | npwpd | nopd | levy | account | tariff | class | method | face | amount | count | day | flags
//
// Entries of acts are version 2, see appendAct.
func AppendEntry(dst []byte, e *Entry) []byte {
	if e.Kind.isAct() {
		return appendAct(dst, e)
	}
	dst = append(dst, entryV1, byte(e.Kind))
	dst = binary.AppendUvarint(dst, e.N)
	dst = binary.AppendUvarint(dst, e.Pos)
	dst = binary.AppendVarint(dst, int64(e.Pos-e.Cause))
	dst = binary.AppendUvarint(dst, e.Ref)
	dst = appendText(dst, e.Device)
	if e.HasBoot {
		dst = append(dst, 1)
		dst = binary.AppendUvarint(dst, e.Boot)
	} else {
		dst = append(dst, 0)
	}
	dst = binary.AppendUvarint(dst, e.Seq)
	dst = binary.AppendVarint(dst, e.At)
	dst = append(dst, e.Content[:]...)
	for _, s := range [...]string{e.Number, e.Site, e.Kecamatan, e.Operator, e.NPWPD, e.NOPD, string(e.Levy), e.Account, e.Tariff} {
		dst = appendText(dst, s)
	}
	dst = append(dst, byte(e.Class), byte(e.Method))
	for _, v := range [...]int64{int64(e.Face), int64(e.Amount), e.Count, int64(e.Day)} {
		dst = binary.AppendVarint(dst, v)
	}
	return binary.AppendUvarint(dst, uint64(e.Flags))
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// DecodeEntry returns the entry of which b are the canonical bytes. Bytes that
// AppendEntry would not have written are an error.
func DecodeEntry(b []byte) (*Entry, error) {
	r := &scanner{b: b}
	switch r.byte() {
	case entryV1:
	case entryV2:
		return decodeAct(r)
	default:
		return nil, fmt.Errorf("%w: unknown version", errEntry)
	}
	e := &Entry{Kind: EntryKind(r.byte()), N: r.uint(), Pos: r.uint()}
	e.Cause = e.Pos - uint64(r.int())
	e.Ref = r.uint()
	e.Device = r.text()
	switch r.byte() {
	case 0:
	case 1:
		e.HasBoot, e.Boot = true, r.uint()
	default:
		r.bad = true
	}
	e.Seq, e.At = r.uint(), r.int()
	copy(e.Content[:], r.take(len(e.Content)))
	e.Number, e.Site, e.Kecamatan, e.Operator = r.text(), r.text(), r.text(), r.text()
	e.NPWPD, e.NOPD, e.Levy, e.Account, e.Tariff = r.text(), r.text(), inventory.Levy(r.text()), r.text(), r.text()
	e.Class, e.Method = city.Class(r.byte()), city.Method(r.byte())
	e.Face, e.Amount, e.Count = city.Rupiah(r.int()), city.Rupiah(r.int()), r.int()
	day, flags := r.int(), r.uint()
	e.Day, e.Flags = int32(day), Flags(flags)
	if r.bad || len(r.b) > 0 || int64(e.Day) != day || uint64(e.Flags) != flags || e.Kind < KindReceipt || e.Kind > KindRevoid {
		return nil, errEntry
	}
	return e, nil
}

// scanner reads varints and texts; a fault makes bad true and the rest zero.
type scanner struct {
	b   []byte
	bad bool
}

func (r *scanner) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *scanner) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *scanner) uint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 && !r.bad {
		v := r.b[0]
		r.b = r.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 || n > 1 && r.b[n-1] == 0 { // the shortest form only
		r.bad = true
	}
	if r.bad {
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *scanner) int() int64 {
	v := r.uint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *scanner) text() string {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.bad = true
		return ""
	}
	return string(r.take(int(n)))
}
