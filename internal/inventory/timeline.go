package inventory

import (
	"slices"
	"sync"
)

// Timeline is the accepted versions in the order of the journal. It answers
// which version holds for an event, as known at a journal position, so that a
// follower that is rebuilt computes what it computed the first time. It may be
// shared by any number of goroutines.
type Timeline struct {
	mu       sync.RWMutex
	accepted []accepted
}

type accepted struct {
	pos     uint64
	at      int64 // Unix ms of acceptance
	version *Version
}

// Accept appends the version accepted at journal position pos and time at
// (Unix ms). Known positions are ignored, so that replays are harmless.
func (t *Timeline) Accept(pos uint64, at int64, v *Version) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.accepted); n > 0 && t.accepted[n-1].pos >= pos {
		return
	}
	t.accepted = append(t.accepted, accepted{pos, at, v})
}

// At returns the version that holds for an event at time at (Unix ms), as
// known at position pos: the newest accepted at or before the event, the
// first for all earlier events; nil before any was accepted. Times of
// acceptance fall where our clock ran ahead and was set right.
func (t *Timeline) At(pos uint64, at int64) *Version {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var found *Version
	for _, a := range t.accepted {
		if a.pos > pos {
			break
		}
		if found == nil || a.at <= at {
			found = a.version
		}
	}
	return found
}

// Newest returns the newest version known at position pos.
func (t *Timeline) Newest(pos uint64) *Version {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, a := range slices.Backward(t.accepted) {
		if a.pos <= pos {
			return a.version
		}
	}
	return nil
}

// Find returns what find finds in the newest version known at position pos that
// has it, false where none has.
func Find[T any](t *Timeline, pos uint64, find func(*Version) (T, bool)) (found T, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, a := range slices.Backward(t.accepted) {
		if a.pos > pos {
			continue
		}
		if found, ok = find(a.version); ok {
			return found, true
		}
	}
	return found, false
}

// FindSince is Find among the versions that held at time at (Unix ms) or came
// later.
func FindSince[T any](t *Timeline, pos uint64, at int64, find func(*Version) (T, bool)) (found T, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, a := range slices.Backward(t.accepted) {
		if a.pos > pos {
			continue
		}
		if found, ok = find(a.version); ok {
			return found, true
		}
		if a.at <= at {
			break
		}
	}
	return found, false
}

// Device returns the device as it was at the event, and the version that says
// so; a device that the version lacks is looked up in the newest.
func (t *Timeline) Device(pos uint64, at int64, id string) (*Device, *Version) {
	v := t.At(pos, at)
	if v == nil {
		return nil, nil
	}
	if d := v.Device(id); d != nil {
		return d, v
	}
	v = t.Newest(pos)
	return v.Device(id), v
}

// Accepted returns the times (Unix ms) of acceptance of the versions known at
// position pos, in order.
func (t *Timeline) Accepted(pos uint64) []int64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var times []int64
	for _, a := range t.accepted {
		if a.pos <= pos {
			times = append(times, a.at)
		}
	}
	return times
}
