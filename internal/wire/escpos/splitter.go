package escpos

import "bytes"

// End is why a receipt ended.
type End string

// The ends of receipts.
const (
	EndCut     End = "cut"
	EndInit    End = "initialise" // ESC @ after text
	EndIdle    End = "idle"       // nothing came for a while
	EndLimit   End = "limit"      // more came than a receipt has
	EndStopped End = "stopped"    // the line or the gateway was gone
)

// The bounds of what is printed between two ends.
const (
	MaxText  = 16 << 10 // of text as UTF-8, bytes; a receipt has one or two KiB
	MaxBytes = 1 << 20  // of the stream, bytes
	maxCodes = 16
)

// Print is what was printed between two ends.
type Print struct {
	Text   string   // lines, each with its line end; UTF-8
	Codes  []string // what barcodes and 2D codes say
	Bytes  int      // of the stream
	End    End
	Whole  bool // it was seen from its beginning on
	Cut    bool // it stopped in the middle of a command
	Long   bool // more text than is kept
	Kicked bool // the drawer was kicked
	Tally  Tally
}

// Sound tells whether p was seen from its beginning to its end.
func (p *Print) Sound() bool {
	return p.Whole && !p.Cut && !p.Long && p.End != EndStopped && p.End != EndLimit
}

// Blank tells whether p holds nothing but commands.
func (p *Print) Blank() bool { return p.Text == "" && len(p.Codes) == 0 && !p.Cut }

// Noise tells whether p is no text of a till: of 64 or more bytes between
// commands less than half are printable ASCII. Of random bytes 37 % are.
func (p *Print) Noise() bool {
	between := p.Tally.Text + p.Tally.Dropped
	return between >= 64 && 2*p.Tally.ASCII < between
}

// Splitter cuts a stream into prints. It holds at most MaxText, a line and a
// few codes, whatever comes.
//
// What follows a print that was not seen from its beginning, or that did not
// end, is no beginning before the line was idle: in the middle of an image any
// bytes may look like an end. A cut and ESC @ with nothing printed between them
// do not come by chance, nor does ESC @ as the first that comes at all.
type Splitter struct {
	m     Machine
	began bool // what comes begins here
	first bool // nothing came before since the line was opened
	cut   bool // a cut came right before, of a print whose beginning is not known
	seen  bool // something was printed
	text  []byte
	line  []byte
	out   Print
}

// NewSplitter returns a splitter for a line that was just opened: it does not
// know what came before.
func NewSplitter() *Splitter { return &Splitter{first: true} }

// Begin says that a receipt begins here: the line was idle.
func (s *Splitter) Begin() {
	if !s.seen {
		s.began = true
	}
}

// Feed reads p up to an end of a receipt and tells how much of p that took;
// ended is EndCut, EndInit or EndLimit, "" where p holds no end. The caller
// takes the print then.
func (s *Splitter) Feed(p []byte) (n int, ended End) {
	for n < len(p) {
		took, piece := s.m.Next(p[n:min(len(p), n+MaxBytes-s.out.Bytes)])
		n += took
		s.out.Bytes += took
		switch piece.What { //nolint:exhaustive // the others change nothing
		case Text:
			s.add(piece)
		case Space:
			s.add(Piece{Bytes: []byte{' '}})
		case LineEnd:
			s.endLine()
		case Code:
			if len(s.out.Codes) < maxCodes {
				s.out.Codes = append(s.out.Codes, string(bytes.ToValidUTF8(code(piece.Bytes), []byte("\uFFFD"))))
			}
		case Kick:
			s.out.Kicked = true
		case Initialise:
			if s.seen {
				return n, EndInit
			}
			s.began = s.began || s.first && s.out.Bytes == 2 || s.cut && s.m.Tally.Text+s.m.Tally.Dropped == 0
		case Cut:
			if s.seen {
				return n, EndCut
			}
		}
		if s.out.Bytes >= MaxBytes {
			return n, EndLimit
		}
	}
	return n, ""
}

// Going tells whether something was printed since the last end, or is in the
// middle of a command: it wants an end.
func (s *Splitter) Going() bool { return s.seen || s.m.Inside() }

// Noise tells whether what came since the last end is noise so far.
func (s *Splitter) Noise() bool {
	s.out.Tally = s.m.Tally
	return s.out.Noise()
}

// Take returns what was printed and begins anew.
func (s *Splitter) Take(end End) Print {
	if len(s.line) > 0 {
		s.endLine()
	}
	p := s.out
	p.Text, p.End, p.Whole, p.Tally, p.Cut = string(s.text), end, s.began, s.m.Tally, s.m.Inside()
	m := Machine{page: s.m.page, said: s.m.said[:0]}
	if end == EndLimit && s.m.Inside() {
		m = s.m
		m.Tally = Tally{}
	}
	*s = Splitter{m: m, text: s.text[:0], line: s.line[:0], cut: end == EndCut, began: end == EndIdle || p.Whole && (end == EndCut || end == EndInit)}
	return p
}

// ReadPrint reads again what was printed between two ends.
func ReadPrint(stream []byte, end End, whole bool) Print {
	s := Splitter{began: whole}
	for len(stream) > 0 {
		n, _ := s.Feed(stream)
		stream = stream[n:]
		if s.out.Bytes >= MaxBytes {
			break
		}
	}
	p := s.Take(end)
	p.Whole = whole
	return p
}

// add appends to the line. Spaces alone are nothing that was printed.
func (s *Splitter) add(piece Piece) {
	s.line = appendText(s.line, piece.Bytes, piece.Page)
	if !s.seen && len(bytes.TrimSpace(piece.Bytes)) > 0 {
		s.seen = true
	}
	if len(s.text)+len(s.line) > MaxText {
		s.out.Long = true
		s.line = s.line[:0]
	}
}

func (s *Splitter) endLine() {
	if len(s.text) == 0 && len(bytes.TrimSpace(s.line)) == 0 {
		s.line = s.line[:0]
		return
	}
	if len(s.text)+len(s.line) < MaxText {
		s.text = append(append(s.text, bytes.TrimRight(s.line, " ")...), '\n')
	}
	s.line = s.line[:0]
}

// code is what a barcode says without the code set that begins CODE128 data.
func code(said []byte) []byte {
	if len(said) >= 2 && said[0] == '{' && (said[1] == 'A' || said[1] == 'B') {
		return said[2:]
	}
	return said
}
