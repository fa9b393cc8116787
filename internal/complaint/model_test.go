package complaint

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

// mayBy is the machine written once more by hand: what a person may do from a
// state.
var mayBy = map[State]string{
	StateReceived: "verified rejected duplicate", StateVerified: "in_progress answered rejected duplicate",
	StateInProgress: "answered rejected duplicate", StateAnswered: "closed verified", StateClosed: "verified",
	StateRejected: "verified", StateDuplicate: "verified",
}

// model is a complaint, slowly.
type model struct {
	state     State
	reopened  int
	due       int64 // last moment of the present deadline, 0 none
	escalated int   // of the present deadline
	told      int   // in all
}

// dueSlow counts working days one by one: neither weekend nor the one holiday of
// the small city.
func dueSlow(from int64, days int) int64 {
	t := time.UnixMilli(from).In(wib)
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, wib)
	for days > 0 {
		day = day.Add(24 * time.Hour)
		if wd := day.Weekday(); wd != time.Saturday && wd != time.Sunday && day.Format(time.DateOnly) != "2026-03-03" {
			days--
		}
	}
	return day.Add(24 * time.Hour).UnixMilli()
}

func (m *model) enter(s State, now int64) {
	if s == StateVerified && m.state != StateReceived && m.state != "" {
		m.reopened++
	}
	m.escalated = 0
	switch s {
	case StateReceived:
		m.due = dueSlow(now, 3)
	case StateVerified:
		m.due = dueSlow(now, 5)
	case StateAnswered:
		m.due = dueSlow(now, 10)
	case StateInProgress:
	default:
		m.due = 0
	}
	m.state = s
}

// pass lets time go to now: two offices are told, the second after the days of
// the deadline once more.
func (m *model) pass(now int64) {
	days := map[State]int{StateReceived: 3, StateVerified: 5, StateInProgress: 5, StateAnswered: 10}[m.state]
	for m.due > 0 && m.escalated < 2 {
		at := m.due
		if m.escalated == 1 {
			at = dueSlow(m.due-1, days)
		}
		if now < at {
			return
		}
		m.escalated++
		m.told++
	}
}

// TestTheMachineIsThatOfASlowModel: whatever people try, whenever, states,
// deadlines and who is told are those of the model.
func TestTheMachineIsThatOfASlowModel(t *testing.T) {
	t.Parallel()
	v := testVersion(t)
	r := open(t, filepath.Join(powercut.Folder(t), "complaints.db"), Options{Inventory: func() *inventory.Version { return v }})
	now := at(2, 0)
	rapid.Check(t, func(rt *rapid.T) {
		ctx := t.Context()
		now += time.Hour.Milliseconds()
		root, err := r.Receive(ctx, now, report())
		require.NoError(rt, err)
		c, err := r.Receive(ctx, now, report())
		require.NoError(rt, err)
		m := &model{}
		m.enter(StateReceived, now)
		told := 0
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			now += int64(rapid.IntRange(0, 24*6).Draw(rt, "hours")) * time.Hour.Milliseconds()
			for m.told >= 0 { // each call tells every deadline's next office
				before := told
				require.NoError(rt, r.Work(ctx, now))
				got, err := r.Complaint(ctx, c.ID)
				require.NoError(rt, err)
				if told = got.Escalates; told == before {
					break
				}
			}
			m.pass(now)
			to := rapid.SampledFrom(States).Draw(rt, "to")
			n := NewUpdate{State: to, Text: "x", By: "t1"}
			if to == StateDuplicate {
				n.Of = root.ID
			}
			got, _, err := r.Update(ctx, now, c.ID, n)
			if allowed := contains(mayBy[m.state], to); allowed != (err == nil) {
				rt.Fatalf("from %s to %s: the machine says %v", m.state, to, err)
			}
			if err == nil {
				m.enter(to, now)
			} else if got, err = r.Complaint(ctx, c.ID); err != nil {
				rt.Fatal(err)
			}
			require.Equal(rt, m.state, got.State)
			require.Equal(rt, m.reopened, got.Reopened)
			require.Equal(rt, m.due, got.Deadline())
			require.Equal(rt, m.escalated, got.Escalated)
			require.Equal(rt, m.told, got.Escalates)
			require.Equal(rt, m.due > 0 && now >= m.due, got.Overdue(now))
		}
	})
}

func contains(words string, s State) bool { return slices.Contains(strings.Fields(words), string(s)) }
