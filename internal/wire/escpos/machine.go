package escpos

// What is what a piece of a stream is.
type What uint8

// The pieces of a stream.
const (
	Nothing    What = iota // no piece yet: more bytes are needed
	Text                   // printed characters, in the code page of the piece
	Space                  // a tabulator, or the print position was moved
	LineEnd                // the line was printed
	Code                   // what a barcode or 2D code says
	Cut                    // the paper was cut
	Initialise             // ESC @
	Kick                   // the drawer was kicked
	codePage               // ESC t, which the machine keeps for itself
)

// Piece is what Next found.
type Piece struct {
	What  What
	Bytes []byte // of Text and Code; valid until the next call
	Page  byte   // of Text: n of the last ESC t, 0 after ESC @
}

// maxCode is how much of what a code says is kept, bytes.
const maxCode = 512

// Tally counts the bytes of a stream by what they were. Their sum is the
// stream.
type Tally struct {
	Text     int // printed characters
	Layout   int // spaces by HT, line ends, and NUL, BEL, CR, CAN that print nothing
	Command  int // commands with their arguments and data
	Dropped  int // of unknown commands, and control characters that mean nothing
	Unknown  int // unknown commands; no bytes
	ASCII    int // of Text: printable ASCII
	Stray    int // of Dropped: control characters outside of commands
	CodeLost int // of Command: what codes say beyond what is kept
}

// Machine takes a stream apart. The zero Machine is at the beginning of one.
// It holds less than a kilobyte, whatever comes.
type Machine struct {
	Tally Tally

	head    [maxHead]byte
	n       int // bytes of head that are read
	page    byte
	skip    int  // bytes of data to come
	list    int  // bytes that a list may still have, 0: none
	code    bool // the data are what a code says
	said    []byte
	units   int // parts to come
	unit    *unit
	part    [4]byte
	partLen int
	rest    [maxHead]byte // text of a command that was none
}

// Inside tells whether the stream is in the middle of a command.
func (m *Machine) Inside() bool { return m.n > 0 || m.skip > 0 || m.list > 0 || m.units > 0 }

// Next reads p up to the end of one piece and tells how many bytes that took,
// so that the rest is for the next call; all of p where it finds none. Text
// may come in several pieces, cut anywhere.
func (m *Machine) Next(p []byte) (n int, piece Piece) {
	for n < len(p) {
		switch {
		case m.skip > 0:
			took := min(m.skip, len(p)-n)
			m.take(p[n : n+took])
			n += took
			m.skip -= took
			piece = m.dataEnd()
		case m.list > 0:
			n++
			m.Tally.Command++
			if p[n-1] != nul && m.list > 1 {
				m.list--
				m.keep(p[n-1 : n])
				continue
			}
			m.list = 0
			piece = m.dataEnd()
		case m.units > 0:
			m.part[m.partLen] = p[n]
			m.partLen++
			n++
			m.Tally.Command++
			m.partHead()
		case m.n > 0:
			m.head[m.n] = p[n]
			m.n++
			n++
			piece = m.command()
		case isLead(p[n]):
			m.head[0], m.n = p[n], 1
			n++
		default:
			took, found := m.plain(p[n:])
			n += took
			piece = found
		}
		if piece.What != Nothing {
			return n, piece
		}
	}
	return n, Piece{}
}

// plain reads what stands between commands.
func (m *Machine) plain(p []byte) (n int, piece Piece) {
	for n < len(p) && p[n] >= ' ' && p[n] != del {
		if p[n] < del {
			m.Tally.ASCII++
		}
		n++
	}
	if n > 0 {
		m.Tally.Text += n
		return n, Piece{What: Text, Bytes: p[:n], Page: m.page}
	}
	switch p[0] {
	case ht:
		m.Tally.Layout++
		return 1, Piece{What: Space}
	case lf, ff:
		m.Tally.Layout++
		return 1, Piece{What: LineEnd}
	case nul, bel, cr, can:
		m.Tally.Layout++
	default:
		m.Tally.Dropped++
		m.Tally.Stray++
	}
	return 1, Piece{}
}

// command looks at the head after one more byte of it.
func (m *Machine) command() Piece {
	h := m.head[:m.n]
	if m.n == 2 && (h[1] == esc || h[1] == gs || h[1] == fs) { // the first was cut off
		m.Tally.Unknown++
		m.Tally.Dropped++
		m.head[0], m.n = h[1], 1
		return Piece{}
	}
	s := look(h)
	switch {
	case s.more:
		return Piece{}
	case s.reject:
		return m.reject(h)
	}
	m.n = 0
	m.Tally.Command += len(h)
	m.skip, m.code, m.said = s.data, s.code, m.said[:0]
	m.units, m.unit, m.partLen = s.units, s.unit, 0
	if s.list {
		m.list = maxList
	}
	switch s.what { //nolint:exhaustive // the others are told as they are
	case codePage:
		m.page = h[2]
		return Piece{}
	case Initialise:
		m.page = 0
	}
	if s.what == Nothing && m.code && m.skip == 0 && m.list == 0 {
		return m.dataEnd()
	}
	return Piece{What: s.what}
}

// reject drops the two bytes of a command that is not known. What was read of
// it beyond them is taken as what it looks like.
func (m *Machine) reject(h []byte) Piece {
	m.n = 0
	m.Tally.Unknown++
	m.Tally.Dropped += 2
	text := m.rest[:0]
	for _, c := range h[2:] {
		switch {
		case c >= ' ' && c != del:
			text = append(text, c)
			m.Tally.Text++
			if c < del {
				m.Tally.ASCII++
			}
		default:
			m.Tally.Dropped++
		}
	}
	if len(text) == 0 {
		return Piece{}
	}
	return Piece{What: Text, Bytes: text, Page: m.page}
}

// partHead looks at the head of a part after one more byte of it.
func (m *Machine) partHead() {
	if m.partLen < m.unit.head {
		return
	}
	m.partLen = 0
	m.units--
	size := m.unit.size(m.part[:], m.head[:])
	if size > maxData { // misread
		m.units = 0
		m.Tally.Unknown++
		return
	}
	m.skip = int(size)
}

func (m *Machine) take(data []byte) {
	m.Tally.Command += len(data)
	m.keep(data)
}

func (m *Machine) keep(data []byte) {
	if !m.code {
		return
	}
	room := min(maxCode-len(m.said), len(data))
	m.said = append(m.said, data[:room]...)
	m.Tally.CodeLost += len(data) - room
}

// dataEnd tells what a code says once all of it is read.
func (m *Machine) dataEnd() Piece {
	if m.skip > 0 || !m.code {
		return Piece{}
	}
	m.code = false
	return Piece{What: Code, Bytes: m.said}
}
