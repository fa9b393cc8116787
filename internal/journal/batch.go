package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// batchLimit is the most entries in one row; a larger append makes several
// rows in one transaction.
const batchLimit = 4096

// maxSources bounds the sources that a batch refers to by number; others are
// written out each time.
const maxSources = 64

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Hash is the SHA-256 of a batch and, through the hash before it, of all that
// came before.
type Hash [sha256.Size]byte

// hashBatch computes SHA-256(prev | first | n | data), numbers as 8 bytes big
// endian.
func hashBatch(prev Hash, first uint64, n int, data []byte) Hash {
	var head [sha256.Size + 16]byte
	copy(head[:], prev[:])
	binary.BigEndian.PutUint64(head[sha256.Size:], first)
	binary.BigEndian.PutUint64(head[sha256.Size+8:], uint64(n))
	h := sha256.New()
	h.Write(head[:])
	h.Write(data)
	var sum Hash
	h.Sum(sum[:0])
	return sum
}

// encoder writes one batch.
//
// A batch's bytes are a version and its entries one after the other:
//
//	type | flags | receive time, as the difference from the entry before | source | length of body | body
//
// A source is 0 for none, 1 and the string where it is new, and 2 + its place
// among the batch's sources where it is not. Positions follow from the batch's
// first.
type encoder struct {
	buf     []byte
	sources []string
	recv    int64
	n       int
	types   uint64 // a bit for each Type in the batch
	reads   int    // readings among the n
}

func (c *encoder) reset() {
	c.buf = append(c.buf[:0], version1)
	c.sources = c.sources[:0]
	c.recv, c.n, c.types, c.reads = 0, 0, 0, 0
}

func (c *encoder) add(e *Entry) error {
	b := append(c.buf, byte(e.Type), byte(e.Flags))
	b = appendInt(b, e.Recv-c.recv)
	b = c.source(b, e.Source)
	at := len(b)
	b, err := EncodeBody(append(b, 0), e)
	if err != nil {
		return err
	}
	if size := len(b) - at - 1; size < 0x80 {
		b[at] = byte(size)
	} else {
		var length [binary.MaxVarintLen64]byte
		n := binary.PutUvarint(length[:], uint64(size))
		b = append(b, length[:n-1]...)
		copy(b[at+n:], b[at+1:at+1+size])
		copy(b[at:], length[:n])
	}
	c.buf, c.recv, c.n = b, e.Recv, c.n+1
	c.types |= 1 << e.Type
	if e.Type == TypeReading {
		c.reads++
	}
	return nil
}

func (c *encoder) source(b []byte, source string) []byte {
	if source == "" {
		return append(b, 0)
	}
	for i, s := range c.sources {
		if s == source {
			return append(b, byte(i+2))
		}
	}
	if len(c.sources) < maxSources {
		c.sources = append(c.sources, source)
	}
	return appendString(append(b, 1), source)
}

// entries appends a batch's entries to dst. wanted is nil for all of them, or
// ascending places in the batch.
func (d *decoder) entries(dst []Entry, first uint64, data []byte, wanted []int) ([]Entry, int, error) {
	r := reader{b: data, names: &d.names}
	d.sources = d.sources[:0]
	r.version("batch")
	var recv int64
	n := 0
	for ; r.err == nil && len(r.b) > 0; n++ {
		e := Entry{Pos: first + uint64(n), Type: Type(r.byte()), Flags: Flags(r.byte())}
		e.Recv = recv + r.int()
		recv = e.Recv
		e.Source = d.source(&r)
		body := r.bytes()
		if r.err != nil {
			break
		}
		if wanted != nil {
			if len(wanted) == 0 || wanted[0] != n {
				continue
			}
			wanted = wanted[1:]
		}
		in := reader{b: body, names: &d.names}
		d.body(&e, &in)
		if err := in.end(); err != nil {
			return dst, n, fmt.Errorf("entry %d: %w", e.Pos, err)
		}
		dst = append(dst, e)
	}
	if r.err != nil {
		return dst, n, fmt.Errorf("entry %d: %w", first+uint64(n), r.err)
	}
	return dst, n, nil
}

func (d *decoder) source(r *reader) string {
	ref := r.uint()
	switch {
	case ref == 0:
		return ""
	case ref > 1:
		if ref-2 >= uint64(len(d.sources)) {
			r.fail(errShort)
			return ""
		}
		return d.sources[ref-2]
	}
	s := r.name()
	if s == "" {
		r.fail(errEmptyBody)
	}
	for _, known := range d.sources {
		if known == s {
			r.fail(errOverlong)
		}
	}
	if len(d.sources) < maxSources {
		d.sources = append(d.sources, s)
	}
	return s
}
