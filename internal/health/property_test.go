package health_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
)

// item is one reading that came, or was set aside.
type item struct {
	boot, seq uint64
	date      string
	late      bool
	aside     bool
}

// model keeps every item and goes through all of them for every question.
type model struct {
	items      []item
	duplicates map[string]int64
	unread     map[string]int64
}

func dateOf(at int64) string { return time.UnixMilli(at).In(zone).Format(time.DateOnly) }

func (m *model) completeness(date string) health.Completeness {
	c := health.Completeness{Device: "d", Date: date, Duplicate: m.duplicates[date], Quarantined: m.unread[date]}
	boots := map[uint64]bool{}
	for _, x := range m.items {
		if x.date == date {
			boots[x.boot] = true
		}
	}
	for boot := range uint64(10) {
		if boots[boot] {
			m.boot(&c, boot)
		}
	}
	c.Missing = max(0, c.Expected-c.Received-c.Quarantined)
	return c
}

func (m *model) boot(c *health.Completeness, boot uint64) {
	days := map[uint64][]string{} // seq -> the days on which it came or was set aside
	accepted := map[uint64]bool{}
	put := map[uint64]bool{}
	highest, lowest, before := int64(-1), int64(1<<60), int64(-1)
	for _, x := range m.items {
		if x.boot != boot {
			continue
		}
		days[x.seq] = append(days[x.seq], x.date)
		if !x.aside {
			accepted[x.seq] = true
		}
		switch {
		case x.date == c.Date:
			highest, lowest = max(highest, int64(x.seq)), min(lowest, int64(x.seq))
			if x.aside {
				put[x.seq] = true
				continue
			}
			c.Received++
			if x.late {
				c.Late++
			}
		case x.date < c.Date:
			before = max(before, int64(x.seq))
		}
	}
	for seq := range put {
		if !accepted[seq] {
			c.Quarantined++
		}
	}
	if before < 0 {
		c.Expected += highest - lowest + 1
	} else {
		c.Expected += max(0, highest-before)
	}
	missing, from := false, uint64(0)
	begun := false
	for seq := uint64(0); int64(seq) <= highest; seq++ {
		if len(days[seq]) == 0 {
			if !missing {
				missing, from = true, seq
			}
			continue
		}
		if missing && begun && slices.Contains(days[seq], c.Date) {
			c.Gaps = append(c.Gaps, health.Gap{HasBoot: true, Boot: boot, FromSeq: from, ToSeq: seq - 1})
		}
		missing, begun = false, true
	}
}

// TestAgainstModel sends readings in any order over three days, sets some
// aside, accepts some of them later, and lets the follower crash anywhere.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, "d,600")
		defer func() { require.NoError(rt, w.f.Close()) }()
		m := &model{duplicates: map[string]int64{}, unread: map[string]int64{}}
		identity := func(t *rapid.T) (boot, seq uint64, at int64) {
			boot, seq = rapid.Uint64Range(0, 2).Draw(t, "boot"), rapid.Uint64Range(0, 30).Draw(t, "seq")
			// An identity has one time, most often growing with its number.
			return boot, seq, begin + int64(seq*67+boot*31)%40*2*hour
		}
		sent := map[[2]uint64]bool{}
		compare := func(t *rapid.T) {
			for at := begin - day; at < begin+5*day; at += day {
				require.Equal(t, m.completeness(dateOf(at)), w.completeness(dateOf(at)))
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"reading": func(t *rapid.T) {
				boot, seq, at := identity(t)
				if sent[[2]uint64{boot, seq}] {
					t.Skip()
				}
				sent[[2]uint64{boot, seq}] = true
				w.sent(boot, seq, at)
				m.items = append(m.items, item{boot: boot, seq: seq, date: dateOf(at), late: w.now-at > 20*minute})
			},
			"aside": func(t *rapid.T) {
				boot, seq, at := identity(t)
				reason := rapid.SampledFrom([]city.Reason{city.ReasonImpossible, city.ReasonTooOld}).Draw(t, "reason")
				w.tally(0, aside(boot, seq, at, reason))
				if reason == city.ReasonTooOld {
					at = w.now
				}
				m.items = append(m.items, item{boot: boot, seq: seq, date: dateOf(at), aside: true})
			},
			"duplicates": func(*rapid.T) {
				w.tally(2)
				m.duplicates[dateOf(w.now)] += 2
			},
			"forward": func(t *rapid.T) { w.tick(w.now + rapid.Int64Range(1, 10).Draw(t, "hours")*hour) },
			"apply":   func(*rapid.T) { w.apply() },
			"flush":   func(*rapid.T) { w.flush() },
			"crash":   func(*rapid.T) { w.reopen() },
			"compare": compare,
		})
		compare(rt)
		w.flush()
		w.reopen()
		compare(rt)
	})
}
