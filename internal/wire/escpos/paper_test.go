package escpos_test

import (
	"bytes"
	"math/rand/v2"
)

// paper is a till's print stream in the making.
type paper struct {
	bytes.Buffer
	dice *rand.Rand
}

func newPaper() *paper {
	return &paper{dice: rand.New(rand.NewPCG(7, 11))}
}

func (p *paper) raw(b ...byte) *paper {
	p.Write(b)
	return p
}

func (p *paper) init() *paper   { return p.raw(0x1b, '@') }
func (p *paper) cut() *paper    { return p.raw(0x1d, 'V', 66, 3) }
func (p *paper) cutNow() *paper { return p.raw(0x1d, 'V', 0) }
func (p *paper) kick() *paper   { return p.raw(0x1b, 'p', 0, 25, 250) }
func (p *paper) bold(on byte) *paper {
	return p.raw(0x1b, 'E', on)
}
func (p *paper) centre() *paper { return p.raw(0x1b, 'a', 1) }
func (p *paper) large() *paper  { return p.raw(0x1d, '!', 0x11) }
func (p *paper) small() *paper  { return p.raw(0x1d, '!', 0) }

func (p *paper) lines(lines ...string) *paper {
	for _, l := range lines {
		p.WriteString(l + "\n")
	}
	return p
}

// trap is what no reader may take out of an image.
const trap = "\nTOTAL : Rp 999.999\nNo. Struk : TRAP-1\n\x1b@\x1dV\x00\x1b"

// dots are the dots of an image: chance, and the trap in the middle.
func (p *paper) dots(n int) []byte {
	d := make([]byte, n)
	for i := range d {
		d[i] = byte(p.dice.Uint32())
	}
	copy(d[n/2:], trap)
	return d
}

// raster is GS v 0 of width bytes and height lines.
func (p *paper) raster(width, height int) *paper {
	p.raw(0x1d, 'v', '0', 0, byte(width), byte(width>>8), byte(height), byte(height>>8))
	p.Write(p.dots(width * height))
	return p
}

// columns is ESC * with 24 dots.
func (p *paper) columns(width int) *paper {
	p.raw(0x1b, '*', 33, byte(width), byte(width>>8))
	p.Write(p.dots(3 * width))
	return p.raw('\n')
}

// graphics is GS 8 L.
func (p *paper) graphics(n int) *paper {
	p.raw(0x1d, '8', 'L', byte(n), byte(n>>8), byte(n>>16), 0)
	p.Write(p.dots(n))
	return p
}

func (p *paper) qr(text string) *paper {
	p.raw(0x1d, '(', 'k', 4, 0, '1', 'A', 50, 0)
	p.raw(0x1d, '(', 'k', 3, 0, '1', 'C', 6)
	n := len(text) + 3
	p.raw(0x1d, '(', 'k', byte(n), byte(n>>8), '1', 'P', '0')
	p.WriteString(text)
	return p.raw(0x1d, '(', 'k', 3, 0, '1', 'Q', '0')
}

// code128 is GS k of the second form.
func (p *paper) code128(text string) *paper {
	p.raw(0x1d, 'h', 80, 0x1d, 'w', 2, 0x1d, 'k', 73, byte(len(text)+2), '{', 'B')
	p.WriteString(text)
	return p
}

// code39 is GS k of the first form, which ends in NUL.
func (p *paper) code39(text string) *paper {
	p.raw(0x1d, 'k', 4)
	p.WriteString(text)
	return p.raw(0)
}

// at moves the print position.
func (p *paper) at(dots int) *paper { return p.raw(0x1b, '$', byte(dots), byte(dots>>8)) }

func (p *paper) text(s string) *paper {
	p.WriteString(s)
	return p
}
