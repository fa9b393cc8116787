package mqttwire

import "io"

const (
	smallBuffer = 256
	largeBuffer = 32 << 10
	lightReads  = 32 // so many reads that fill little of it in turn make the buffer smaller
)

// Stream reads packets from a connection through a buffer that grows with the
// load, and shrinks again. For one goroutine.
type Stream struct {
	from  io.Reader
	buf   []byte
	r, w  int // buf[r:w] was read and is not consumed
	light int // reads in turn that filled less than a quarter of buf
}

// NewStream reads from from.
func NewStream(from io.Reader) *Stream {
	return &Stream{from: from, buf: make([]byte, smallBuffer)}
}

// Bytes is what was read and is not consumed, until the next call.
func (s *Stream) Bytes() []byte { return s.buf[s.r:s.w] }

// Len is how many bytes that are.
func (s *Stream) Len() int { return s.w - s.r }

// Discard consumes n of them.
func (s *Stream) Discard(n int) { s.r += n }

// Fill reads until need bytes are there; need is at most MaxOverhead.
func (s *Stream) Fill(need int) error {
	if s.w-s.r >= need {
		return nil
	}
	if s.r == s.w {
		s.r, s.w = 0, 0
		if s.light >= lightReads && len(s.buf) > smallBuffer {
			s.buf, s.light = make([]byte, len(s.buf)/2), 0
		}
	}
	if s.r+need > len(s.buf) {
		s.makeRoom(need)
	}
	for s.w-s.r < need {
		n, err := s.from.Read(s.buf[s.w:])
		s.w += n
		if s.light++; n >= len(s.buf)/4 {
			s.light = 0
		}
		if n == 0 && err != nil {
			return err
		}
	}
	if s.w == len(s.buf) && len(s.buf) < largeBuffer {
		s.resize(2 * len(s.buf)) // there is more: fewer, larger reads
	}
	return nil
}

func (s *Stream) makeRoom(need int) {
	if need > len(s.buf) {
		s.resize(max(need, 2*len(s.buf)))
		return
	}
	s.w = copy(s.buf, s.buf[s.r:s.w])
	s.r = 0
}

func (s *Stream) resize(size int) {
	bigger := make([]byte, size)
	s.w = copy(bigger, s.buf[s.r:s.w])
	s.r = 0
	s.buf = bigger
}

// Header reads the fixed header of the next packet, without consuming it.
func (s *Stream) Header() (Header, error) {
	for {
		h, err := ParseHeader(s.Bytes())
		if err != ErrShort { //nolint:errorlint // returned bare, on the hot path
			return h, err
		}
		if err := s.Fill(s.Len() + 1); err != nil {
			return h, err
		}
	}
}

// Publish reads what stands before the payload of the next packet, a PUBLISH,
// without consuming it.
func (s *Stream) Publish(h Header, v5 bool) (Head, error) {
	for {
		p, need, err := ParsePublish(s.Bytes(), h, v5)
		if err != ErrShort { //nolint:errorlint // returned bare, on the hot path
			return p, err
		}
		if err := s.Fill(need); err != nil {
			return p, err
		}
	}
}

// Copy consumes at most limit bytes into p and returns how many; it waits for
// one at least.
func (s *Stream) Copy(p []byte, limit int) (int, error) {
	if err := s.Fill(1); err != nil {
		return 0, err
	}
	n := copy(p, s.buf[s.r:min(s.w, s.r+limit)])
	s.r += n
	return n, nil
}

// ReadFull consumes len(p) bytes into p.
func (s *Stream) ReadFull(p []byte) error {
	n := copy(p, s.buf[s.r:s.w])
	s.r += n
	if n == len(p) {
		return nil
	}
	_, err := io.ReadFull(s.from, p[n:])
	return err
}

// Skip consumes n bytes.
func (s *Stream) Skip(n int) error {
	for n > 0 {
		if err := s.Fill(1); err != nil {
			return err
		}
		step := min(n, s.w-s.r)
		s.r += step
		n -= step
	}
	return nil
}
