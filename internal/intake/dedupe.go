package intake

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/skew"
)

// Verdict is what the gate decided of one reading.
type Verdict struct {
	Accepted  bool
	Duplicate bool
	Reason    city.Reason // of one that was set aside
	Detail    string
	Flags     journal.Flags // of an accepted one

	old  bool // a duplicate whose content is not remembered any more
	grew grown
	skew city.Int // ms: our clock less the device's as estimated, of an accepted one
}

// memory is what de-duplication knows of one device.
type memory struct {
	runs    []run // in the order of their begin, those without boot by the device's clock
	recents recents
	latest  int64 // Unix ms: no run has a later device time; not stored

	totals []keyedTotal  // of counters that never go back
	clock  skew.Estimate // of how far the device's clock is off; of LoRaWAN frames it says how late the network is

	began bool // the last reading began a run; not stored

	dirty bool
	money bool // a receipt was taken: its runs live as long as the books

	// Of the runs that were dropped, by age or to stay within bounds: a reading
	// of no known run that may be one of theirs is never guessed to be new.
	forgot     bool
	forgotBoot uint64 // the highest boot
	forgotAt   int64  // the latest device time, Unix ms
}

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
	sent := asSent(r)
	hash := journal.ContentHash(&sent)
	content := binary.LittleEndian.Uint32(hash[:])
	var v Verdict
	if r.HasBoot {
		v = d.judgeBoot(m, r, recv, content)
	} else {
		v = d.judgeTimed(m, r, recv, content)
	}
	if c, ok := totalOf(r); ok && v.Accepted {
		if v.grew = m.total(c.key).take(&c, r.At); v.grew.reset {
			v.Flags |= journal.FlagReset
		}
	}
	if v.Accepted && !r.Beside() {
		if m.began {
			m.clock.Rebooted()
		}
		m.clock.Take(recv-r.At, recv)
	}
	m.began = false
	if v.Accepted {
		v.skew.V, v.skew.OK = m.clock.Ms()
	}
	return v
}

func (d *Dedupe) judgeBoot(m *memory, r *city.Reading, recv int64, content uint32) Verdict {
	run := m.boot(r.Boot)
	switch {
	case run == nil && r.Boot <= m.forgotBoot && m.mayBeForgotten(r.At):
		return Verdict{Reason: city.ReasonForgotten}
	case run == nil:
		run = d.begin(m, r, recv)
	case run.has(r.Seq):
		if i := m.recents.find(r.Boot, r.Seq, 0); i >= 0 {
			return repeat(m.recents.contents[i] == content)
		}
		return Verdict{Duplicate: true, old: true}
	case r.Seq < run.floor:
		return Verdict{Reason: city.ReasonForgotten}
	}
	run.add(r.Seq)
	return d.accept(m, run, r, recv, content)
}

// judgeTimed judges a reading without boot: its identity is (device, seq, at).
// Within a run sequence numbers and times grow together; a device whose clock
// was set back goes on in another run. The newest run that it fits decides, but
// an older one that has it is asked before it is taken for new.
func (d *Dedupe) judgeTimed(m *memory, r *city.Reading, recv int64, content uint32) Verdict {
	ats := m.recents.ats
	for i := m.recents.find(0, r.Seq, 0); i >= 0 && ats != nil; i = m.recents.find(0, r.Seq, i+1) {
		if ats[i] == uint32(r.At) {
			return repeat(m.recents.contents[i] == content)
		}
		if since := int32(uint32(r.At) - ats[i]); r.Frame && max(since, -since) < frameMs {
			return Verdict{Duplicate: true} // another copy of the frame, which was heard at another time
		}
	}
	all := len(m.recents.contents) < recentSize && !m.forgot // nothing was taken that is not among the last readings
	var last *run
	var lacks [above + 1]*run    // the newest run in which the reading has this place and is not yet
	next := int64(math.MaxInt64) // when the runs after this one began
	for i := len(m.runs) - 1; i >= 0; i-- {
		run := &m.runs[i]
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
			homes := m.otherTime(run, r.Seq)
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
	v := d.accept(m, home, r, recv, content)
	v.Flags = flags
	return v
}

// follows tells whether at lies after all of a run without boot that came
// before this one.
func (m *memory) follows(home *run, at int64) bool {
	for i := range m.runs {
		if &m.runs[i] != home {
			continue
		}
		for i--; i >= 0; i-- {
			if before := &m.runs[i]; !before.hasBoot {
				return at > before.newest().at
			}
		}
		break
	}
	return false
}

// otherTime returns in how many runs the last readings with a sequence number
// may lie, where run is one of them: 0, the run's own is not among them; 1, it
// is, and so the run has seq at another time than is asked.
func (m *memory) otherTime(run *run, seq uint64) (homes int) {
	ats := m.recents.ats
	for i := m.recents.find(0, seq, 0); i >= 0 && ats != nil; i = m.recents.find(0, seq, i+1) {
		if run.place(seq, wholeTime(ats[i], run.newestAt)) != within {
			continue
		}
		n := 0
		for k := range m.runs {
			if u := &m.runs[k]; !u.hasBoot && u.has(seq) && u.place(seq, wholeTime(ats[i], u.newestAt)) == within {
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
func (d *Dedupe) accept(m *memory, run *run, r *city.Reading, recv int64, content uint32) Verdict {
	d.now = max(d.now, recv)
	run.lastRecv = d.now
	run.newestAt = max(run.newestAt, r.At)
	m.latest = max(m.latest, r.At)
	m.money = m.money || r.Kind == city.KindReceipt
	boot := uint64(0)
	if r.HasBoot {
		boot = r.Boot
	}
	m.recents.note(boot, r.Seq, content, uint32(r.At))
	return Verdict{Accepted: true}
}

// begin starts a run, and drops the runs that are out of age or bounds.
func (d *Dedupe) begin(m *memory, r *city.Reading, recv int64) *run {
	limit := maxRuns
	if m.money || r.Kind == city.KindReceipt {
		limit = maxMeterRuns
	} else {
		oldest := max(d.now, recv) - d.maxAge
		m.runs = slices.DeleteFunc(m.runs, func(old run) bool {
			if old.lastRecv < oldest {
				m.forget(&old)
				return true
			}
			return false
		})
	}
	for len(m.runs) >= limit {
		m.forget(&m.runs[0])
		m.runs = slices.Delete(m.runs, 0, 1)
	}
	m.began = true
	fresh := run{hasBoot: r.HasBoot, boot: r.Boot, newestAt: r.At}
	at := len(m.runs)
	for !r.HasBoot && at > 0 && !m.runs[at-1].hasBoot && m.runs[at-1].began() > r.At {
		at-- // it comes late: what is heard now goes on in the runs after it
	}
	m.runs = slices.Insert(m.runs, at, fresh)
	return &m.runs[at]
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
	for i := len(m.runs) - 1; i >= 0; i-- {
		if run := &m.runs[i]; run.hasBoot && run.boot == boot {
			return run
		}
	}
	return nil
}

func repeat(same bool) Verdict {
	if same {
		return Verdict{Duplicate: true}
	}
	return Verdict{Reason: city.ReasonSequenceConflict}
}
