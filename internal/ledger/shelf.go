package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"hash/maphash"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// shelf keeps in memory what a recomputation has to look up, in place of the
// tables that grow with every reading. It holds no texts: the number of a paper
// is a hash of 64 bits under a seed of this run, and what is rarely asked for is
// read from the books that are verified, which were compared up to there.
//
// Of the rows that the tables should have it keeps a sum of hashes, so that
// they are compared in any order.
type shelf struct {
	ctx     context.Context
	tx      *sql.Tx                     // of the books that are verified
	entries func(rows []entryRow) error // is given each entry as it is made

	rows    []*[shelfChunk]shelfRow
	n       uint32
	last    map[uint64]uint32  // by device and number: the newest row, from 1 on
	piles   map[uint64]pile    // by device and number, where there are many
	devices map[int64][]uint32 // rows in the meter's own order
	sums    tableSums
	hasher
}

const (
	shelfChunk = 1 << 14
	shelfBytes = 140 // of memory a reading, its place in the maps included
	pileFrom   = 32  // papers of one number
)

// shelfRow is a reading: its paper, and its record but what never changes.
type shelfRow struct {
	pos, own, eff         uint64
	at, boot, seq, amount int64 // of the paper
	device, party         int32
	flags                 Flags
	before                uint32 // the row before of the same number, from 1 on
	class                 uint8
}

// pile is the papers of a number that has many, in the order of their moments.
type pile map[pileKey][]uint32

type pileKey struct {
	class  uint8
	amount int64
}

func newShelf(ctx context.Context, tx *sql.Tx) *shelf {
	return &shelf{ctx: ctx, tx: tx, last: map[uint64]uint32{}, piles: map[uint64]pile{}, devices: map[int64][]uint32{}, hasher: hasher{seed: maphash.MakeSeed()}}
}

func (s *shelf) row(i uint32) *shelfRow { return &s.rows[i/shelfChunk][i%shelfChunk] }

func (r *shelfRow) moment() moment { return moment{r.at, r.boot, r.seq, int64(r.pos)} }

// listed is the time by which the reading is listed.
func (r *shelfRow) listed() int64 {
	if r.class == paperVoid || r.class == paperKept {
		return r.at - voidShift
	}
	return r.at
}

func (r *shelfRow) step() step {
	if r.boot < 0 {
		return step{-1, r.listed(), r.seq, int64(r.pos)}
	}
	return step{boot: r.boot, seq: r.seq, pos: int64(r.pos)}
}

func (s *shelf) recordHash(r *shelfRow) uint64 {
	return s.record(r.pos, r.own, r.eff, int64(r.party), int64(r.flags))
}

func (s *shelf) paperHash(number uint64, r *shelfRow) uint64 {
	return s.paper(number, int(r.class), r.amount, r.moment())
}

func (s *shelf) listingHash(r *shelfRow) uint64 { return s.listing(int64(r.party), r.listed(), r.pos) }

// keep takes what the writer has gathered.
func (s *shelf) keep(w *writer) error {
	if err := s.entries(w.entries); err != nil {
		return err
	}
	var acts []entryRow
	for i := range w.entries {
		if w.entries[i].data[0] == entryV2 { // there are few, and the desk asks for them
			acts = append(acts, w.entries[i])
		}
	}
	if err := insertAll(w, 0, acts, bindEntry, &acts); err != nil {
		return err
	}
	for i := range w.meters {
		s.sums.meter += s.meter(&w.meters[i])
	}
	for i := range w.records {
		s.add(&w.records[i], &w.papers[i])
	}
	w.entries, w.records, w.papers = w.entries[:0], w.records[:0], w.papers[:0]
	w.meters, w.listing = w.meters[:0], w.listing[:0]
	return nil
}

func (s *shelf) add(record *recordRow, p *paper) {
	i := s.n
	s.n++
	if i%shelfChunk == 0 {
		s.rows = append(s.rows, new([shelfChunk]shelfRow))
	}
	number := s.number(p.device, p.number)
	r := s.row(i)
	*r = shelfRow{
		pos: record.pos, own: record.own, eff: record.eff, at: p.at, boot: p.boot, seq: p.seq, amount: p.amount,
		device: int32(p.device), party: record.party, flags: record.flags, before: s.last[number], class: uint8(p.class),
	}
	s.last[number] = i + 1
	s.stack(number, i)
	s.sums.record += s.recordHash(r)
	s.sums.paper += s.paperHash(number, r)
	s.sums.listing += s.listingHash(r)
	order, at := s.devices[p.device], r.step()
	if n := len(order); n == 0 || s.row(order[n-1]).step().before(at) {
		s.devices[p.device] = append(order, i)
		return
	}
	k := s.place(order, at)
	order = append(order, 0)
	copy(order[k+1:], order[k:])
	order[k] = i
	s.devices[p.device] = order
}

// place is how many of a device's rows come before a step.
func (s *shelf) place(order []uint32, at step) int {
	return sort.Search(len(order), func(k int) bool { return !s.row(order[k]).step().before(at) })
}

// stack adds a row to the pile of its number, and begins the pile where the
// number has become one of many papers.
func (s *shelf) stack(number uint64, i uint32) {
	if p, ok := s.piles[number]; ok {
		s.pile(p, i)
		return
	}
	n := 0
	for k := i + 1; k != 0; k = s.row(k - 1).before {
		if n++; n >= pileFrom {
			break
		}
	}
	if n < pileFrom {
		return
	}
	p := pile{}
	for k := i + 1; k != 0; k = s.row(k - 1).before {
		s.pile(p, k-1)
	}
	s.piles[number] = p
}

func (s *shelf) pile(p pile, i uint32) {
	r := s.row(i)
	key := pileKey{r.class, r.amount}
	list := p[key]
	k := s.from(list, r.moment())
	list = append(list, 0)
	copy(list[k+1:], list[k:])
	list[k] = i
	p[key] = list
}

// from is the first of a list at or after a moment.
func (s *shelf) from(list []uint32, m moment) int {
	return sort.Search(len(list), func(k int) bool { return !s.row(list[k]).moment().before(m) })
}

// at finds the row of a position.
func (s *shelf) at(pos int64) (*shelfRow, error) {
	i := sort.Search(int(s.n), func(i int) bool { return s.row(uint32(i)).pos >= uint64(pos) })
	if i == int(s.n) || s.row(uint32(i)).pos != uint64(pos) {
		return nil, fmt.Errorf("position %d: %w", pos, sql.ErrNoRows)
	}
	return s.row(uint32(i)), nil
}

func (s *shelf) known(id paperID) bool { return s.last[s.number(id.device, id.number)] != 0 }

// first returns the first paper of a class of the same number and amount at or
// after a moment.
func (s *shelf) first(of paper, class int, m moment) (paper, bool) {
	number := s.number(of.device, of.number)
	if p, ok := s.piles[number]; ok {
		list := p[pileKey{uint8(class), of.amount}]
		if k := s.from(list, m); k < len(list) {
			return s.row(list[k]).paper(of), true
		}
		return paper{}, false
	}
	var best *shelfRow
	for k := s.last[number]; k != 0; {
		r := s.row(k - 1)
		k = r.before
		if int(r.class) == class && r.amount == of.amount && !r.moment().before(m) && (best == nil || r.moment().before(best.moment())) {
			best = r
		}
	}
	return best.paper(of), best != nil
}

// lastHead returns the last receipt of the same number and amount that counts
// at or before a moment.
func (s *shelf) lastHead(of paper, m moment) (paper, bool) {
	number := s.number(of.device, of.number)
	if p, ok := s.piles[number]; ok {
		list := p[pileKey{paperHead, of.amount}]
		if k := s.from(list, after(m)); k > 0 {
			return s.row(list[k-1]).paper(of), true
		}
		return paper{}, false
	}
	var best *shelfRow
	for k := s.last[number]; k != 0; {
		r := s.row(k - 1)
		k = r.before
		if r.class == paperHead && r.amount == of.amount && r.moment().before(after(m)) && (best == nil || best.moment().before(r.moment())) {
			best = r
		}
	}
	return best.paper(of), best != nil
}

// otherAmount tells whether a receipt of the same number and another amount
// counts.
func (s *shelf) otherAmount(of paper) bool {
	number := s.number(of.device, of.number)
	if p, ok := s.piles[number]; ok {
		for key := range p {
			if key.class == paperHead && key.amount != of.amount {
				return true
			}
		}
		return false
	}
	for k := s.last[number]; k != 0; {
		r := s.row(k - 1)
		k = r.before
		if r.class == paperHead && r.amount != of.amount {
			return true
		}
	}
	return false
}

// paper is the row as a paper of the same number as another one.
func (r *shelfRow) paper(of paper) paper {
	if r == nil {
		return paper{}
	}
	return paper{of.paperID, int(r.class), r.amount, r.moment()}
}

func (s *shelf) reclass(p paper, class int) error {
	r, err := s.at(p.pos)
	if err != nil {
		return err
	}
	number := s.number(p.device, p.number)
	s.sums.paper -= s.paperHash(number, r)
	piled, many := s.piles[number]
	if many {
		key := pileKey{r.class, r.amount}
		list := piled[key]
		k := s.from(list, r.moment())
		i := list[k]
		if list = append(list[:k], list[k+1:]...); len(list) == 0 {
			delete(piled, key)
		} else {
			piled[key] = list
		}
		r.class = uint8(class)
		s.pile(piled, i)
	}
	r.class = uint8(class)
	s.sums.paper += s.paperHash(number, r)
	return nil
}

func (s *shelf) move(pos uint64, party int32) error {
	r, err := s.at(int64(pos))
	if err != nil {
		return err
	}
	s.sums.listing -= s.listingHash(r)
	s.sums.record -= s.recordHash(r)
	r.party = party
	s.sums.listing += s.listingHash(r)
	s.sums.record += s.recordHash(r)
	return nil
}

func (s *shelf) save(b *recordRow) error {
	r, err := s.at(int64(b.pos))
	if err != nil {
		return err
	}
	s.sums.record -= s.recordHash(r)
	r.eff, r.flags = b.eff, b.flags
	s.sums.record += s.recordHash(r)
	return nil
}

// standing is what the books say of a reading; of the record only what changes.
func (s *shelf) standing(pos int64) (recordRow, error) {
	r, err := s.at(pos)
	if err != nil {
		return recordRow{}, err
	}
	return recordRow{pos: r.pos, own: r.own, eff: r.eff, party: r.party, flags: r.flags}, nil
}

// entry reads an entry that was compared already.
func (s *shelf) entry(n uint64) (data []byte, err error) {
	err = s.tx.QueryRowContext(s.ctx, "SELECT data FROM entry WHERE n = ?", int64(n)).Scan(&data)
	return data, err
}

// neighbour returns the reading before, behind or at a step, nil for none.
func (s *shelf) neighbour(device int64, at step, q query) (*reached, error) {
	order := s.devices[device]
	k := s.place(order, at)
	here := k < len(order) && s.row(order[k]).step() == at
	switch {
	case q == qBefore:
		k--
	case q == qBehind && here:
		k++
	case q == qHere && !here:
		return nil, nil
	}
	if k < 0 || k >= len(order) {
		return nil, nil
	}
	r := s.row(order[k])
	count, amount, err := s.totals(r.pos)
	if err != nil {
		return nil, err
	}
	return &reached{r.step(), count, amount}, nil
}

// totals reads a reading's running totals.
func (s *shelf) totals(pos uint64) (count, amount city.Int, err error) {
	var data []byte
	if err := s.tx.QueryRowContext(s.ctx, "SELECT data FROM record WHERE pos = ?", int64(pos)).Scan(&data); err != nil {
		return count, amount, fmt.Errorf("record of position %d: %w", pos, err)
	}
	r, err := journal.DecodeReading(data)
	if err != nil || r.Receipt == nil {
		return count, amount, fmt.Errorf("record of position %d: %w", pos, err)
	}
	return r.Receipt.TotalCount, r.Receipt.TotalAmount, nil
}
