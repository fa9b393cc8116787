package sandbox

import "time"

// Raced tells tests that memory is not bounded.
const Raced = raced

// The rests, for tests that step them.
const (
	FirstRest   = firstRest
	LongestRest = longestRest
	Allowance   = allowance
)

// Rests are those of a Codecs.
type Rests struct{ r *rests }

// NewRests returns rests of nobody.
func NewRests() Rests { return Rests{newRests()} }

// Until, Cost, Good and Resting are those of rests.
func (r Rests) Until(profile, device string, now time.Time) (time.Time, int) {
	return r.r.until(profile, device, now)
}

// Cost notes a costly call.
func (r Rests) Cost(profile, device string, now time.Time, took time.Duration) {
	r.r.cost(profile, device, now, took)
}

// Good notes a good call.
func (r Rests) Good(profile, device string, now time.Time, used time.Duration) {
	r.r.good(profile, device, now, used)
}

// Resting counts.
func (r Rests) Resting(now time.Time) (devices, profiles int) { return r.r.resting(now) }

// KillAll ends the processes as if someone outside had.
func (c *Codecs) KillAll() {
	var all []*process
	for range cap(c.box.slots) {
		<-c.box.slots
		all = append(all, c.box.take())
	}
	for _, p := range all {
		if p != nil {
			_ = p.cmd.Process.Kill()
			_, _ = p.cmd.Process.Wait()
		}
		c.box.give(p)
	}
}

// Spent is what a profile was charged.
func (c *Codecs) Spent(profile string) time.Duration {
	c.rests.mu.Lock()
	defer c.rests.mu.Unlock()
	if p := c.rests.profiles[profile]; p != nil {
		return p.spent
	}
	return 0
}

// Busy tells that all processes are used.
func (s *Sandbox) Busy() bool { return len(s.slots) == 0 }
