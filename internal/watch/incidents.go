package watch

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// key names the one incident that may stand of a rule and subject.
type key struct {
	rule    Rule
	subject string
}

// record is an incident and what the engine must know of it. Who changes one
// makes a new one: others may be reading it.
type record struct {
	Incident
	CalmAt    int64 // the journal's clock at which it begins to recover by itself; 0: it does not
	SettleMs  int64 // from the last event to CalmAt
	RecoverMs int64
	CalmedAt  int64       // the journal's clock when it began to recover
	Of        subjectKind `json:",omitempty"` // "" in files of before: a meter or site
}

func (r *record) key() key { return key{r.Rule, r.Subject} }

// incidents are those that stand, and those that changed since the last flush.
type incidents struct {
	standing map[key]*record
	dirty    map[string]*record // by id
}

// subjectOf is the reporter of one subject at one entry.
type subjectOf struct {
	i       *incidents
	kind    subjectKind
	id      string
	site    string
	segment string
	now     int64
	pos     uint64
}

// raise implements reporter.
func (s *subjectOf) raise(rule Rule, f finding) {
	old := s.i.standing[key{rule, s.id}]
	var r record
	switch {
	case old == nil:
		r = s.begin(rule, &f)
	case !f.once && old.State == StateOpen && slices.Equal(old.Evidence.Sums, f.sums) && slices.Equal(old.Evidence.Ranges, f.ranges):
		return
	default:
		r = *old
		r.Of = s.kind // "" in files of before
		r.LastAt = max(r.LastAt, f.at)
		if r.State == StateRecovering {
			r.State = StateOpen
			r.change(s.now, "again", "")
		}
		if f.once {
			r.Count += f.count
		} else {
			r.Count = max(r.Count, f.count)
		}
	}
	r.RecoverMs = f.recover
	e := Evidence{Readings: f.readings, Ranges: f.ranges, Sums: f.sums, Sites: f.sites, Chart: f.chart, Unit: f.unit, Unseen: f.unseen}
	if f.once {
		r.SettleMs, r.CalmAt = f.settle, s.now+f.settle
		e.Readings = addReading(slices.Clone(r.Evidence.Readings), f.readings...)
		e.Ranges = append(slices.Clone(r.Evidence.Ranges), f.ranges...)
		e.Ranges = e.Ranges[max(0, len(e.Ranges)-mostRanges):]
	}
	r.Evidence = e
	s.i.put(&r)
}

func (s *subjectOf) begin(rule Rule, f *finding) record {
	r := record{Incident: Incident{
		Rule: rule, Severity: Medium, State: StateOpen, Subject: s.id, Site: s.site, Segment: s.segment, OpenedAt: f.at, LastAt: f.at, Count: f.count,
	}, Of: s.kind}
	if severity, ok := severityOf[rule]; ok {
		r.Severity = severity
	}
	if s.kind == ofMeter || s.kind == ofDevice {
		r.Device = s.id
	}
	pos := s.pos
	if f.asked {
		pos = 0
	}
	r.ID = idOf(rule, s.id, f.at, pos)
	r.change(s.now, "opened", "")
	return r
}

// idOf makes an id that is the same when the journal's tail is applied again,
// so that an acknowledgement stays with its incident.
func idOf(rule Rule, subject string, at int64, pos uint64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d\n%d", rule, subject, at, pos))
	return "in-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
}

// links are paths of the API that show more. They are made when somebody asks,
// for a fault of many devices is as many incidents.
func (r *record) links() []string {
	chart := "/v1/anomalies/" + r.ID + "/chart.svg"
	switch {
	case r.Of == ofSite && !slices.Contains(MoneyRules, r.Rule):
		return []string{"/v1/parking/sites/" + r.Site, "/v1/parking/sites/" + r.Site + "/history"}
	case r.Of == ofDevice:
		return []string{"/v1/devices/" + r.Subject, "/v1/devices/" + r.Subject + "/readings", chart}
	case r.Of == ofSegment:
		return []string{"/v1/traffic/segments/" + r.Subject, "/v1/traffic/segments/" + r.Subject + "/history", chart}
	case r.Of == ofSource:
		return nil
	}
	var links []string
	if r.Of == ofMeter {
		links = append(links, "/v1/devices/"+r.Subject)
	}
	if r.Site != "" {
		links = append(links, "/v1/revenue/receipts?site="+r.Site)
	}
	return links
}

// calm implements reporter.
func (s *subjectOf) calm(rule Rule) {
	if old := s.i.standing[key{rule, s.id}]; old != nil && old.State == StateOpen {
		s.i.recover(old, s.now, "")
	}
}

func (i *incidents) put(r *record) {
	i.dirty[r.ID] = r
	if r.State == StateClosed {
		delete(i.standing, r.key())
		return
	}
	i.standing[r.key()] = r
}

func (i *incidents) recover(old *record, now int64, note string) {
	r := *old
	r.State, r.CalmedAt = StateRecovering, now
	r.change(now, string(StateRecovering), note)
	i.put(&r)
}

// tick lets incidents recover and close. gone tells whether what an incident is
// about is no longer in the inventory.
func (i *incidents) tick(now int64, gone func(*record) bool) {
	for _, k := range slices.SortedFunc(maps.Keys(i.standing), compareKeys) {
		r := i.standing[k]
		if r.CalmAt > now+r.SettleMs || r.CalmedAt > now { // our clock had run ahead
			set := *r
			set.CalmAt, set.CalmedAt = min(set.CalmAt, now+set.SettleMs), min(set.CalmedAt, now)
			i.put(&set)
			r = &set
		}
		switch {
		case r.State == StateOpen && gone(r):
			i.recover(r, now, "no longer in the inventory")
		case r.State == StateOpen && r.CalmAt > 0 && now >= r.CalmAt:
			i.recover(r, now, "")
		case r.State == StateRecovering && now-r.CalmedAt >= r.RecoverMs:
			closed := *r
			closed.State, closed.ClosedAt = StateClosed, now
			closed.change(now, string(StateClosed), "")
			i.put(&closed)
		}
	}
}

func compareKeys(a, b key) int {
	if c := strings.Compare(string(a.rule), string(b.rule)); c != 0 {
		return c
	}
	return strings.Compare(a.subject, b.subject)
}

// change notes a change.
func (r *record) change(at int64, what, note string) {
	r.Changed++
	list := slices.Clone(r.Changes)
	if len(list) == mostChanges {
		list = slices.Delete(list, 1, 2)
	}
	r.Changes = append(list, Change{At: at, What: what, Note: note})
}
