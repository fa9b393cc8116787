package occupancy

import (
	"encoding/json"
	"fmt"
	"sort"
	"time"
)

// step is a value that holds from an event time on.
type step[T comparable] struct {
	From  int64 // Unix ms
	Value T
}

// steps are sorted by From; the first holds for all earlier times too.
type steps[T comparable] []step[T]

// at returns the value at time t, the zero value where there is no step.
func (s steps[T]) at(t int64) (value T) {
	if len(s) == 0 {
		return value
	}
	return s[s.index(t)].Value
}

func (s steps[T]) index(t int64) int {
	if len(s) == 1 {
		return 0
	}
	return max(0, sort.Search(len(s), func(i int) bool { return s[i].From > t })-1)
}

// change returns when the value changes next after t, maxAt + 1 for never.
func (s steps[T]) change(t int64) int64 {
	for i := 1; i < len(s); i++ {
		if s[i].From > t {
			return s[i].From
		}
	}
	return maxAt + 1
}

// set appends a step unless the value holds already; it tells whether it did.
func (s *steps[T]) set(from int64, value T) bool {
	n := len(*s)
	switch {
	case n == 0:
		from = 0
	case (*s)[n-1].Value == value:
		return false
	case (*s)[n-1].From >= from:
		(*s)[n-1].Value = value
		return true
	}
	*s = append(*s, step[T]{From: from, Value: value})
	return true
}

func (s steps[T]) encode() (string, error) {
	text, err := json.Marshal(s)
	return string(text), err
}

func decodeSteps[T comparable](text string) (s steps[T], err error) {
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, fmt.Errorf("steps in occupancy.db: %w", err)
	}
	return s, nil
}

// span is a stretch of event time, both ends inclusive (Unix ms).
type span struct{ from, to int64 }

// spans are stretches that need work. They are merged now and then.
type spans []span

const mergeAt = 64

func (s *spans) add(from, to int64) {
	if n := len(*s); n > 0 {
		last := &(*s)[n-1]
		if from <= last.to+1 && to >= last.from-1 {
			last.from, last.to = min(last.from, from), max(last.to, to)
			return
		}
		if n >= mergeAt && n&(n-1) == 0 {
			s.merge(1)
		}
	}
	*s = append(*s, span{from, to})
}

// merge sorts the spans and joins those that meet once they are widened to
// whole multiples of unit.
func (s *spans) merge(unit int64) {
	list := *s
	for i := range list {
		list[i].from = floorTo(list[i].from, unit)
		list[i].to = floorTo(list[i].to, unit) + unit - 1
	}
	sort.Slice(list, func(i, j int) bool { return list[i].from < list[j].from })
	kept := list[:0]
	for _, x := range list {
		if n := len(kept); n > 0 && x.from <= kept[n-1].to+1 {
			kept[n-1].to = max(kept[n-1].to, x.to)
			continue
		}
		kept = append(kept, x)
	}
	*s = kept
}

// offsetAt returns how far the zone is east of UTC at t, ms.
func offsetAt(t int64, zone *time.Location) int64 {
	_, east := time.UnixMilli(t).In(zone).Zone()
	return int64(east) * 1000
}
