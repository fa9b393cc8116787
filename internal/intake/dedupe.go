package intake

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// Verdict is what the gate decided of one reading.
type Verdict struct {
	Accepted  bool
	Duplicate bool
	Reason    city.Reason // of one that was set aside
	Detail    string
	Flags     journal.Flags // of an accepted one

	old bool // a duplicate whose content is not remembered any more
}

// recentSize is how many of a device's last readings are compared by content
// (design.md, "Speed comes from order").
const recentSize = 64

// recent is one of the last readings of a device, by hashes.
type recent struct {
	key     uint32 // of boot and seq
	content uint32
}

// memory is what de-duplication knows of one device.
type memory struct {
	runs    []*run // in the order of their begin, those without boot by the device's clock
	recents []recent
	ats     []uint32 // the low halves of their device times; nil while none has boot 0 or no boot
	next    uint8
	dirty   bool

	money  bool  // a receipt was taken: its runs live as long as the books
	latest int64 // Unix ms: no run has a later device time; not stored

	// Of the runs that were dropped, by age or to stay within bounds: a reading
	// of no known run that may be one of theirs is never guessed to be new.
	forgot     bool
	forgotBoot uint64 // the highest boot
	forgotAt   int64  // the latest device time, Unix ms
}

// wholeTime returns the device time (Unix ms) whose low half is kept: the one
// that is nearest to a time of the same run.
func wholeTime(low uint32, near int64) int64 { return near + int64(int32(low-uint32(near))) }

// Bounds of runs a device. Meters' ranges live as long as the books.
const (
	maxRuns      = 128
	maxMeterRuns = 8192
)

// Dedupe remembers the identities of all readings that were accepted, and
// tells new ones from repeats. It is a fold over the journal: not safe for
// concurrent use, and equal after a replay.
type Dedupe struct {
	devices map[string]*memory
	maxAge  int64 // ms: how long a silent run of a device without money is remembered
	now     int64 // Unix ms: the newest receive time taken; a retry's own lies before it
	dirty   []string
}

// NewDedupe returns an empty memory; maxAge (ms) is the longest max_age of any
// source.
func NewDedupe(maxAge int64) *Dedupe {
	return &Dedupe{devices: map[string]*memory{}, maxAge: maxAge}
}

func (d *Dedupe) memory(device string) *memory {
	m := d.devices[device]
	if m == nil {
		m = &memory{}
		d.devices[device] = m
	}
	if !m.dirty {
		m.dirty = true
		d.dirty = append(d.dirty, device)
	}
	return m
}

// Judge decides whether r, received at recv (Unix ms), is new, and notes it if
// so. Only Accepted, Duplicate, Reason and Flags of the verdict are set.
func (d *Dedupe) Judge(r *city.Reading, recv int64) Verdict {
	m := d.memory(r.Device)
	hash := journal.ContentHash(r)
	content := binary.LittleEndian.Uint32(hash[:])
	if r.HasBoot {
		return d.judgeBoot(m, r, recv, content)
	}
	return d.judgeTimed(m, r, recv, content)
}

func (d *Dedupe) judgeBoot(m *memory, r *city.Reading, recv int64, content uint32) Verdict {
	run := m.boot(r.Boot)
	key := keyOf(r.Boot, r.Seq)
	switch {
	case run == nil && r.Boot <= m.forgotBoot && m.mayBeForgotten(r.At):
		return Verdict{Reason: city.ReasonForgotten}
	case run == nil:
		run = d.begin(m, r, recv)
	case run.has(r.Seq):
		for i := range m.recents {
			if m.recents[i].key == key {
				return repeat(m.recents[i].content == content)
			}
		}
		return Verdict{Duplicate: true, old: true}
	case r.Seq < run.floor:
		return Verdict{Reason: city.ReasonForgotten}
	}
	run.add(r.Seq)
	return d.accept(m, run, r, recv, recent{key, content})
}

// judgeTimed judges a reading without boot: its identity is (device, seq, at).
// Within a run sequence numbers and times grow together; a device whose clock
// was set back goes on in another run. The newest run that it fits decides, but
// an older one that has it is asked before it is taken for new.
func (d *Dedupe) judgeTimed(m *memory, r *city.Reading, recv int64, content uint32) Verdict {
	mine := recent{keyOf(0, r.Seq), content}
	for i := range m.ats {
		if m.recents[i].key == mine.key && m.ats[i] == uint32(r.At) {
			return repeat(m.recents[i].content == content)
		}
	}
	all := len(m.recents) < recentSize && !m.forgot // nothing was taken that is not among the last readings
	var last *run
	var lacks [above + 1]*run    // the newest run in which the reading has this place and is not yet
	next := int64(math.MaxInt64) // when the runs after this one began
	for _, run := range slices.Backward(m.runs) {
		if run.hasBoot {
			continue
		}
		if last == nil {
			last = run
		}
		where := run.place(r.Seq, r.At)
		if where == above && r.At >= next {
			where = outside // the device was in a later run by then
		}
		next = min(next, run.began())
		if where == above && run == last && r.At > m.latest {
			lacks[above] = run // the usual one: later than all that was ever said
			break
		}
		switch {
		case where == outside:
		case !run.has(r.Seq):
			if lacks[where] == nil {
				lacks[where] = run
			}
		case all: // seq was seen there at another time
		default:
			homes := m.otherTime(run, r.Seq, mine)
			switch {
			case homes == 1:
				continue
			case homes == 0 && lacks[within] == nil && lacks[above] == nil:
				return Verdict{Duplicate: true, old: true}
			}
			return Verdict{Reason: city.ReasonForgotten} // a repeat here, or new there: it cannot be told
		}
	}
	home := cmp.Or(lacks[within], lacks[above], lacks[below])
	flags := journal.Flags(0)
	switch {
	case home != nil && r.Seq < home.floor, m.mayBeForgotten(r.At):
		return Verdict{Reason: city.ReasonForgotten}
	case home != nil:
		if home == lacks[below] && m.follows(home, r.At) {
			flags = journal.FlagNewRun // its first reading was late: the run began here
		}
	case last == nil || r.Seq > last.newest().seq: // the first, or the device's clock was set back
		home = d.begin(m, r, recv)
	default:
		home, flags = d.begin(m, r, recv), journal.FlagNewRun
	}
	home.add(r.Seq)
	home.noteTime(r.Seq, r.At)
	v := d.accept(m, home, r, recv, mine)
	v.Flags = flags
	return v
}

// follows tells whether at lies after all of a run without boot that came
// before this one.
func (m *memory) follows(home *run, at int64) bool {
	for i, run := range m.runs {
		if run == home {
			for _, before := range slices.Backward(m.runs[:i]) {
				if !before.hasBoot {
					return at > before.newest().at
				}
			}
		}
	}
	return false
}

// otherTime returns in how many runs the last readings with mine's sequence
// number may lie, where run is one of them: 0, the run's own is not among them;
// 1, it is, and so the run has seq at another time than mine.
func (m *memory) otherTime(run *run, seq uint64, mine recent) (homes int) {
	for i := range m.ats {
		if m.recents[i].key != mine.key || run.place(seq, wholeTime(m.ats[i], run.newestAt)) != within {
			continue
		}
		n := 0
		for _, u := range m.runs {
			if !u.hasBoot && u.has(seq) && u.place(seq, wholeTime(m.ats[i], u.newestAt)) == within {
				n++
			}
		}
		if n == 1 {
			return 1
		}
		homes = n
	}
	return homes
}

func (m *memory) mayBeForgotten(at int64) bool { return m.forgot && at <= m.forgotAt }

// accept notes a reading that run has taken.
func (d *Dedupe) accept(m *memory, run *run, r *city.Reading, recv int64, note recent) Verdict {
	d.now = max(d.now, recv)
	run.lastRecv = d.now
	run.newestAt = max(run.newestAt, r.At)
	m.latest = max(m.latest, r.At)
	m.money = m.money || r.Kind == city.KindReceipt
	m.note(note, uint32(r.At), !r.HasBoot || r.Boot == 0)
	return Verdict{Accepted: true}
}

// begin starts a run, and drops the runs that are out of age or bounds.
func (d *Dedupe) begin(m *memory, r *city.Reading, recv int64) *run {
	limit := maxRuns
	if m.money || r.Kind == city.KindReceipt {
		limit = maxMeterRuns
	} else {
		oldest := max(d.now, recv) - d.maxAge
		m.runs = slices.DeleteFunc(m.runs, func(old *run) bool {
			if old.lastRecv < oldest {
				m.forget(old)
				return true
			}
			return false
		})
	}
	for len(m.runs) >= limit {
		m.forget(m.runs[0])
		m.runs = slices.Delete(m.runs, 0, 1)
	}
	fresh := &run{hasBoot: r.HasBoot, boot: r.Boot, newestAt: r.At}
	at := len(m.runs)
	for !r.HasBoot && at > 0 && !m.runs[at-1].hasBoot && m.runs[at-1].began() > r.At {
		at-- // it comes late: what is heard now goes on in the runs after it
	}
	m.runs = slices.Insert(m.runs, at, fresh)
	return fresh
}

func (m *memory) forget(old *run) {
	if !m.forgot {
		m.forgot, m.forgotAt = true, old.newestAt
	}
	m.forgotAt = max(m.forgotAt, old.newestAt)
	if old.hasBoot {
		m.forgotBoot = max(m.forgotBoot, old.boot)
	}
}

func (m *memory) boot(boot uint64) *run {
	for _, run := range slices.Backward(m.runs) {
		if run.hasBoot && run.boot == boot {
			return run
		}
	}
	return nil
}

// note keeps a reading among the last ones. Its time is kept where it may be
// asked for: the key of a reading without boot is that of boot 0.
func (m *memory) note(r recent, at uint32, timed bool) {
	if timed && m.ats == nil {
		m.ats = make([]uint32, len(m.recents), max(1, cap(m.recents)))
	}
	if len(m.recents) < recentSize {
		m.recents = append(m.recents, r)
		if m.ats != nil {
			m.ats = append(m.ats, at)
		}
		return
	}
	m.recents[m.next] = r
	if m.ats != nil {
		m.ats[m.next] = at
	}
	m.next = (m.next + 1) % recentSize
}

func repeat(same bool) Verdict {
	if same {
		return Verdict{Duplicate: true}
	}
	return Verdict{Reason: city.ReasonSequenceConflict}
}

// keyOf mixes boot and seq (the finalizer of splitmix64).
func keyOf(boot, seq uint64) uint32 {
	x := seq + boot*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return uint32(x ^ x>>31)
}
