package open311

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean returns a text that JSON and XML 1.0 can both hold: valid UTF-8, and of
// the control characters only line feed and tab.
func Clean(text string) string {
	if !strings.ContainsFunc(text, unfit) {
		return text
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case unfit(r):
			return -1
		}
		return r
	}, text)
}

// unfit runes have no place in a text. A byte that is no UTF-8 reads as
// RuneError.
func unfit(r rune) bool {
	if r == '\n' || r == '\t' {
		return false
	}
	return r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r&0xfffe == 0xfffe || unicode.Is(unicode.Cs, r)
}

// Cut returns at most n characters of a text, whole ones.
func Cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}
