package world

import (
	"fmt"
	"reflect"
	"slices"
	"sort"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// model says, slowly and by the contract alone, what the journal and the
// quarantine must hold. It forgets nothing.
type model struct {
	w        *World
	offered  map[*byte]*message  // what lies in the queue, by its payload
	editions map[string]*edition // by the hash of their files

	entries  []journal.Entry // what the journal must hold
	versions []accepted
	lastRecv int64
	today    string
	known    map[string]fact // accepted readings by identity
	taken    map[string]int  // how many of each device
	aside    map[string]put  // what must be in quarantine
	maybe    map[string]put  // what may be: the power went before its commit
	pending  *batch
	limbo    *batch          // of which nobody knows whether it is durable
	unsure   map[string]bool // identities of this batch of which it cannot be told whether they are new
}

type accepted struct {
	pos uint64
	at  int64
	e   *edition
}

// fact is one accepted reading.
type fact struct {
	content string
	n       int // the how manyth of its device
	pos     uint64
}

// put is one item of the quarantine.
type put struct {
	recvs []int64 // it was received at one of these
	sure  bool    // it is there
}

// batch is what is decided and not committed yet.
type batch struct {
	items    []intake.Item
	wall     int64
	recv     int64
	entries  []journal.Entry
	aside    []journal.Item
	facts    map[string]fact
	taken    map[string]int
	tallies  map[string]*journal.Tally
	edition  *edition
	putDone  bool
	appended bool
}

func (b *batch) String() string {
	return fmt.Sprintf("%d entries, %d aside", len(b.entries), len(b.aside))
}

func newModel(w *World) *model {
	return &model{
		w: w, offered: map[*byte]*message{}, editions: map[string]*edition{}, known: map[string]fact{}, taken: map[string]int{},
		aside: map[string]put{}, maybe: map[string]put{},
	}
}

func (m *model) head() uint64 { return uint64(len(m.entries)) }

// newest returns the edition in force.
func (m *model) newest() *edition {
	if n := len(m.versions); n > 0 {
		return m.versions[n-1].e
	}
	return nil
}

func payloadOf(i *intake.Item) *byte {
	if i.Command != nil || len(i.Message.Payload) == 0 {
		return nil
	}
	return &i.Message.Payload[0]
}

// judge decides a batch.
func (m *model) judge(items []intake.Item, wall int64) {
	recv := wall
	if recv < m.lastRecv && m.lastRecv-recv <= 5*minute {
		recv = m.lastRecv
	}
	b := &batch{items: items, wall: wall, recv: recv, facts: map[string]fact{}, taken: map[string]int{}, tallies: map[string]*journal.Tally{}, edition: m.newest()}
	m.pending = b
	for i := range items {
		if c := items[i].Command; c != nil {
			m.command(b, c)
			continue
		}
		sent := m.offered[payloadOf(&items[i])]
		if sent == nil {
			failf("a message was taken that nobody offered")
		}
		m.message(b, sent)
	}
	var devices []string
	for id := range b.tallies {
		devices = append(devices, id)
	}
	sort.Strings(devices)
	for _, id := range devices {
		b.entries = append(b.entries, journal.Entry{Type: journal.TypeTally, Recv: recv, Tally: b.tallies[id]})
	}
}

func (m *model) command(b *batch, c *intake.Command) {
	for _, e := range c.Entries {
		e.Recv = b.recv
		b.entries = append(b.entries, e)
		if e.Type == journal.TypeInventory {
			b.edition = m.editions[e.Inventory.Hash]
		}
	}
	if item := c.Retry; item != nil {
		m.retry(b, item)
	}
}

func (m *model) retry(b *batch, item *journal.Item) {
	kept, ok := m.aside[asideKey(item)]
	if !ok {
		kept, ok = m.maybe[asideKey(item)]
	}
	if !ok || !slices.Contains(kept.recvs, item.Recv) {
		failf("item %d of %s (%s) was received at %d, and should be at %v", item.ID, item.Device, item.Reason, item.Recv, kept.recvs)
	}
	decoded := native.Decode(item.Device, item.Raw)
	for i := range decoded.Readings {
		v := m.verdict(b, &decoded.Readings[i], item.Source, item.Recv)
		if v.accepted {
			b.entries = append(b.entries, journal.Entry{
				Type: journal.TypeReading, Recv: item.Recv, Source: item.Source, Flags: v.flags | journal.FlagRetried, Reading: &decoded.Readings[i],
			})
			m.w.stats.retried++
		}
	}
}

func (m *model) message(b *batch, sent *message) {
	decoded := native.Decode(sent.device, sent.payload)
	good, bad := 0, 0
	for i := range sent.elements {
		e := &sent.elements[i]
		if e.reading == nil {
			if bad >= len(decoded.Refused) || decoded.Refused[bad].Reason != e.reason {
				failf("%s is refused as %v, and should be %s", e.raw, decoded.Refused, e.reason)
			}
			bad++
			continue
		}
		if good >= len(decoded.Readings) || !reflect.DeepEqual(decoded.Readings[good], *e.reading) {
			failf("%s is decoded as %+v", e.raw, decoded.Readings)
		}
		good++
		m.reading(b, sent, i, e)
	}
	if good != len(decoded.Readings) || bad != len(decoded.Refused) {
		failf("%s holds %d readings and %d refused elements, not %d and %d", sent.payload, good, bad, len(decoded.Readings), len(decoded.Refused))
	}
	for _, x := range decoded.Refused {
		b.aside = append(b.aside, journal.Item{Recv: b.recv, Source: sent.source, Device: sent.device, Topic: sent.topic, Reason: x.Reason, Raw: x.Raw})
		if b.edition.kinds[sent.device] != "" {
			b.tally(sent.device, journal.Quarantined{
				HasSeq: x.Seq.OK, Seq: uint64(x.Seq.V), HasBoot: x.Boot.OK, Boot: uint64(x.Boot.V), At: x.At.V, Reason: x.Reason,
			})
		}
	}
}

func (m *model) reading(b *batch, sent *message, _ int, e *element) {
	r := *e.reading
	switch v := m.verdict(b, &r, sent.source, b.recv); {
	case v.accepted:
		b.entries = append(b.entries, journal.Entry{Type: journal.TypeReading, Recv: b.recv, Source: sent.source, Flags: v.flags, Reading: &r})
	case v.duplicate:
		b.tallyOf(r.Device).Duplicates++
		m.w.stats.doubles++
	default:
		b.aside = append(b.aside, journal.Item{Recv: b.recv, Source: sent.source, Device: r.Device, Topic: sent.topic, Reason: v.reason, Raw: e.raw})
		if v.reason != city.ReasonUnknownDevice {
			b.tally(r.Device, journal.Quarantined{HasSeq: true, HasBoot: r.HasBoot, Boot: r.Boot, Seq: r.Seq, At: r.At, Reason: v.reason})
		}
	}
}

func (b *batch) tallyOf(device string) *journal.Tally {
	if b.tallies[device] == nil {
		b.tallies[device] = &journal.Tally{Device: device}
	}
	return b.tallies[device]
}

func (b *batch) tally(device string, q journal.Quarantined) {
	t := b.tallyOf(device)
	t.Quarantined = append(t.Quarantined, q)
}

// ruling is what becomes of one reading.
type ruling struct {
	accepted, duplicate bool
	reason              city.Reason
	flags               journal.Flags
}

// verdict rules on one reading by contract section 2, and notes it if it is
// new.
func (m *model) verdict(b *batch, r *city.Reading, source string, recv int64) ruling {
	kind := b.edition.kinds[r.Device]
	sends := kind
	if kind == "meter" {
		sends = city.KindReceipt.String()
	}
	l := limits(source)
	oldest := recv - l.MaxAge.Milliseconds()
	late := r.At < oldest
	if r.Kind == city.KindReceipt {
		oldest = recv - 3650*day
	}
	switch {
	case kind == "":
		return ruling{reason: city.ReasonUnknownDevice}
	case r.Kind != city.KindHealth && r.Kind.String() != sends:
		return ruling{reason: city.ReasonWrongKind}
	case r.At > recv+l.MaxAhead.Milliseconds():
		return ruling{reason: city.ReasonTooFarAhead}
	case r.At < oldest:
		return ruling{reason: city.ReasonTooOld}
	}
	id, content := identity(r), contentOf(r)
	before, ok := b.facts[id]
	if !ok {
		before, ok = m.known[id]
	}
	taken := m.taken[r.Device] + b.taken[r.Device]
	switch {
	case m.unsure[id]:
		m.w.stats.forgotten++
		return ruling{reason: city.ReasonForgotten}
	case ok && before.content == content:
		return ruling{duplicate: true}
	case ok && (taken-before.n < 64 || r.Kind == city.KindReceipt && m.w.sys.ledger.Cursor() >= before.pos):
		m.w.stats.conflicts++
		return ruling{reason: city.ReasonSequenceConflict}
	case ok: // what it said is not remembered any more: an older repeat is a duplicate
		return ruling{duplicate: true}
	}
	b.taken[r.Device]++
	b.facts[id] = fact{content: content, n: taken + 1, pos: never}
	v := ruling{accepted: true}
	if late {
		v.flags = journal.FlagLate
	}
	return v
}

// unsureOf tells whether the gate may not know what is new from a device: one
// that counts no boots, of which more was taken than is compared by content.
// Its numbers come again, and what was between is told by the run.
func (m *model) unsureOf(device string) bool {
	x := m.w.plan.device(device)
	return x != nil && !x.boots && m.taken[device] >= 60
}

// forgive looks for readings that the gate could not tell to be new or known.
// Where that is allowed they are judged anew: all else must be as before.
func (m *model) forgive(items []journal.Item) {
	m.unsure = map[string]bool{}
	for i := range items {
		if items[i].Reason != city.ReasonForgotten || !m.unsureOf(items[i].Device) {
			continue
		}
		for _, r := range native.Decode(items[i].Device, items[i].Raw).Readings {
			m.unsure[identity(&r)] = true
		}
	}
	if len(m.unsure) > 0 {
		m.judge(m.pending.items, m.pending.wall)
	}
	m.unsure = nil
}

// identity is what makes two readings one (contract, section 2).
func identity(r *city.Reading) string {
	if r.HasBoot {
		return fmt.Sprintf("%s boot %d seq %d", r.Device, r.Boot, r.Seq)
	}
	return fmt.Sprintf("%s seq %d at %d", r.Device, r.Seq, r.At)
}

func contentOf(r *city.Reading) string {
	c := *r
	if c.Receipt != nil {
		p := *c.Receipt
		p.Plate, p.PlateHash = "", nil
		c.Receipt = &p
	}
	return string(native.Encode(&c))
}

func dateOf(ms int64) string { return time.UnixMilli(ms).In(zone).Format(time.DateOnly) }

func asideKey(i *journal.Item) string {
	return fmt.Sprintf("%s|%s|%s|%s|%s", i.Source, i.Device, i.Topic, i.Reason, i.Raw)
}
