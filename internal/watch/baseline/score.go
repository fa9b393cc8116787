package baseline

import "time"

// Reading is one value of a series.
type Reading struct {
	At    int64 // Unix ms
	Value float64
}

// Window is a time that is labelled as anomalous, both ends inclusive, Unix ms.
type Window struct{ From, To int64 }

// In tells whether a time is in a window.
func (w Window) In(at int64) bool { return at >= w.From && at <= w.To }

// Score is how good a detector was on one labelled series.
type Score struct {
	Windows, Found int
	False          int // alarms outside all windows
}

// The rule by which a labelled series is scored (issue 5, How good).
const (
	learningPercent = 15   // of the series, in which nothing counts
	oneRun          = 0.01 // flags less than so much of the series apart are one alarm
)

// kindOf is the kind of day as a calendar without holidays has it.
func kindOf(at int64) (Kind, int64) {
	t := time.UnixMilli(at).UTC()
	if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
		return Weekend, at % dayMs
	}
	return Working, at % dayMs
}

// Flags streams a series and returns which of its readings were anomalies.
func Flags(p *Params, list []Reading) (flagged []int) {
	var s Series
	for i, r := range list {
		kind, hour := kindOf(r.At)
		v, ok := s.Add(p, r.At, kind, hour, r.Value)
		if ok && v.Anomalous && v.Score > 1 {
			flagged = append(flagged, i)
		}
	}
	return flagged
}

// Judge counts windows with a flag, and runs of flags outside of all; flags less
// than 1 % of the series apart are one run, the first 15 % is learning.
func Judge(list []Reading, windows []Window, flagged []int) Score {
	j := Score{Windows: len(windows)}
	learning := len(list) * learningPercent / 100
	found := make([]bool, len(windows))
	last := -len(list)
	for _, i := range flagged {
		if i < learning {
			continue
		}
		in := false
		for w, x := range windows {
			if x.In(list[i].At) {
				in, found[w] = true, true
			}
		}
		if in {
			continue
		}
		if float64(i-last) >= oneRun*float64(len(list)) {
			j.False++
		}
		last = i
	}
	for _, ok := range found {
		if ok {
			j.Found++
		}
	}
	return j
}

// Good tells whether the series met the bar: every window, one false alarm at most.
func (s Score) Good() bool { return s.Found == s.Windows && s.False <= 1 }
