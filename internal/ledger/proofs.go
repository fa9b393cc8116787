package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/proof"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// ErrUnsigned says that entries came after the newest checkpoint: they can be
// proved once they are signed (Sign).
var ErrUnsigned = errors.New("not signed yet")

// Proof is some entries with the proof that they are in the log.
type Proof struct {
	Checkpoint *Checkpoint    // the newest one
	Entries    []proof.Proven // in their order
}

// Bundle is the proof as a file of its own.
func (p *Proof) Bundle() *proof.Bundle {
	return &proof.Bundle{Format: proof.BundleFormat, Checkpoint: p.Checkpoint.Note, Entries: p.Entries}
}

// MostProved is how many entries one answer proves.
const MostProved = 10_000

// Selection names entries. Exactly one way to name them is used.
type Selection struct {
	Receipts []string // ids: device:boot:seq; device::seq where the device counts no boots
	Site     string   // its receipts of [From, To), Unix ms by the meter's clock
	From, To int64
	First    uint64 // the entries of these numbers, both inclusive
	Last     uint64
}

// Prove proves that entries are in the log that the newest checkpoint signs. Of
// a receipt it proves its own entry and every correction of it. A receipt that
// the books do not have, and a selection of none, are of KindNotFound, one of
// more than MostProved of KindInvalid. Entries after the checkpoint are
// ErrUnsigned.
func (f *Follower) Prove(ctx context.Context, s Selection) (*Proof, error) {
	tx, err := f.db.R.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	defer tx.Rollback()
	p := &prover{ctx: ctx, tx: tx, seen: map[uint64]bool{}}
	if err := p.selected(s); err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	if len(p.numbers) == 0 {
		return nil, &city.Error{Kind: city.KindNotFound, Message: "the books have no such entry"}
	}
	out, err := p.prove()
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	return out, nil
}

// prover gathers the numbers of entries in one snapshot.
type prover struct {
	ctx     context.Context
	tx      *sql.Tx
	numbers []uint64
	seen    map[uint64]bool
}

func (p *prover) add(n uint64) error {
	if p.seen[n] {
		return nil
	}
	if len(p.numbers) == MostProved {
		return &city.Error{Kind: city.KindInvalid, Message: fmt.Sprintf("more than %d entries: ask for a shorter span", MostProved)}
	}
	p.seen[n] = true
	p.numbers = append(p.numbers, n)
	return nil
}

func (p *prover) selected(s Selection) error {
	for _, id := range s.Receipts {
		found, err := p.readings(id)
		if err != nil {
			return err
		}
		for _, pos := range found {
			if err := p.reading(pos); err != nil {
				return err
			}
		}
	}
	if s.Site != "" {
		return p.listed(s)
	}
	if s.Last > s.First+MostProved {
		return &city.Error{Kind: city.KindInvalid, Message: fmt.Sprintf("more than %d entries: ask for fewer", MostProved)}
	}
	return p.numbered(s)
}

// numbered adds the entries of a span of numbers that there are.
func (p *prover) numbered(s Selection) error {
	if s.Last == 0 {
		return nil
	}
	var newest uint64
	if err := p.tx.QueryRowContext(p.ctx, "SELECT coalesce(max(n), 0) FROM entry").Scan(&newest); err != nil {
		return err
	}
	for n := max(s.First, 1); n <= min(s.Last, newest); n++ {
		if err := p.add(n); err != nil {
			return err
		}
	}
	return nil
}

// listed adds the entries of a site's receipts of a span of time.
func (p *prover) listed(s Selection) error {
	positions, err := p.column(MostProved+1, `SELECT l.pos FROM party p JOIN listing l ON l.party = p.id AND l.at >= ? AND l.at < ? WHERE p.site = ? LIMIT ?`, s.From, s.To, s.Site)
	if err != nil {
		return err
	}
	for _, pos := range positions {
		if err := p.reading(pos); err != nil {
			return err
		}
	}
	return nil
}

// column returns the first column of at most limit rows.
func (p *prover) column(limit int, query string, args ...any) ([]int64, error) {
	rows, err := p.tx.QueryContext(p.ctx, query, append(args, limit)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var v int64
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// mostAlike bounds the readings of one identity, and the papers of one number
// and amount, that are looked through.
const mostAlike = 1000

// readings returns the positions of a receipt: one, or several where the device
// counts no boots and began its sequence anew.
func (p *prover) readings(id string) ([]int64, error) {
	invalid := &city.Error{Kind: city.KindInvalid, Message: "a receipt is named device:boot:seq, or device::seq", Fields: []city.FieldError{{Field: "receipt", Detail: "not the id of a receipt"}}}
	rest, last, ok := cutLast(id)
	device, boot, ok2 := cutLast(rest)
	seq, err := strconv.ParseUint(last, 10, 64)
	if !ok || !ok2 || err != nil || device == "" {
		return nil, invalid
	}
	number := int64(-1)
	if boot != "" {
		b, err := strconv.ParseUint(boot, 10, 63)
		if err != nil {
			return nil, invalid
		}
		number = int64(b)
	}
	query := "SELECT m.pos FROM device d JOIN meter m ON m.device = d.id AND m.boot = ? AND m.seq = ? WHERE d.name = ? LIMIT ?"
	if boot != "" { // the times of these are 0
		query = strings.Replace(query, " WHERE", " AND m.at = 0 WHERE", 1)
	}
	found, err := p.column(mostAlike, query, number, int64(seq), device)
	if err == nil && len(found) == 0 {
		return nil, &city.Error{Kind: city.KindNotFound, Message: "the books have no receipt " + id}
	}
	return found, err
}

func cutLast(s string) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// reading adds a reading's own entry and the corrections of it.
func (p *prover) reading(pos int64) error {
	record, err := p.record(pos)
	if err != nil {
		return err
	}
	if err := p.add(record.own); err != nil || record.flags&FlagCorrected == 0 {
		return err
	}
	data, err := p.entry(record.own)
	if err != nil {
		return err
	}
	own, err := DecodeEntry(data)
	if err != nil {
		return fmt.Errorf("entry %d: %w", record.own, err)
	}
	// Only readings of the same number and amount make corrections of it; those
	// stand right behind the own entry of the reading that made them.
	alike, err := p.column(mostAlike+1, "SELECT q.pos FROM device d JOIN paper q ON q.device = d.id AND q.number = ? WHERE d.name = ? AND q.amount = ? LIMIT ?",
		own.Number, own.Device, int64(own.Face))
	if err != nil {
		return err
	}
	if len(alike) > mostAlike {
		return &city.Error{Kind: city.KindInvalid, Message: fmt.Sprintf("more than %d papers of %s have the number %s: name the entries themselves", mostAlike, own.Device, own.Number)}
	}
	for _, cause := range alike {
		if err := p.caused(cause, own.Pos); err != nil {
			return err
		}
	}
	return nil
}

// caused adds the corrections of a reading that another one made.
func (p *prover) caused(by int64, of uint64) error {
	record, err := p.record(by)
	if err != nil {
		return err
	}
	for n := record.own + 1; ; n++ {
		data, err := p.entry(n)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		e, err := DecodeEntry(data)
		if err != nil || e.Cause != uint64(by) || e.Pos == e.Cause {
			return nil //nolint:nilerr // an entry of another kind is no correction
		}
		if e.Pos == of {
			if err := p.add(n); err != nil {
				return err
			}
		}
	}
}

func (p *prover) record(pos int64) (*recordRow, error) {
	r := &recordRow{pos: uint64(pos)}
	if err := r.scan(p.tx.QueryRowContext(p.ctx, queryTexts[qRecord], pos)); err != nil {
		return nil, fmt.Errorf("record of position %d: %w", pos, err)
	}
	return r, nil
}

// entry returns the canonical bytes of an entry.
func (p *prover) entry(n uint64) (data []byte, err error) {
	var hash []byte
	var sum int64
	err = p.tx.QueryRowContext(p.ctx, queryTexts[qEntry], int64(n)).Scan(&data, &hash, &sum)
	if err == nil {
		err = sqlite.CheckSum(sum, "entry", int64(n), data, hash)
	}
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", n, err)
	}
	return data, nil
}

// prove proves the entries that were gathered.
func (p *prover) prove() (*Proof, error) {
	last, err := lastCheckpoint(p.ctx, p.tx)
	if err != nil {
		return nil, err
	}
	slices.Sort(p.numbers)
	if newest := p.numbers[len(p.numbers)-1]; last == nil || newest > last.Size {
		return nil, fmt.Errorf("entry %d: %w", newest, ErrUnsigned)
	}
	out := &Proof{Checkpoint: last, Entries: make([]proof.Proven, len(p.numbers))}
	tiles := remembered(tilesOf(p.ctx, p.tx))
	for i, n := range p.numbers {
		data, err := p.entry(n)
		if err != nil {
			return nil, err
		}
		hashes, err := proof.Inclusion(last.Size, n-1, tiles)
		if err != nil {
			return nil, err
		}
		out.Entries[i] = proof.Proven{Leaf: n - 1, Data: data, Proof: hashes}
	}
	// What is damaged here is told here, not by who checks it.
	return out, out.check()
}

// check checks what is about to be answered.
func (p *Proof) check() error {
	for i := range p.Entries {
		e := &p.Entries[i]
		if err := proof.CheckInclusion(e.Proof, p.Checkpoint.Size, p.Checkpoint.Root, e.Leaf, proof.LeafHash(e.Data)); err != nil {
			return &DisagreementError{Entry: e.Leaf + 1, Table: "tile", Detail: err.Error()}
		}
	}
	return nil
}

// remembered keeps the tile of each level that was read last.
func remembered(tiles proof.Tiles) proof.Tiles {
	type read struct {
		n    uint64
		data []byte
	}
	last := map[int]read{}
	return func(level int, n uint64) ([]byte, error) {
		if r, ok := last[level]; ok && r.n == n {
			return r.data, nil
		}
		data, err := tiles(level, n)
		if err == nil {
			last[level] = read{n, data}
		}
		return data, err
	}
}

// Growth proves that the log of To entries begins with the log of From entries.
type Growth struct {
	From, To      uint64
	OldRoot, Root proof.Hash
	Proof         []proof.Hash
	Checkpoint    *Checkpoint // the newest one
	OldNote, Note string      // checkpoints of just these sizes, "" where none was signed
}

// Grown proves that the log of the first to entries begins with the log of the
// first from entries; to 0 is the newest checkpoint's. Sizes past it are of
// KindInvalid.
func (f *Follower) Grown(ctx context.Context, from, to uint64) (*Growth, error) {
	tx, err := f.db.R.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	defer tx.Rollback()
	last, err := lastCheckpoint(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	if last == nil {
		return nil, fmt.Errorf("prove: %w", ErrUnsigned)
	}
	g := &Growth{From: from, To: to, Checkpoint: last}
	if to == 0 {
		g.To = last.Size
	}
	if g.From > g.To || g.To > last.Size {
		return nil, &city.Error{
			Kind: city.KindInvalid, Message: fmt.Sprintf("from and to are sizes of the log: from at most to, and to at most %d, which is signed", last.Size),
			Fields: []city.FieldError{{Field: "to", Detail: "no size that is signed"}},
		}
	}
	tiles := tilesOf(ctx, tx)
	if g.OldRoot, err = proof.Root(g.From, tiles); err == nil {
		g.Root, err = proof.Root(g.To, tiles)
	}
	if err == nil {
		g.Proof, err = proof.Consistency(g.From, g.To, tiles)
	}
	if err == nil {
		err = proof.CheckConsistency(g.Proof, g.From, g.OldRoot, g.To, g.Root)
	}
	if err == nil {
		g.OldNote, err = noteOf(ctx, tx, g.From)
	}
	if err == nil {
		g.Note, err = noteOf(ctx, tx, g.To)
	}
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	return g, nil
}

// noteOf returns the newest checkpoint of a size, "" where none was signed.
func noteOf(ctx context.Context, tx *sql.Tx, size uint64) (string, error) {
	c, err := scanCheckpoint(tx.QueryRowContext(ctx, selectCheckpoint+" WHERE size = ? ORDER BY id DESC LIMIT 1", int64(size)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return c.Note, err
}
