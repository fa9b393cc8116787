package journal

import "context"

// OpenClosures returns the closures that were set over the API and not taken
// back, in the order in which they were set. The newest day begins with those
// that were open then, so no older day is read.
func (j *Journal) OpenClosures(ctx context.Context) ([]Closure, error) {
	days := j.list()
	if len(days) == 0 {
		return nil, nil
	}
	entries, err := j.indexed(ctx, days[len(days)-1], closureTypes)
	if err != nil {
		return nil, err
	}
	var open []Closure
	for i := range entries {
		open = FoldClosures(open, &entries[i])
	}
	return open, nil
}

// FoldClosures applies one entry to the closures that are open.
func FoldClosures(open []Closure, e *Entry) []Closure {
	switch e.Type {
	case TypeDay:
		return append([]Closure(nil), e.Day.Closures...)
	case TypeClosure:
		return append(without(open, e.Closure.ID), *e.Closure)
	case TypeReopen:
		return without(open, e.Closure.ID)
	default:
		return open
	}
}

func without(open []Closure, id string) []Closure {
	kept := make([]Closure, 0, len(open)+1)
	for _, c := range open {
		if c.ID != id {
			kept = append(kept, c)
		}
	}
	return kept
}
