package watch

import "strings"

type subjectKind string

const (
	ofMeter   subjectKind = "meter"
	ofSite    subjectKind = "site"
	ofDevice  subjectKind = "device"
	ofSegment subjectKind = "segment"
	ofSource  subjectKind = "source"
)

type subjectKey struct {
	kind subjectKind
	id   string
}

func compareSubjects(a, b *subject) int {
	if c := strings.Compare(string(a.kind), string(b.kind)); c != 0 {
		return c
	}
	return strings.Compare(a.id, b.id)
}

// subject is a meter or site with its detectors.
type subject struct {
	subjectKey
	units  []unit
	watch  []detector
	soiled []bool // of each detector: it remembers what is not in the file
	dirty  bool
}

// subject returns a subject, which is made where it is new.
func (f *Follower) subject(kind subjectKind, id string) *subject {
	k := subjectKey{kind, id}
	s := f.subjects[k]
	if s == nil {
		s = newSubject(k)
		f.subjects[k] = s
	}
	return s
}

func newSubject(k subjectKey) *subject {
	s := &subject{subjectKey: k, units: unitsOf(k.kind)}
	for _, u := range s.units {
		s.watch = append(s.watch, u.make())
	}
	s.soiled = make([]bool, len(s.units))
	return s
}

// unitsOf are the detectors of a kind of subject.
func unitsOf(kind subjectKind) []unit {
	if kind == ofSite {
		return siteUnits
	}
	if kind == ofSegment {
		return segmentUnits
	}
	return meterUnits
}

// soil says that a detector's state is to be written.
func (f *Follower) soil(s *subject, unit int) {
	s.soiled[unit] = true
	if !s.dirty {
		s.dirty = true
		f.dirty = append(f.dirty, s)
	}
}
