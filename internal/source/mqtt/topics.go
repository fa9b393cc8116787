package mqtt

import "strings"

// maxTopics is how many topics are remembered. Where there are more, most are
// looked at anew each time: that costs little, and the names of very many
// devices are held elsewhere already.
const maxTopics = 1 << 12

// topics tells the device of a topic. For one goroutine.
type topics struct {
	filters [][]string // levels of the filters with a +
	known   map[string]topic
	missed  int // since they were forgotten
}

type topic struct{ name, device string }

func newTopics(filters []string) *topics {
	t := &topics{known: make(map[string]topic)}
	for _, f := range filters {
		if shared, ok := strings.CutPrefix(f, "$share/"); ok {
			_, f, _ = strings.Cut(shared, "/") // the name of the group
		}
		if strings.Contains(f, "+") {
			t.filters = append(t.filters, strings.Split(f, "/"))
		}
	}
	return t
}

// find returns the topic of that name.
func (t *topics) find(name []byte) topic {
	if found, ok := t.known[string(name)]; ok {
		return found
	}
	found := topic{name: string(name)}
	found.device = t.device(found.name)
	if len(t.known) < maxTopics {
		t.known[found.name] = found
	} else if t.missed++; t.missed > 16*maxTopics { // perhaps others speak now
		clear(t.known)
		t.missed = 0
	}
	return found
}

// device is the level of the first + of the first filter that matches, else
// that of sg/v1/{device}/..., else none.
func (t *topics) device(name string) string {
	for _, filter := range t.filters {
		if device, ok := match(filter, name); ok {
			return device
		}
	}
	if rest, ok := strings.CutPrefix(name, "sg/v1/"); ok && strings.Count(rest, "/") == 1 {
		device, _, _ := strings.Cut(rest, "/")
		return device
	}
	return ""
}

// match returns the level that stands for the filter's first +.
func match(filter []string, name string) (device string, ok bool) {
	var level string
	more := true
	for _, f := range filter {
		if f == "#" {
			return device, true
		}
		if !more {
			return "", false
		}
		level, name, more = strings.Cut(name, "/")
		switch {
		case f == "+":
			if device == "" {
				device = level
			}
		case f != level:
			return "", false
		}
	}
	return device, !more
}
