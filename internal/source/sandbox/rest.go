package sandbox

import (
	"sync"
	"time"
)

// The rests. A device's calls that cost much (they were slow, or broke the
// process) have it rest, longer each time; a good one ends that. All such calls
// of a profile may take a small share of the time, and those that are within their
// limit and yet far from cheap a larger one: they keep others of their line waiting.
const (
	firstRest   = time.Second
	longestRest = 15 * time.Minute

	allowance    = time.Second // that slow calls of a profile may take at once
	allowedShare = 50          // one part in so many of the time comes back
	restShare    = 2           // a profile that used all up rests until a part in so many is back

	cheap     = 5 * time.Millisecond // of the processor, which a good call may take for nothing
	dearShare = 10                   // one part in so many of what it takes beyond is charged
)

// rests tells who rests. Time comes in.
type rests struct {
	mu       sync.Mutex
	devices  map[string]*deviceRest // only those whose last call cost much
	profiles map[string]*profileRest
}

type deviceRest struct {
	times int // in a row
	until time.Time
}

type profileRest struct {
	spent time.Duration // as of at
	at    time.Time
	until time.Time
}

func newRests() *rests {
	return &rests{devices: map[string]*deviceRest{}, profiles: map[string]*profileRest{}}
}

// until returns when the rest of a device or of its profile ends, and how often
// the device's calls cost much in a row; the zero time where none rests.
func (r *rests) until(profile, device string, now time.Time) (end time.Time, times int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.devices[device]; d != nil && now.Before(d.until) {
		end, times = d.until, d.times
	}
	if p := r.profiles[profile]; p != nil && now.Before(p.until) && p.until.After(end) {
		end = p.until
	}
	return end, times
}

// cost notes a call that cost much.
func (r *rests) cost(profile, device string, now time.Time, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.devices[device]
	if d == nil {
		d = &deviceRest{}
		r.devices[device] = d
	}
	rest := longestRest
	if d.times < 10 {
		rest = min(firstRest<<d.times, longestRest)
	}
	d.times++
	d.until = now.Add(rest)
	r.spend(profile, now, took)
}

// spend takes time from a profile's allowance. The caller holds mu.
func (r *rests) spend(profile string, now time.Time, took time.Duration) {
	p := r.profiles[profile]
	if p == nil {
		p = &profileRest{at: now}
		r.profiles[profile] = p
	}
	back := max(now.Sub(p.at)/allowedShare, 0)
	p.spent, p.at = max(p.spent-back, 0)+took, now
	if p.spent >= allowance {
		p.until = now.Add((p.spent - allowance/restShare) * allowedShare)
	}
}

// good notes a call that was within its limit, and what it used of the
// processor.
func (r *rests) good(profile, device string, now time.Time, used time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.devices, device)
	if used > cheap {
		r.spend(profile, now, (used-cheap)/dearShare)
	}
}

// resting returns how many devices rest, and how many profiles.
func (r *rests) resting(now time.Time) (devices, profiles int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.devices {
		if now.Before(d.until) {
			devices++
		}
	}
	for _, p := range r.profiles {
		if now.Before(p.until) {
			profiles++
		}
	}
	return devices, profiles
}
