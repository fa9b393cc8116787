package intake

import (
	"context"
	"database/sql"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"

	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/skew"
	"github.com/simpang-id/simpang/internal/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store keeps the memory of de-duplication beside a journal position, so that
// a start replays only the journal's tail.
type Store struct {
	db *sqlite.DB
}

// Image is the changed part of the memory at one journal position. Very many
// devices are not copied at once: those of which every run has a boot are
// encoded when they are written, with what they took since. A replay from the
// image's position finds that in them already, and changes nothing.
type Image struct {
	pos     uint64
	devices []string // all
	states  states
	more    func(*states) error // puts the states that are not copied yet in place of others, some at a time; nil: none
}

// OpenStore opens or makes the file at path.
func OpenStore(ctx context.Context, path string) (*Store, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Sync: sqlite.Normal, Migrations: sub, SumsAt: 3})
	if err != nil {
		return nil, err
	}
	return &Store{db: db}, nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Load fills d and returns the journal position up to which it is complete.
func (s *Store) Load(ctx context.Context, d *Dedupe) (uint64, error) {
	var one, pos, sum int64
	err := s.db.R.QueryRowContext(ctx, "SELECT one, pos, sum FROM cursor").Scan(&one, &pos, &sum)
	if err == nil {
		err = sqlite.CheckSum(sum, "cursor", one, pos)
	}
	if err != nil {
		return 0, fmt.Errorf("read the memory of de-duplication: %w", err)
	}
	rows, err := s.db.R.QueryContext(ctx, "SELECT id, state, sum FROM device")
	if err != nil {
		return 0, fmt.Errorf("read the memory of de-duplication: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var state []byte
		if err := rows.Scan(&id, &state, &sum); err != nil {
			return 0, err
		}
		if err := sqlite.CheckSum(sum, "device", id, state); err != nil {
			return 0, fmt.Errorf("memory of %w (%w)", err, errDamaged)
		}
		m, err := decodeMemory(state)
		if err != nil {
			return 0, fmt.Errorf("memory of device %q: %w", id, err)
		}
		d.devices[id] = m
		for _, run := range m.runs {
			d.now = max(d.now, run.lastRecv)
		}
	}
	return uint64(pos), rows.Err()
}

// Image copies what changed since the last image; pos is the journal position
// that the memory has reached.
func (d *Dedupe) Image(pos uint64) Image {
	image, later := d.beginImage(pos)
	for _, id := range later {
		image.states.add(id, d.devices[id])
	}
	return image
}

// beginImage begins an image: later are the devices that may be encoded later.
func (d *Dedupe) beginImage(pos uint64) (image Image, later []string) {
	image = Image{pos: pos, devices: d.dirty}
	later = make([]string, 0, len(d.dirty))
	for _, id := range d.dirty {
		m := d.devices[id]
		m.dirty = false
		if m.recents.ats == nil {
			later = append(later, id)
			continue
		}
		image.states.add(id, m)
	}
	d.dirty = make([]string, 0, len(d.dirty)) // as many as the last time, where the same speak
	return image, later
}

// ErrAgain says that a device's first run without boot began since the image:
// the image is redone, and the next one has it.
var ErrAgain = errors.New("a device changed while it was to be saved")

// encodeSome encodes devices of an image that has begun.
func (d *Dedupe) encodeSome(to *states, ids []string) error {
	to.clear()
	for _, id := range ids {
		m := d.devices[id]
		if m.recents.ats != nil {
			return ErrAgain
		}
		to.add(id, m)
	}
	return nil
}

// Save makes an image durable, in one transaction.
func (s *Store) Save(ctx context.Context, image Image) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) (err error) {
		put := s.db.Rows(ctx, "INSERT INTO device (id, state, sum) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state, sum = excluded.sum")
		defer func() { err = errors.Join(err, put.Close()) }()
		write := func(some *states) {
			for id, state := range some.all() {
				put.Text(id)
				put.Blob(state)
				put.Sum("device")
				put.Exec()
			}
		}
		write(&image.states)
		var some states
		for image.more != nil {
			if err := image.more(&some); err != nil {
				return err
			}
			if len(some.ids) == 0 {
				break
			}
			write(&some)
		}
		_, err = tx.ExecContext(ctx, "UPDATE cursor SET pos = ?, sum = ? WHERE one = 1", int64(image.pos), sqlite.Sum("cursor", int64(1), image.pos))
		return err
	})
}

const memoryVersion = 1

// Bits of the flags of a memory and of a run.
const (
	memoryForgot, memoryMoney, memoryTotal, memoryClock, memoryTotals = 1, 2, 4, 8, 16 // memoryTotal: one, of before there could be several
	runHasBoot, runHasNewest                                          = 1, 2
)

func encodeMemory(b []byte, m *memory) []byte {
	last := &m.recents
	b = append(b, memoryVersion, last.next, bit(m.forgot, memoryForgot)|bit(m.money, memoryMoney)|bit(len(m.totals) > 0, memoryTotals)|bit(m.clock != skew.Estimate{}, memoryClock))
	b = binary.AppendUvarint(b, m.forgotBoot)
	b = binary.AppendVarint(b, m.forgotAt)
	b = binary.AppendUvarint(b, uint64(len(last.contents)))
	for i, content := range last.contents {
		at := uint32(0)
		if last.ats != nil {
			at = last.ats[i]
		}
		b = binary.LittleEndian.AppendUint32(b, last.key(i))
		b = binary.LittleEndian.AppendUint32(b, at)
		b = binary.LittleEndian.AppendUint32(b, content)
	}
	b = binary.AppendUvarint(b, uint64(len(m.runs)))
	for i := range m.runs {
		r := &m.runs[i]
		b = append(b, bit(r.hasBoot, runHasBoot)|runHasNewest)
		b = binary.AppendUvarint(b, r.boot)
		b = binary.AppendUvarint(b, r.floor)
		b = binary.AppendVarint(b, r.lastRecv)
		b = binary.AppendVarint(b, r.newestAt)
		b = binary.AppendUvarint(b, uint64(len(r.spans)))
		for _, s := range r.spans {
			b = binary.AppendUvarint(b, s.lo)
			b = binary.AppendUvarint(b, s.hi-s.lo)
		}
		b = binary.AppendUvarint(b, uint64(len(r.anchors)))
		for _, a := range r.anchors {
			b = binary.AppendUvarint(b, a.seq)
			b = binary.AppendVarint(b, a.at)
		}
	}
	if len(m.totals) > 0 {
		b = binary.AppendUvarint(b, uint64(len(m.totals)))
		for _, t := range m.totals {
			b = binary.AppendVarint(append(b, t.key), t.v)
			b = binary.AppendVarint(b, t.at)
		}
	}
	if (m.clock != skew.Estimate{}) {
		b = m.clock.Append(b)
	}
	return b
}

func bit(set bool, b byte) byte {
	if set {
		return b
	}
	return 0
}

var errDamaged = errors.New("the stored state is damaged: remove dedupe.db while the gateway is stopped, it is built again from the journal")

// reader takes varints off a slice and remembers the first failure.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) byte() byte {
	if len(r.b) < 1 {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) uint32() uint32 {
	if len(r.b) < 4 {
		r.bad = true
		return 0
	}
	v := binary.LittleEndian.Uint32(r.b)
	r.b = r.b[4:]
	return v
}

// length reads a count that cannot exceed what is left.
func (r *reader) length() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad = true
		return 0
	}
	return int(n)
}

func decodeMemory(b []byte) (*memory, error) {
	r := &reader{b: b}
	if r.byte() != memoryVersion {
		return nil, errDamaged
	}
	m := &memory{recents: recents{next: r.byte()}}
	last := &m.recents
	flags := r.byte()
	m.forgot, m.money = flags&memoryForgot != 0, flags&memoryMoney != 0
	m.forgotBoot, m.forgotAt = r.uvarint(), r.varint()
	last.keys = new([recentSize]uint32)
	ats := new([recentSize]uint32)
	timed := false // a run that asked for the times may have been dropped since
	n := r.length()
	if n > recentSize {
		return nil, errDamaged
	}
	last.contents = make([]uint32, n)
	for i := range n {
		last.keys[i], ats[i], last.contents[i] = r.uint32(), r.uint32(), r.uint32()
		timed = timed || ats[i] != 0
	}
	for range r.length() {
		flags := r.byte()
		u := run{hasBoot: flags&runHasBoot != 0, boot: r.uvarint(), floor: r.uvarint(), lastRecv: r.varint()}
		u.newestAt = u.lastRecv + clockSlack // what was stored without it was no further ahead
		if flags&runHasNewest != 0 {
			u.newestAt = r.varint()
		}
		for range r.length() {
			lo := r.uvarint()
			u.spans = append(u.spans, span{lo, lo + r.uvarint()})
		}
		for range r.length() {
			u.anchors = append(u.anchors, anchor{r.uvarint(), r.varint()})
		}
		m.latest = max(m.latest, u.newestAt)
		m.runs = append(m.runs, u)
		timed = timed || !u.hasBoot || u.boot == 0
	}
	if timed {
		last.ats = ats
	}
	if flags&memoryTotal != 0 {
		m.totals = []keyedTotal{{anyKey, total{known: true, v: r.varint(), at: r.varint()}}}
	}
	if flags&memoryTotals != 0 {
		for range r.length() {
			m.totals = append(m.totals, keyedTotal{r.byte(), total{known: true, v: r.varint(), at: r.varint()}})
		}
	}
	if flags&memoryClock != 0 && !r.bad {
		var err error
		if m.clock, r.b, err = skew.Decode(r.b); err != nil {
			return nil, errDamaged
		}
	}
	if r.bad || len(r.b) > 0 || int(last.next) >= recentSize {
		return nil, errDamaged
	}
	for i := range m.runs {
		if u := &m.runs[i]; len(u.spans) > 0 && last.keys != nil {
			last.pack(u.boot, u.spans[len(u.spans)-1].hi)
		}
	}
	return m, nil
}

// redo marks what an image held as changed again.
func (d *Dedupe) redo(image Image) {
	for _, id := range image.devices {
		d.memory(id)
	}
}

// Log is the journal as far as a replay needs it.
type Log interface {
	Read(ctx context.Context, after uint64, max int) ([]journal.Entry, error)
}

// Replay notes every reading after a position: what was accepted since the
// memory was stored.
func (d *Dedupe) Replay(ctx context.Context, log Log, after uint64) error {
	const most = 8192
	for {
		entries, err := log.Read(ctx, after, most)
		if err != nil || len(entries) == 0 {
			return err
		}
		for i := range entries {
			if entries[i].Type == journal.TypeReading {
				d.Judge(entries[i].Reading, entries[i].Recv)
			}
		}
		after = entries[len(entries)-1].Pos
	}
}

// Pos is the journal position of the image.
func (i Image) Pos() uint64 { return i.pos }
