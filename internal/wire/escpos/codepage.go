package escpos

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// pages are the code pages of ESC t that are known; 0 and 16 are those that
// tills send as a rule, the others are general knowledge.
var pages = map[byte]*charmap.Charmap{
	0: charmap.CodePage437, 2: charmap.CodePage850, 3: charmap.CodePage860, 4: charmap.CodePage863, 5: charmap.CodePage865,
	16: charmap.Windows1252, 17: charmap.CodePage866, 18: charmap.CodePage852, 19: charmap.CodePage858,
}

// appendText appends printed characters as UTF-8. A character beyond ASCII of a
// page that is not known becomes U+FFFD: it is there, and not guessed.
func appendText(dst, text []byte, page byte) []byte {
	known := pages[page]
	for _, c := range text {
		switch {
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		case known != nil:
			dst = utf8.AppendRune(dst, known.DecodeByte(c))
		default:
			dst = utf8.AppendRune(dst, utf8.RuneError)
		}
	}
	return dst
}
