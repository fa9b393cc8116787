package ledger

import (
	"encoding/binary"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// The kinds of entry that acts make. Each line of an act that has an effect is
// an entry; one that takes an earlier line back is of the same kind, with Ref
// and the opposite amount.
const (
	KindDeposit     EntryKind = 7
	KindKarcis      EntryKind = 8
	KindHandover    EntryKind = 9
	KindDeclaration EntryKind = 10
	KindClose       EntryKind = 11
	KindAccess      EntryKind = 12 // all reads of one act
	KindUnused      EntryKind = 13 // an act that is kept, without effect: it was known, or refused

	KindCertificates EntryKind = 14 // the hash of a day's certificates of completeness
)

// isAct tells whether entries of the kind come from acts.
func (k EntryKind) isAct() bool { return k >= KindDeposit && k <= KindCertificates }

// kindOf returns the kind of the entries of an act that has an effect.
func kindOf(t journal.Type) EntryKind {
	if t == journal.TypeCertificates {
		return KindCertificates
	}
	return KindDeposit + EntryKind(t-journal.TypeDeposit)
}

// typeOf returns the type of the act that made an entry.
func typeOf(k EntryKind) journal.Type {
	if k == KindCertificates {
		return journal.TypeCertificates
	}
	return journal.TypeDeposit + journal.Type(k-KindDeposit)
}

const entryV2 = 2

// appendAct appends the canonical bytes of an act's entry. Body is the line as
// journal.EncodeLine writes it (KindAccess: the act's body; KindUnused: empty),
// Content the begin of the SHA-256 of the act's body, At our clock:
//
//	2 | kind | n | pos | ref | at | content, 16 bytes | account | operator | npwpd | nopd | site | kecamatan | levy |
//	class | amount | count | day | flags | body
func appendAct(dst []byte, e *Entry) []byte {
	dst = append(dst, entryV2, byte(e.Kind))
	dst = binary.AppendUvarint(dst, e.N)
	dst = binary.AppendUvarint(dst, e.Pos)
	dst = binary.AppendUvarint(dst, e.Ref)
	dst = binary.AppendVarint(dst, e.At)
	dst = append(dst, e.Content[:]...)
	for _, s := range [...]string{e.Account, e.Operator, e.NPWPD, e.NOPD, e.Site, e.Kecamatan, string(e.Levy)} {
		dst = appendText(dst, s)
	}
	dst = append(dst, byte(e.Class))
	for _, v := range [...]int64{int64(e.Amount), e.Count, int64(e.Day)} {
		dst = binary.AppendVarint(dst, v)
	}
	dst = binary.AppendUvarint(dst, uint64(e.Flags))
	return appendText(dst, string(e.Body))
}

// decodeAct reads what follows the version.
func decodeAct(r *scanner) (*Entry, error) {
	e := &Entry{Kind: EntryKind(r.byte()), N: r.uint(), Pos: r.uint(), Ref: r.uint(), At: r.int()}
	e.Cause = e.Pos
	copy(e.Content[:], r.take(len(e.Content)))
	e.Account, e.Operator, e.NPWPD, e.NOPD, e.Site, e.Kecamatan = r.text(), r.text(), r.text(), r.text(), r.text(), r.text()
	e.Levy, e.Class = inventory.Levy(r.text()), city.Class(r.byte())
	e.Amount, e.Count = city.Rupiah(r.int()), r.int()
	day, flags := r.int(), r.uint()
	e.Day, e.Flags = int32(day), Flags(flags)
	if body := r.text(); body != "" {
		e.Body = []byte(body)
	}
	if r.bad || len(r.b) > 0 || int64(e.Day) != day || uint64(e.Flags) != flags || !e.Kind.isAct() {
		return nil, errEntry
	}
	return e, nil
}

// line returns the line that made the entry.
func (e *Entry) line() (journal.Line, error) { return journal.DecodeLine(typeOf(e.Kind), e.Body) }
