package complaint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/inventory"
)

// steps are the states that a person may bring a complaint to. To verify what
// was answered or ended reopens it.
var steps = map[State][]State{
	StateReceived:   {StateVerified, StateRejected, StateDuplicate},
	StateVerified:   {StateInProgress, StateAnswered, StateRejected, StateDuplicate},
	StateInProgress: {StateAnswered, StateRejected, StateDuplicate},
	StateAnswered:   {StateClosed, StateVerified},
	StateClosed:     {StateVerified},
	StateRejected:   {StateVerified},
	StateDuplicate:  {StateVerified},
}

// mayMove says why a person may not bring the complaint to a state, "" where it
// may be done.
func (c *Complaint) mayMove(to State) string {
	if slices.Contains(steps[c.State], to) {
		return ""
	}
	next := steps[c.State]
	if c.Recovered > 0 && c.State.Open() {
		if to == StateClosed {
			return "" // the sensors see that it is over
		}
		next = append(slices.Clone(next), StateClosed)
	}
	switch {
	case to == c.State:
		return fmt.Sprintf("the complaint is %s already: leave status out to add a note", to)
	case to == StateClosed && c.State.Open():
		return fmt.Sprintf("the complaint is %s: say first what was done, with status answered, and close it then", c.State)
	default:
		return fmt.Sprintf("a complaint that is %s cannot become %s: from there it goes to %s", c.State, to, words(next))
	}
}

func words(states []State) string {
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = string(s)
	}
	return strings.Join(names, " or ")
}

// rules are what the machine needs of a service.
type rules struct {
	v      *inventory.Version
	verify int // working days
	follow int
	close  int
	line   []string // offices, up the line
}

// rulesOf returns a service's, the defaults where it is there no more.
func rulesOf(v *inventory.Version, service string) rules {
	if s := v.Service(service); s != nil {
		return rules{v, s.VerifyDays, s.FollowDays, s.CloseDays, s.Escalate}
	}
	const verify, follow, closing = 3, 5, 10
	return rules{v, verify, follow, closing, nil}
}

// receive begins the complaint's life.
func (c *Complaint) receive(at int64, r rules) {
	c.State, c.Received = StateReceived, at
	c.VerifyDue = r.v.DueAfter(at, r.verify)
}

// move brings the complaint to a state, whether a person may or not: their
// system says what is. It tells whether that reopened it.
func (c *Complaint) move(to State, at int64, r rules) (reopened bool) {
	from := c.State
	c.State, c.Escalated = to, 0
	switch to {
	case StateReceived:
		c.again()
		c.Verified, c.FollowDue, c.FirstDue, c.FirstAnswered = 0, 0, 0, 0
		c.VerifyDue = r.v.DueAfter(at, r.verify)
	case StateVerified:
		reopened = from != StateReceived && from != StateInProgress
		if reopened {
			c.Reopened++
			c.again()
		}
		c.verified(at, r)
	case StateInProgress:
		if reopened = from != StateReceived && from != StateVerified; reopened {
			c.Reopened++
			c.again()
		}
		if from != StateVerified {
			c.verified(at, r)
		}
	case StateAnswered:
		if c.Verified == 0 { // who answers it has looked at it
			c.verified(at, r)
		}
		c.answered(at)
		c.Closed = 0
		c.CloseDue = r.v.DueAfter(at, r.close)
	case StateClosed:
		if c.Verified > 0 {
			c.answered(at)
		}
		c.Closed = at
	case StateRejected, StateDuplicate:
		c.Closed = at
	}
	if to != StateDuplicate {
		c.Duplicate = ""
	}
	return reopened
}

// again takes back what the round before ended with.
func (c *Complaint) again() { c.Answered, c.CloseDue, c.Closed, c.Recovered = 0, 0, 0, 0 }

func (c *Complaint) verified(at int64, r rules) {
	if c.Verified == 0 {
		c.Verified = at
	}
	c.FollowDue = r.v.DueAfter(at, r.follow)
	if c.FirstDue == 0 {
		c.FirstDue = c.FollowDue
	}
}

func (c *Complaint) answered(at int64) {
	if c.Answered == 0 {
		c.Answered = at
	}
	if c.FirstAnswered == 0 {
		c.FirstAnswered = at
	}
}

// Deadline returns when (Unix ms, exclusive) what is to be done next is late, 0
// where nothing is.
func (c *Complaint) Deadline() int64 {
	switch c.State {
	case StateReceived:
		return c.VerifyDue
	case StateVerified, StateInProgress:
		return c.FollowDue
	case StateAnswered:
		return c.CloseDue
	default:
		return 0
	}
}

// Overdue tells whether what is to be done next is late.
func (c *Complaint) Overdue(now int64) bool { return c.Deadline() > 0 && now >= c.Deadline() }

// alarm returns when the complaint is told to the next office up the line: at
// the deadline, and each time its days have passed once more; 0: nobody is
// left.
func (c *Complaint) alarm(r rules) int64 {
	due := c.Deadline()
	if due == 0 || c.Escalated >= len(r.line) {
		return 0
	}
	if c.Escalated == 0 {
		return due
	}
	days := r.follow
	switch c.State {
	case StateReceived:
		days = r.verify
	case StateAnswered:
		days = r.close
	default:
	}
	return r.v.DueAfter(due-1, days*c.Escalated)
}
