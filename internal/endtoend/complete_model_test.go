package endtoend_test

import (
	"slices"
	"sort"
	"time"
)

// completeness is what /v1/devices/{id}/completeness answers.
type completeness struct {
	Expected    int64 `json:"expected"`
	Received    int64 `json:"received"`
	Duplicate   int64 `json:"duplicate"`
	Late        int64 `json:"late"`
	Quarantined int64 `json:"quarantined"`
	Missing     int64 `json:"missing"`
	Gaps        []gap `json:"gaps"`
}

type gap struct {
	Boot    *uint64 `json:"boot"`
	FromSeq uint64  `json:"from_seq"`
	ToSeq   uint64  `json:"to_seq"`
}

// quarantined is an item of /v1/quarantine.
type quarantined struct {
	ID         int64     `json:"id"`
	ReceivedAt time.Time `json:"received_at"`
	Source     string    `json:"source"`
	Device     string    `json:"device"`
	Topic      string    `json:"topic"`
	Reason     string    `json:"reason"`
	Detail     string    `json:"detail"`
	Seq        *uint64   `json:"seq"`
	Retried    bool      `json:"retried"`
	Verdict    string    `json:"verdict"`
}

// number is a sequence number that is known to have been used.
type number struct {
	seq   uint64
	at    time.Time
	aside bool
}

// complete counts a device's days by the contract. Of what was set aside the
// number counts too, where it could be read; those that the truth says were
// refused tell boot and number, the quarantine tells whether it could be read
// and when it came. Duplicates are not told: the truth does not know their day.
func complete(f *fate, aside []quarantined, interval time.Duration) map[string]completeness {
	runs := map[string][]number{} // by boot; of devices without, by the run's number
	days := map[string]*completeness{}
	day := func(t time.Time) *completeness {
		date := t.In(zone).Format("2006-01-02")
		if days[date] == nil {
			days[date] = &completeness{}
		}
		return days[date]
	}
	sorted := slices.Clone(f.delivered)
	sort.Slice(sorted, func(i, j int) bool { // lanes of one period have one time
		a, b := &sorted[i], &sorted[j]
		return a.At.Before(b.At) || a.At.Equal(b.At) && a.Seq < b.Seq
	})
	var starts []time.Time // of the runs of a device without boots, but the first
	for i, r := range sorted {
		if r.Boot == nil && i > 0 && r.Seq < sorted[i-1].Seq {
			starts = append(starts, r.At)
		}
	}
	runOf := func(boot *uint64, at time.Time) string {
		if boot != nil {
			return idOf(boot, 0, 0)
		}
		n := 0
		for n < len(starts) && !starts[n].After(at) {
			n++
		}
		return string(rune('a' + n))
	}
	for _, r := range sorted {
		c := day(r.At)
		c.Received++
		if r.ReceivedAt.Sub(r.At) > 2*interval {
			c.Late++
		}
		run := runOf(r.Boot, r.At)
		runs[run] = append(runs[run], number{seq: r.Seq, at: r.At})
	}
	received := map[string]bool{}
	for run, list := range runs {
		for _, n := range list {
			received[run+idOf(nil, n.seq, 0)] = true
		}
	}
	refused := slices.Clone(f.refused)
	for _, q := range aside {
		if q.Seq == nil {
			day(q.ReceivedAt).Quarantined++
			continue
		}
		i := slices.IndexFunc(refused, func(l truthLine) bool { return l.Seq == *q.Seq && l.Reason == q.Reason })
		if i < 0 {
			continue
		}
		l := refused[i]
		refused = slices.Delete(refused, i, i+1) // another boot may have the same number
		at := time.UnixMilli(l.At)
		if l.Reason == "too_old" || l.Reason == "too_far_ahead" || (l.Reason == "wrong_type" && l.Kind == "gate" && q.Topic == "") {
			at = q.ReceivedAt // its own time is not to be believed, or could not be read
		}
		run := runOf(l.Boot, at)
		if l.Boot == nil && !l.after.IsZero() { // sent in the run of the reading before it
			run = runOf(nil, l.after)
		}
		if received[run+idOf(nil, l.Seq, 0)] {
			continue // a conflict: the number is that of a reading that is there
		}
		day(at).Quarantined++
		runs[run] = append(runs[run], number{l.Seq, at, true})
	}
	for _, list := range runs {
		countRun(list, day)
	}
	out := map[string]completeness{}
	for date, c := range days {
		c.Missing = max(0, c.Expected-c.Received-c.Quarantined)
		out[date] = *c
	}
	return out
}

// countRun adds what was expected of one run to its days.
func countRun(list []number, day func(time.Time) *completeness) {
	sort.Slice(list, func(i, j int) bool { return list[i].seq < list[j].seq })
	dates := map[string]time.Time{}
	for _, n := range list {
		dates[n.at.In(zone).Format("2006-01-02")] = n.at
	}
	for date, at := range dates {
		var before, lowest, highest uint64
		first := true
		var started bool
		for _, n := range list {
			switch d := n.at.In(zone).Format("2006-01-02"); {
			case d < date:
				before = max(before, n.seq)
				started = true
			case d == date:
				if first {
					lowest = n.seq
				}
				first = false
				highest = max(highest, n.seq)
			}
		}
		switch {
		case !started:
			day(at).Expected += int64(highest - lowest + 1)
		case highest > before:
			day(at).Expected += int64(highest - before)
		}
	}
}
