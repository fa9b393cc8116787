package escpos

import "strings"

// The bytes that begin a command, and the others below a space that mean
// something between commands.
const (
	nul = 0x00
	eot = 0x04
	enq = 0x05
	bel = 0x07
	ht  = 0x09
	lf  = 0x0a
	ff  = 0x0c
	cr  = 0x0d
	dle = 0x10
	dc4 = 0x14
	can = 0x18
	esc = 0x1b
	fs  = 0x1c
	gs  = 0x1d
	del = 0x7f
)

func isLead(c byte) bool { return c == esc || c == gs || c == fs || c == dle }

// maxHead is how many bytes of a command must be seen to tell its length.
const maxHead = 8

// maxData is the longest data of one command, bytes; a length above it is a
// misread one. A page of 576 dots by 8,000 has 576,000.
const maxData = 1 << 20

// maxList is the longest list that ends in NUL, bytes.
const maxList = 255

// step is what the head of a command tells.
type step struct {
	more   bool // too few bytes to tell
	reject bool // no command that is known
	what   What // told as soon as the head is read
	data   int  // bytes that follow the head
	list   bool // bytes up to a NUL follow
	code   bool // those say what a barcode or 2D code says
	units  int  // parts that follow, each with a head and data of its own
	unit   *unit
}

// unit is one part of a command that defines characters or stored images.
type unit struct {
	head int // bytes
	size func(head []byte, command []byte) int64
}

// fixed is the number of arguments of the commands that have always as many,
// by their two bytes; those behind a bar are general knowledge.
var fixed = table(map[byte]map[int]string{
	esc: {0: "@2|LS<im\x0cv", 1: "!-adeEGJMRrt{=3+A V|%?UTu", 2: `$\`, 3: "p"},
	gs:  {0: "|:", 1: "!BHbfhwIra|T/", 2: `PLW$\`, 3: "|^"},
	fs:  {0: ".&", 1: "C!-|W", 2: "p|S"},
	dle: {1: "\x04\x05", 3: "\x14"},
})

func table(kinds map[byte]map[int]string) map[[2]byte]int {
	out := map[[2]byte]int{}
	for lead, byArgs := range kinds {
		for args, names := range byArgs {
			for i := range len(names) {
				if names[i] != '|' {
					out[[2]byte{lead, names[i]}] = args
				}
			}
		}
	}
	return out
}

// tells is what commands with a fixed number of arguments are to a receipt.
var tells = map[[2]byte]What{
	{esc, '@'}: Initialise, {esc, 'p'}: Kick, {esc, 'i'}: Cut, {esc, 'm'}: Cut,
	{esc, 'd'}: LineEnd, {esc, 'J'}: LineEnd, {esc, 'e'}: LineEnd, {esc, ff}: LineEnd,
	{esc, '$'}: Space, {esc, '\\'}: Space, {gs, '$'}: Space, {gs, '\\'}: Space, {esc, 't'}: codePage,
}

// look tells what the first bytes of a command, two at least, say of it.
func look(h []byte) step {
	name := [2]byte{h[0], h[1]}
	if args, ok := fixed[name]; ok {
		if len(h) < 2+args {
			return step{more: true}
		}
		s := step{what: tells[name]}
		if name == [2]byte{dle, dc4} && h[2] == 1 {
			s.what = Kick
		}
		return s
	}
	switch {
	case h[1] == '(' && h[0] != dle: // GS ( k and all others: a length of two bytes
		return parenthesis(h)
	case h[0] == esc:
		return lookESC(h)
	case h[0] == gs:
		return lookGS(h)
	case name == [2]byte{fs, 'q'}:
		if len(h) < 3 {
			return step{more: true}
		}
		return step{units: int(h[2]), unit: &unit{4, func(u, _ []byte) int64 { return pair(u) * pair(u[2:]) * 8 }}}
	case name == [2]byte{fs, '2'}: // general: a character of 24 x 24 dots
		return after(h, 4, func() int64 { return 72 })
	}
	return step{reject: true}
}

func lookESC(h []byte) step {
	switch h[1] {
	case 'c':
		switch {
		case len(h) < 3:
			return step{more: true}
		case !strings.ContainsRune("01345", rune(h[2])):
			return step{reject: true}
		}
		return step{data: 1}
	case '*':
		switch {
		case len(h) < 3:
			return step{more: true}
		case h[2] == 0 || h[2] == 1:
			return after(h, 5, func() int64 { return pair(h[3:]) })
		case h[2] == 32 || h[2] == 33:
			return after(h, 5, func() int64 { return 3 * pair(h[3:]) })
		}
	case 'D':
		return step{list: true}
	case 'W': // general: the area of a page
		return step{data: 8}
	case '&': // general: y c1 c2, then a width a character and that many columns of y bytes
		switch {
		case len(h) < 5:
			return step{more: true}
		case h[2] >= 1 && h[2] <= 3 && h[3] >= 0x20 && h[3] <= h[4]:
			return step{units: int(h[4]-h[3]) + 1, unit: &unit{1, func(u, c []byte) int64 { return int64(u[0]) * int64(c[2]) }}}
		}
	}
	return step{reject: true}
}

func lookGS(h []byte) step {
	switch h[1] {
	case 'V':
		switch {
		case len(h) < 3:
			return step{more: true}
		case strings.ContainsRune("\x00\x0101", rune(h[2])):
			return step{what: Cut}
		case h[2] == 65 || h[2] == 66:
			return after(h, 4, func() int64 { return 0 }).telling(Cut)
		}
	case 'k':
		switch {
		case len(h) < 3:
			return step{more: true}
		case h[2] <= 6:
			return step{list: true, code: true}
		case h[2] >= 65 && h[2] <= 79:
			return after(h, 4, func() int64 { return int64(h[3]) }).coding()
		}
	case 'v':
		switch {
		case len(h) < 3:
			return step{more: true}
		case h[2] == '0':
			return after(h, 8, func() int64 { return pair(h[4:]) * pair(h[6:]) })
		}
	case '*': // general: x y, then x * y * 8
		return after(h, 4, func() int64 { return int64(h[2]) * int64(h[3]) * 8 })
	case '8':
		switch {
		case len(h) < 3:
			return step{more: true}
		case h[2] != 'L':
			return step{reject: true}
		}
		return after(h, 7, func() int64 { return pair(h[3:]) + pair(h[5:])<<16 })
	case 'z': // general: GS z 0 t1 t2
		return after(h, 5, func() int64 { return 0 })
	}
	return step{reject: true}
}

// parenthesis is a command with a length of two bytes. GS ( k with function 80
// stores what a 2D code says.
func parenthesis(h []byte) step {
	s := after(h, 5, func() int64 { return pair(h[3:]) })
	if s.more || s.reject || h[0] != gs || h[2] != 'k' || s.data < 3 {
		return s
	}
	if len(h) < maxHead {
		return step{more: true}
	}
	s.data -= 3
	s.code = h[6] == 80
	return s
}

// after is a command of head bytes and then size of data.
func after(h []byte, head int, size func() int64) step {
	if len(h) < head {
		return step{more: true}
	}
	n := size()
	if n > maxData {
		return step{reject: true}
	}
	return step{data: int(n)}
}

func (s step) telling(w What) step {
	s.what = w
	if s.more {
		s.what = Nothing
	}
	return s
}

func (s step) coding() step {
	s.code = !s.more && !s.reject
	return s
}

// pair is a number of two bytes, the low one first.
func pair(b []byte) int64 { return int64(b[0]) | int64(b[1])<<8 }
