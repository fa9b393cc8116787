package mqtt

import "strings"

// maxTopics is how many topics are remembered.
const maxTopics = 1 << 16

// topics tells the device of a topic. For one goroutine.
type topics struct {
	filters [][]string // levels of the filters with a +
	known   map[string]topic
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
	if len(t.known) >= maxTopics {
		clear(t.known)
	}
	t.known[found.name] = found
	return found
}

// device is the level of the first + of the first filter that matches, else
// that of sg/v1/{device}/..., else none.
func (t *topics) device(name string) string {
	levels := strings.Split(name, "/")
	for _, filter := range t.filters {
		if device, ok := match(filter, levels); ok {
			return device
		}
	}
	if len(levels) == 4 && levels[0] == "sg" && levels[1] == "v1" {
		return levels[2]
	}
	return ""
}

// match returns the level that stands for the filter's first +.
func match(filter, levels []string) (device string, ok bool) {
	for n, f := range filter {
		switch {
		case f == "#":
			return device, true
		case n >= len(levels):
			return "", false
		case f == "+":
			if device == "" {
				device = levels[n]
			}
		case f != levels[n]:
			return "", false
		}
	}
	return device, len(filter) == len(levels)
}
