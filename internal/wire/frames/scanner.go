package frames

import (
	"bytes"

	"github.com/simpang-id/simpang/internal/city"
)

// maxNoise is how many bytes of noise without $ or LF make one refusal.
const maxNoise = 4096

// Scanner cuts a stream of bytes into lines. It holds at most a line and the
// beginning of a run of noise, finds the next sentence after any noise, and
// gives the same however the stream is cut into pieces. The zero Scanner is
// ready; it is for one goroutine.
type Scanner struct {
	line  []byte // from its $ on, empty outside a sentence
	noise []byte // first bytes of the noise at hand
	total int    // bytes of noise at hand
	tail  bool   // inside the rest of a line that was too long
}

// Feed takes the next bytes and calls emit for each line whose checksum is
// right, its line end included, and for each refusal: noise, a line that is
// too long or cut off, a bad checksum. Exactly one of line and refusal is set;
// both are the receiver's to keep. Of long noise only the first 255 bytes are
// in Raw.
func (s *Scanner) Feed(p []byte, emit func(line []byte, refusal *city.Refusal)) {
	for _, c := range p {
		switch {
		case len(s.line) > 0:
			s.inside(c, emit)
		case c == '$':
			s.tail = false
			s.flush(emit)
			s.line = append(s.line, c)
		case s.tail:
			s.tail = c != '\n'
		case c == '\n':
			s.flush(emit)
		case c == '\r' && s.total == 0:
		default:
			s.total++
			if len(s.noise) < MaxLine {
				s.noise = append(s.noise, c)
			}
			if s.total == maxNoise {
				s.flush(emit)
			}
		}
	}
}

// Reset forgets what is begun, as after the line was opened anew.
func (s *Scanner) Reset() { *s = Scanner{} }

// flush gives away the noise at hand.
func (s *Scanner) flush(emit func([]byte, *city.Refusal)) {
	if s.total > 0 {
		emit(nil, refuse(city.ReasonNotFrame, "noise between sentences", s.noise))
	}
	s.noise, s.total = s.noise[:0], 0
}

// inside takes a byte of a line. A $ is always the begin of a sentence.
func (s *Scanner) inside(c byte, emit func([]byte, *city.Refusal)) {
	if c == '$' {
		emit(nil, refuse(city.ReasonNotFrame, "a sentence that was cut off", s.line))
		s.line = append(s.line[:0], c)
		return
	}
	s.line = append(s.line, c)
	switch {
	case c == '\n':
		if _, f := body(s.line); f.reason != "" {
			emit(nil, refuse(f.reason, f.detail, s.line))
		} else {
			emit(bytes.Clone(s.line), nil)
		}
		s.line = s.line[:0]
	case len(s.line) == MaxLine: // and still no line end
		emit(nil, refuse(city.ReasonLineTooLong, "over 255 bytes without a line end", s.line))
		s.line, s.tail = s.line[:0], true
	}
}

func refuse(reason city.Reason, detail string, raw []byte) *city.Refusal {
	return &city.Refusal{Reason: reason, Detail: detail, Raw: bytes.Clone(raw)}
}
