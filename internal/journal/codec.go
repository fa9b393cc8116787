package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/simpang-id/simpang/internal/city"
)

// The encoding on disk is made of few parts: unsigned varints (as in
// encoding/binary, shortest form only), zigzag varints for signed numbers,
// strings as length and bytes, and bytes of bits. A value has exactly one
// encoding, and the reader refuses every other, so that equal content has
// equal bytes and equal hashes for as long as the journal is kept.

var (
	errShort     = errors.New("ends too early")
	errOverlong  = errors.New("a number is not in its shortest form or too large")
	errBits      = errors.New("unknown flag bits: written by a newer version of the program")
	errTrailing  = errors.New("bytes left over at the end")
	errEmptyBody = errors.New("an empty value is stored as present")
)

func appendUint(dst []byte, v uint64) []byte { return binary.AppendUvarint(dst, v) }

func appendInt(dst []byte, v int64) []byte { return binary.AppendVarint(dst, v) }

func appendString(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

func bit(set bool, value byte) byte {
	if set {
		return value
	}
	return 0
}

// reader takes values off the front of b. The first fault sticks, and every
// value after it is zero.
type reader struct {
	b     []byte
	err   error
	names *interner // nil: strings are copied
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail(errShort)
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

// bits reads a byte of flags of which only those of mask are known.
func (r *reader) bits(mask byte) byte {
	v := r.byte()
	if v&^mask != 0 {
		r.fail(errBits)
		return 0
	}
	return v
}

// version reads the version of an encoding; each has but one so far.
func (r *reader) version(what string) {
	if v := r.byte(); r.err == nil && v != version1 {
		r.fail(fmt.Errorf("version %d of a %s is not known: written by a newer version of the program", v, what))
	}
}

func (r *reader) uint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 {
		v := r.b[0]
		r.b = r.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(r.b)
	switch {
	case n == 0:
		r.fail(errShort)
		return 0
	case n < 0 || r.b[n-1] == 0:
		r.fail(errOverlong)
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) int() int64 {
	v := r.uint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *reader) uint32() uint32 {
	v := r.uint()
	if v > math.MaxUint32 {
		r.fail(errOverlong)
		return 0
	}
	return uint32(v)
}

func (r *reader) uint16() uint16 {
	v := r.uint()
	if v > math.MaxUint16 {
		r.fail(errOverlong)
		return 0
	}
	return uint16(v)
}

// count reads a number of elements that take at least size bytes each, so that
// a damaged count cannot ask for more memory than there is data.
func (r *reader) count(size int) int {
	v := r.uint()
	if v > uint64(len(r.b)/size) {
		r.fail(errShort)
		return 0
	}
	return int(v)
}

func (r *reader) bytes() []byte {
	n := r.count(1)
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) string() string { return string(r.bytes()) }

// name reads a string that comes again and again, such as a device's id.
func (r *reader) name() string {
	b := r.bytes()
	if r.names == nil {
		return string(b)
	}
	return r.names.intern(b)
}

func (r *reader) someInt(present bool) city.Int {
	if !present {
		return city.Int{}
	}
	return city.SomeInt(r.int())
}

func (r *reader) someMilli(present bool) city.Milli {
	if !present {
		return city.Milli{}
	}
	return city.SomeMilli(r.int())
}

// end returns the first fault, one too where bytes are left.
func (r *reader) end() error {
	if r.err == nil && len(r.b) > 0 {
		r.err = errTrailing
	}
	return r.err
}

// interner gives equal strings one memory; it forgets all when it has grown
// too large. A string that a follower keeps holds no whole batch in memory.
type interner struct{ known map[string]string }

const internLimit = 1 << 14

func (n *interner) intern(b []byte) string {
	if s, ok := n.known[string(b)]; ok {
		return s
	}
	if len(b) > 128 {
		return string(b)
	}
	if n.known == nil || len(n.known) >= internLimit {
		n.known = make(map[string]string, 256)
	}
	s := string(b)
	n.known[s] = s
	return s
}
