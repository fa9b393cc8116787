package intake

import "iter"

// states are devices with what is stored of them, one after the other: very
// many are written with the memory of a few.
type states struct {
	ids  []string
	ends []int // of each in data
	data []byte
}

func (s *states) add(id string, m *memory) {
	s.data = encodeMemory(s.data, m)
	s.ids, s.ends = append(s.ids, id), append(s.ends, len(s.data))
}

func (s *states) clear() { s.ids, s.ends, s.data = s.ids[:0], s.ends[:0], s.data[:0] }

// all yields each device with its state, which is valid until clear.
func (s *states) all() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		from := 0
		for i, id := range s.ids {
			if !yield(id, s.data[from:s.ends[i]]) {
				return
			}
			from = s.ends[i]
		}
	}
}
