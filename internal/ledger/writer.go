package ledger

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// writer makes entries out of readings in one transaction. Rows that only grow
// are gathered and written many at once; before an earlier reading is looked
// up, they are written.
type writer struct {
	f  *Follower
	tx *sql.Tx
	s  *state

	parties int // saved already
	devices []string
	entries []entryRow
	records []recordRow
	papers  []paper
	meters  []meterRow
	listing []listRow
	fresh   map[paperID]bool   // numbers of this transaction; true: not yet written
	dirty   []paperID          // the true ones
	book    map[bookKey]sums   // changes
	closed  bool               // an entry of the transaction closes a period
	filed   map[bookKey]sums   // changes of how the filed sums differ
	paid    map[dayParty]*paid // of days with karcis
	recv    int64              // of the entry of the journal that is being taken

	once [queries]*sql.Stmt
	many [len(growingTables)][len(rowsAtOnce)]*sql.Stmt
	buf  []byte
	args []any
}

type entryRow struct {
	n    uint64
	data []byte
	hash [32]byte
}

// recordRow is a row of the table record.
type recordRow struct {
	pos    uint64
	recv   int64
	marks  journal.Flags
	source string
	data   []byte
	own    uint64
	eff    uint64
	party  int32
	flags  Flags
}

const recordColumns = 9

// values appends the row without its checksum.
func (r *recordRow) values(args []any) []any {
	return append(args, int64(r.pos), r.recv, int64(r.marks), r.source, r.data, int64(r.own), int64(r.eff), int64(r.party), int64(r.flags))
}

const recordSelect = "r.recv, r.marks, r.source, r.data, r.own, r.eff, r.party, r.flags, r.sum"

// scan reads recordSelect of the row at r.pos, and more after it.
func (r *recordRow) scan(row *sql.Row, more ...any) error {
	var own, eff, sum int64
	if err := row.Scan(append([]any{&r.recv, &r.marks, &r.source, &r.data, &own, &eff, &r.party, &r.flags, &sum}, more...)...); err != nil {
		return err
	}
	r.own, r.eff = uint64(own), uint64(eff)
	return sqlite.CheckSum(sum, "record", r.values(nil)...)
}

type listRow struct {
	party int32
	at    int64
	pos   uint64
}

// gathered is how many readings are gathered before they are written.
const gathered = 512

func newWriter(f *Follower, tx *sql.Tx, s *state) *writer {
	return &writer{f: f, tx: tx, s: s, parties: len(s.parties.list), fresh: map[paperID]bool{}, book: map[bookKey]sums{}, filed: map[bookKey]sums{}, paid: map[dayParty]*paid{}}
}

// take makes the entries of one reading, or act.
func (w *writer) take(e *journal.Entry) error {
	w.recv = e.Recv
	if e.Type.IsAct() {
		return w.act(e)
	}
	r, p := e.Reading, e.Reading.Receipt
	if p == nil {
		return fmt.Errorf("a receipt of %s without its body", r.Device)
	}
	day := w.f.days.dayOf(r.At)
	id, tariff, flags := w.s.parties.of(e, day)
	if e.Flags&journal.FlagLate != 0 {
		flags |= FlagLate
	}
	if e.Flags&journal.FlagRetried != 0 {
		flags |= FlagRetried
	}
	flags |= w.afterClose(day)
	who := &w.s.parties.list[id]
	own := &Entry{
		Pos: e.Pos, Cause: e.Pos, Device: r.Device, HasBoot: r.HasBoot, Boot: r.Boot, Seq: r.Seq, At: r.At,
		Content: journal.ContentHash(r), Number: p.Number, Site: who.Site, Kecamatan: who.Kecamatan, Operator: who.Operator,
		NPWPD: who.NPWPD, NOPD: who.NOPD, Levy: who.Levy, Account: who.Account, Tariff: tariff,
		Class: p.Class, Method: p.Method, Face: p.Amount, Day: day, Flags: flags,
	}
	x := &reading{e: e, own: own, party: id, paper: w.paperOf(r, e.Pos)}
	if err := w.decide(x); err != nil {
		return err
	}
	if len(w.records) >= gathered {
		return w.write()
	}
	return nil
}

// reading is one reading on its way into the books.
type reading struct {
	e     *journal.Entry
	own   *Entry
	party int32
	paper paper
}

// keep numbers the reading's own entry and gathers its rows.
func (w *writer) keep(x *reading) error {
	own := x.own
	totals, err := w.totals(x)
	if err != nil {
		return err
	}
	r := recordRow{
		pos: own.Pos, recv: x.e.Recv, marks: x.e.Flags, source: x.e.Source,
		data: journal.EncodeReading(nil, x.e.Reading), party: x.party, flags: own.Flags | totals,
	}
	if err := w.number(own, x.party, &r); err != nil {
		return err
	}
	r.own = own.N
	if own.Count != 0 {
		r.eff = own.N
	}
	w.records = append(w.records, r)
	w.papers = append(w.papers, x.paper)
	w.fresh[x.paper.paperID] = true
	w.dirty = append(w.dirty, x.paper.paperID)
	w.listing = append(w.listing, listRow{x.party, own.At, own.Pos})
	return nil
}

// number gives the entry its number, its place in the chain and its effect on
// the sums of a party.
func (w *writer) number(e *Entry, party int32, record *recordRow) error {
	w.s.n++
	e.N = w.s.n
	data := AppendEntry(nil, e)
	w.s.hash = w.chain(data, record)
	w.entries = append(w.entries, entryRow{e.N, data, w.s.hash})
	if e.Count == 0 || e.Kind.isAct() {
		return nil
	}
	key := bookKey{e.Day, party, e.Class, e.Method}
	effect := sums{receipts: e.Count, amount: int64(e.Amount)}
	if e.Kind == KindVoid || e.Kind == KindRevoid {
		effect.voids = -e.Count
	}
	return w.post(key, effect, e.Flags&FlagAfterClose != 0)
}

// chain is the hash of an entry: over the hash before it, its canonical bytes,
// and for a reading's own entry the record as it is kept.
//
//	SHA-256(before | length of data | data | [recv | marks | source | record])
func (w *writer) chain(data []byte, record *recordRow) [32]byte {
	b := append(w.buf[:0], w.s.hash[:]...)
	b = binary.AppendUvarint(b, uint64(len(data)))
	b = append(b, data...)
	if record != nil {
		b = binary.AppendVarint(b, record.recv)
		b = append(b, byte(record.marks))
		b = appendText(b, record.source)
		b = append(b, record.data...)
	}
	w.buf = b
	return sha256.Sum256(b)
}

// device returns the id of a device.
func (w *writer) device(name string) int64 {
	id, ok := w.s.devices[name]
	if !ok {
		id = int64(len(w.s.devices)) + 1
		w.s.devices[name] = id
		w.devices = append(w.devices, name)
	}
	return id
}

func bootOf(r *city.Reading) int64 {
	if !r.HasBoot {
		return -1
	}
	return int64(r.Boot)
}
