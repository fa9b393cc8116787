package world

import (
	"fmt"
	"reflect"
	"slices"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// compareEntries holds what the gate appends against what it must.
func (m *model) compareEntries(entries []journal.Entry) {
	want := m.pending.entries
	for i := range min(len(entries), len(want)) {
		if difference := differs(&entries[i], &want[i]); difference != "" {
			failf("entry %d of a batch: %s", i, difference)
		}
	}
	if len(entries) != len(want) {
		longer := want
		if len(entries) > len(want) {
			longer = entries
		}
		e := &longer[min(len(entries), len(want))]
		failf("a batch has %d entries, and should have %d: %s is too many or missing", len(entries), len(want), describe(e))
	}
}

// differs tells how an entry differs from what it should be.
func differs(is, want *journal.Entry) string {
	switch {
	case is.Type != want.Type || is.Recv != want.Recv || is.Source != want.Source || is.Flags&^(journal.FlagNewRun|journal.FlagSkewed) != want.Flags:
	case is.Type == journal.TypeReading && want.Reading.At-is.Recv > aheadMs && is.Flags&journal.FlagSkewed == 0:
	case is.Type == journal.TypeReading && !sameReading(is.Reading, want.Reading):
	case !reflect.DeepEqual(is.Tally, want.Tally) || !reflect.DeepEqual(is.Closure, want.Closure):
	case !reflect.DeepEqual(is.Act, want.Act):
	case !reflect.DeepEqual(is.Archive, want.Archive) || !reflect.DeepEqual(is.Inventory, want.Inventory):
	default:
		return ""
	}
	return describe(is) + " where must be " + describe(want)
}

// aheadMs is how far a reading may lie ahead of us and not be flagged, whatever
// is known of its device's clock (rules.yaml, device_skew).
const aheadMs = 60_000

// sameReading compares what was taken with what was sent: but for the plate, of
// which only the hash is kept.
func sameReading(is, sent *city.Reading) bool {
	a, b := *is, *sent
	if a.Receipt != nil && b.Receipt != nil {
		p, q := *a.Receipt, *b.Receipt
		if p.Plate != "" || (q.Plate != "") != (len(p.PlateHash) > 0) {
			return false
		}
		p.PlateHash, q.Plate = nil, ""
		a.Receipt, b.Receipt = &p, &q
	}
	return reflect.DeepEqual(a, b)
}

// compareAside holds what the gate sets aside against what it must.
func (m *model) compareAside(items []journal.Item) {
	list := func(items []journal.Item) (out []string) {
		for i := range items {
			out = append(out, asideKey(&items[i]))
		}
		sort.Strings(out)
		return out
	}
	if is, want := list(items), list(m.pending.aside); !reflect.DeepEqual(is, want) {
		failf("set aside is\n%q\nand should be\n%q", is, want)
	}
	for i := range items {
		if items[i].Recv != m.pending.recv {
			failf("set aside as received at %d, not %d", items[i].Recv, m.pending.recv)
		}
	}
}

// put notes that what was set aside is durable.
func (m *model) put() {
	m.pending.putDone = true
	for i := range m.pending.aside {
		m.note(m.maybe, &m.pending.aside[i], true)
	}
}

// note notes an item; sure: it is on the disk. What was there first keeps its
// receive time, so that of one that may be there already is one of several.
func (m *model) note(to map[string]put, i *journal.Item, sure bool) {
	key := asideKey(i)
	p, ok := m.maybe[key]
	if !ok {
		p = m.aside[key]
	}
	if !p.sure {
		p.recvs = append(slices.Clone(p.recvs), i.Recv)
		p.sure = sure
	}
	to[key] = p
}

// appended notes that the batch is durable.
func (m *model) appended([]journal.Entry) {
	b := m.pending
	b.appended = true
	newest := b.entries[0].Recv
	for i := range b.entries {
		newest = max(newest, b.entries[i].Recv)
	}
	if date := dateOf(newest); date > m.today {
		m.today = date
		begin := journal.Entry{Type: journal.TypeDay, Recv: newest, Day: &journal.Day{Date: date, Closures: m.closures()}}
		for i := range b.entries {
			if b.entries[i].Flags&journal.FlagRetried == 0 {
				begin.Recv = b.entries[i].Recv
				break
			}
		}
		m.add(begin)
	}
	for i := range b.entries {
		m.add(b.entries[i])
	}
	m.lastRecv = b.recv
}

func (m *model) add(e journal.Entry) {
	e.Pos = m.head() + 1
	m.entries = append(m.entries, e)
	switch e.Type {
	case journal.TypeReading:
		f := m.pending.facts[identity(e.Reading)]
		f.pos = e.Pos
		m.known[identity(e.Reading)] = f
		m.taken[e.Reading.Device]++
		m.w.stats.readings++
	case journal.TypeInventory:
		m.versions = append(m.versions, accepted{e.Pos, e.Recv, m.editions[e.Inventory.Hash]})
	default:
	}
}

// knows tells whether all that a message says was taken before.
func (m *model) knows(sent *message) bool {
	for i := range sent.elements {
		r := sent.elements[i].reading
		if r == nil || m.unsureOf(r.Device) {
			return false
		}
		if _, ok := m.known[identity(r)]; !ok {
			return false
		}
	}
	return true
}

// stored returns how many readings there are.
func (m *model) stored() int { return len(m.known) }

// closures returns those that are open by what is committed.
func (m *model) closures() (open []journal.Closure) {
	for i := range m.entries {
		switch e := &m.entries[i]; e.Type {
		case journal.TypeClosure:
			open = append(open, *e.Closure)
		case journal.TypeReopen:
			rest := open[:0]
			for _, c := range open {
				if c.ID != e.Closure.ID {
					rest = append(rest, c)
				}
			}
			open = rest
		default:
		}
	}
	return open
}

// durable tells whether all of the batch is where the power cannot reach it.
func (m *model) durable() bool {
	b := m.pending
	return b != nil && (b.appended || len(b.entries) == 0) && (b.putDone || len(b.aside) == 0)
}

// done is called when the gate is done with the batch.
func (m *model) done() {
	if !m.durable() {
		failf("the gate is done with a batch (%s) that is not durable", m.pending)
	}
	m.settle()
}

func (m *model) settle() {
	for i := range m.pending.aside {
		m.note(m.aside, &m.pending.aside[i], true)
	}
	m.pending = nil
}

// cut is called when the power went: a batch that was appended is committed,
// acknowledged or not; any other never was.
func (m *model) cut() {
	if b := m.pending; b != nil && (b.appended || len(b.entries) == 0 && b.putDone) {
		m.settle()
	}
	m.pending = nil
	clear(m.offered)
}

// lost keeps a batch whose append may have reached the disk or not.
func (m *model) lost() {
	m.limbo = nil
	if b := m.pending; b != nil && !b.appended {
		m.limbo = b
		for i := range b.aside {
			m.note(m.maybe, &b.aside[i], b.putDone)
		}
	}
}

// reopened holds the journal's head against what must be there.
func (m *model) reopened(head uint64) {
	if m.limbo != nil && head > m.head() { // it was on the disk, and nobody was told
		m.pending = m.limbo
		m.appended(nil)
		m.settle()
	}
	m.limbo = nil
	m.lastRecv = 0
	for i := range m.entries { // when a retry was committed is written nowhere
		if m.entries[i].Flags&journal.FlagRetried == 0 {
			m.lastRecv = max(m.lastRecv, m.entries[i].Recv)
		}
	}
	if head != m.head() {
		failf("the journal's head is %d after it was opened, and should be %d", head, m.head())
	}
}

func describe(e *journal.Entry) string {
	s := ""
	switch {
	case e.Reading != nil:
		s = contentOf(e.Reading)
		if e.Reading.Receipt != nil {
			s += " plate " + e.Reading.Receipt.Plate
		}
		s = e.Reading.Device + " " + s
	case e.Tally != nil:
		s = fmt.Sprintf("tally %+v", *e.Tally)
	case e.Act != nil:
		s = "act " + linesText(e.Act.Lines)
	}
	return fmt.Sprintf("{type %d pos %d recv %d flags %d %s %s}", e.Type, e.Pos, e.Recv, e.Flags, e.Source, s)
}
