package world

import (
	"fmt"
	"slices"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/occupancy"
)

// check holds everything against the model, when all has arrived.
func (w *World) check() {
	w.checkSources()
	w.checkJournal()
	w.checkQuarantine()
	w.checkAnswers(&w.sys.answers)
}

// checkSources asks the sources: what they have an acknowledgement of is there,
// once, or lies in quarantine. It knows nothing of batches.
func (w *World) checkSources() {
	times := map[string]int{}
	w.readAll(func(e *journal.Entry) {
		if e.Type == journal.TypeReading {
			times[identity(e.Reading)]++
		}
	})
	for id, n := range times {
		if n != 1 {
			failf("%s is in the journal %d times", id, n)
		}
	}
	kept := w.quarantined()
	for _, m := range w.net.all {
		if m.qos > 0 && !m.told {
			failf("message %d was never acknowledged", m.n)
		}
		if !m.told {
			continue
		}
		for i := range m.elements {
			e := &m.elements[i]
			there := e.reading != nil && times[identity(e.reading)] == 1
			for _, reason := range city.Reasons {
				_, ok := kept[asideKey(&journal.Item{Source: m.source, Device: m.device, Topic: m.topic, Reason: reason, Raw: e.raw})]
				there = there || ok
			}
			if !there {
				failf("message %d was acknowledged, and %s is neither in the journal nor in quarantine", m.n, e.raw)
			}
		}
	}
}

// readAll reads archive and journal from the first position on.
func (w *World) readAll(each func(*journal.Entry)) {
	s := w.sys
	pos, err := s.series.Replay(w.ctx, 0, func(entries []journal.Entry) error {
		for i := range entries {
			each(&entries[i])
		}
		return nil
	})
	must(err, "read the archive")
	for pos < s.journal.Head() {
		entries, err := s.journal.Read(w.ctx, pos, 500)
		must(err, "read the journal")
		for i := range entries {
			each(&entries[i])
		}
		pos = entries[len(entries)-1].Pos
	}
}

// checkJournal compares every entry.
func (w *World) checkJournal() {
	n := 0
	w.readAll(func(e *journal.Entry) {
		if n == len(w.model.entries) {
			failf("the journal has %s, which should not be there", describe(e))
		}
		want := &w.model.entries[n]
		n++
		if e.Pos != want.Pos {
			failf("position %d where %d must follow", e.Pos, want.Pos)
		}
		if d := differs(e, want); d != "" {
			failf("position %d: %s", e.Pos, d)
		}
		if e.Day != nil && (e.Day.Date != want.Day.Date || fmt.Sprint(e.Day.Closures) != fmt.Sprint(want.Day.Closures)) {
			failf("position %d: day %+v where must be %+v", e.Pos, e.Day, want.Day)
		}
	})
	if n != len(w.model.entries) {
		failf("the journal ends after %d entries, and should have %d", n, len(w.model.entries))
	}
	w.stats.entries = n
	w.note("journal of %d entries", n)
}

// quarantined returns what is in quarantine, by what makes items the same.
func (w *World) quarantined() map[string]journal.Item {
	items, err := w.sys.quarantine.List(w.ctx, journal.Filter{}, 0, 100_000)
	must(err, "list the quarantine")
	all := map[string]journal.Item{}
	for _, i := range items {
		item, err := w.sys.quarantine.Get(w.ctx, i.ID)
		must(err, "get from quarantine")
		key := asideKey(&item)
		if _, ok := all[key]; ok {
			failf("%s is in quarantine twice", key)
		}
		all[key] = item
	}
	return all
}

func (w *World) checkQuarantine() {
	kept := w.quarantined()
	w.stats.aside = len(kept)
	for key, item := range kept {
		want, must := w.model.aside[key]
		if !must {
			var may bool
			if want, may = w.model.maybe[key]; !may {
				failf("%s is in quarantine, and should not be", key)
			}
		}
		if !slices.Contains(want.recvs, item.Recv) {
			failf("%s was received at %v, quarantine says %d", key, want.recvs, item.Recv)
		}
	}
	keys := make([]string, 0, len(w.model.aside))
	for key := range w.model.aside {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		if _, ok := kept[key]; !ok {
			failf("%s is missing in quarantine", key)
		}
		w.answer("aside %s", key)
	}
}

// checkAnswers compares what followers answer.
func (w *World) checkAnswers(a *answers) {
	p := newParking(w.model)
	from := w.begin - 33*hour
	from -= from % fiveMinutes
	to := w.now - w.now%fiveMinutes + fiveMinutes
	for i := range w.plan.sites {
		if w.model.atOnce() {
			break
		}
		w.checkSite(a.occupancy, p, &w.plan.sites[i], from, to)
	}
	w.checkRoads(a.traffic, from, to)
	w.checkBooks(a.ledger)
	w.checkComplete(a.health)
}

// atOnce tells whether two versions were accepted in one millisecond: which of
// them holds for what was before both is not said.
func (m *model) atOnce() bool {
	for i := 1; i < len(m.versions); i++ {
		if m.versions[i].at == m.versions[i-1].at {
			return true
		}
	}
	return false
}

func (w *World) checkSite(f *occupancy.Follower, p *parking, s *site, from, to int64) {
	state, _, ok := f.Site(s.id)
	if !ok || len(state.Classes) != 1 {
		failf("%s is not there, or has other classes: %+v", s.id, state)
	}
	want, shut := p.present(s)
	if state.Classes[0] != want || state.Closed != shut {
		failf("%s is %+v (closed %v), and should be %+v (%v)", s.id, state.Classes[0], state.Closed, want, shut)
	}
	w.answer("site %s %+v", s.id, state.Classes[0])
	points, err := f.History(w.ctx, s.id, city.Car, from, to, fiveMinutes)
	must(err, "ask for the history of "+s.id)
	for i, must := range p.history(s, from, to) {
		points[i].Drift = city.Int{}
		if points[i] != must {
			failf("%s at %d (%d of %d) was %+v, and should be %+v", s.id, must.T, i, len(points), points[i], must)
		}
		if points[i].Coverage.V > 0 {
			w.answer("history %s %+v", s.id, points[i])
		}
	}
}
