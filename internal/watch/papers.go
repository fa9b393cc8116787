package watch

import (
	"encoding/binary"
	"hash/fnv"
)

// repeat is what a receipt's number says of it.
type repeat uint8

const (
	fresh    repeat = iota
	perhaps         // the number was there, its amount is not remembered
	repeated        // a reprint, or the void of what is void
	reused          // the number was there with another amount
	first           // its reprint came before it
)

// paper is how many bytes a paper is remembered by: 6 of its number's hash, 4
// of its amount, 2 of its day, 1 that says void, 4 of its seq.
const paper = 17

// hashOf is the hash by which a number is remembered.
func hashOf(number string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(number)) // it cannot fail
	return h.Sum64() & (1<<48 - 1)
}

// reprintDays is how long the same number and amount is a reprint.
const reprintDays = 30

// remember tells what is known of a receipt's number, and remembers the paper.
func (s *numbers) remember(r *receipt) repeat {
	var own [paper]byte
	binary.LittleEndian.PutUint64(own[:], hashOf(r.Number))
	binary.LittleEndian.PutUint32(own[6:], uint32(r.Amount))
	day := uint16(r.at / dayMs)
	binary.LittleEndian.PutUint16(own[10:], day)
	binary.LittleEndian.PutUint32(own[13:], uint32(r.order.Seq))
	says := fresh
	if r.Void {
		says = perhaps
	}
	for at := len(s.Papers) - paper; at >= 0; at -= paper {
		old := s.Papers[at : at+paper]
		if [6]byte(old) != [6]byte(own[:]) {
			continue
		}
		same := binary.LittleEndian.Uint32(old[6:]) == uint32(r.Amount)
		if r.Void {
			if !same {
				continue
			}
			was := old[12]
			old[12] = 1
			if was == 1 {
				return repeated
			}
			return fresh
		}
		then := binary.LittleEndian.Uint16(old[10:])
		if same && max(day, then)-min(day, then) <= reprintDays {
			if seq := binary.LittleEndian.Uint32(old[13:]); int32(uint32(r.order.Seq)-seq) < 0 {
				copy(old[13:], own[13:])
				return first
			}
			return repeated
		}
		says = reused
	}
	if r.Void {
		return says
	}
	s.Papers = append(s.Papers, own[:]...)
	if over := len(s.Papers) - mostPapers*paper; over > 0 {
		s.Papers = append(s.Papers[:0], s.Papers[over:]...)
	}
	return says
}
