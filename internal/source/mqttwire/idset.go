package mqttwire

import "sync"

// IDSet is a set of packet identifiers: the QoS 2 publishes of a session that
// were acknowledged with PUBREC and await PUBREL. Bounded at 8 KiB.
type IDSet struct {
	mu   sync.Mutex
	bits *[1 << 16 / 64]uint64 // nil while nothing was ever in it
}

// Add puts id into the set.
func (s *IDSet) Add(id uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bits == nil {
		s.bits = new([1 << 16 / 64]uint64)
	}
	s.bits[id/64] |= 1 << (id % 64)
}

// Has tells whether id is in the set.
func (s *IDSet) Has(id uint16) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bits != nil && s.bits[id/64]&(1<<(id%64)) != 0
}

// Remove takes id out and tells whether it was in.
func (s *IDSet) Remove(id uint16) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bits == nil || s.bits[id/64]&(1<<(id%64)) == 0 {
		return false
	}
	s.bits[id/64] &^= 1 << (id % 64)
	return true
}

// Clear empties the set.
func (s *IDSet) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bits = nil
}
