package native

import (
	"errors"
	"unicode/utf8"
)

// maxDepth is how deep a payload may nest; ours nests five deep
// (array, reading, lanes, lane, counts), the rest is room for unknown members.
const maxDepth = 16

var errSyntax = errors.New("no JSON")

var errDepth = errors.New("nested deeper than 16")

// A span is one value inside the payload: payload[from:to], white space cut.
type span struct{ from, to int32 }

// space returns the index of the first byte at or after i that is no white
// space (RFC 8259, section 2).
func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skip checks the value that begins at i and returns the index behind it
// (RFC 8259, section 3).
func skip(b []byte, i, depth int) (int, error) {
	if i >= len(b) {
		return i, errSyntax
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipNested(b, i, depth)
	case 't':
		return skipWord(b, i, "true")
	case 'f':
		return skipWord(b, i, "false")
	case 'n':
		return skipWord(b, i, "null")
	default:
		return skipNumber(b, i)
	}
}

func skipWord(b []byte, i int, word string) (int, error) {
	if len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return i, errSyntax
	}
	return i + len(word), nil
}

// plain marks the bytes that may stand in a string as they are.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != '"' && c != '\\'
	}
	return t
}()

// skipString checks the string whose opening quote is at i (section 7). That
// the whole payload is UTF-8 was checked before.
func skipString(b []byte, i int) (int, error) {
	for i++; i < len(b); i++ {
		if plain[b[i]] {
			continue
		}
		switch b[i] {
		case '"':
			return i + 1, nil
		case '\\':
			i++
			if i >= len(b) {
				return i, errSyntax
			}
			switch b[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if _, ok := hex4(b, i+1); !ok {
					return i, errSyntax
				}
				i += 4
			default:
				return i, errSyntax
			}
		default:
			return i, errSyntax
		}
	}
	return i, errSyntax
}

// skipNumber checks the number that begins at i (section 6).
func skipNumber(b []byte, i int) (int, error) {
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch {
	case i < len(b) && b[i] == '0':
		i++
	case i < len(b) && b[i] >= '1' && b[i] <= '9':
		i = digits(b, i)
	default:
		return i, errSyntax
	}
	if i < len(b) && b[i] == '.' {
		end := digits(b, i+1)
		if end == i+1 {
			return end, errSyntax
		}
		i = end
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		end := digits(b, i)
		if end == i {
			return end, errSyntax
		}
		i = end
	}
	return i, nil
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

func skipNested(b []byte, i, depth int) (int, error) {
	if b[i] == '{' {
		return members(b, i, depth, func(_, _ span) {})
	}
	return elements(b, i, depth, func(span) {})
}

// members checks the object whose brace is at i, calls each with the name
// (quotes included) and value of every member in order, and returns the index
// behind the object.
func members(b []byte, i, depth int, each func(name, value span)) (int, error) {
	if depth >= maxDepth {
		return i, errDepth
	}
	i = space(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1, nil
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return i, errSyntax
		}
		name := span{from: int32(i)}
		end, err := skipString(b, i)
		if err != nil {
			return end, err
		}
		name.to = int32(end)
		i = space(b, end)
		if i >= len(b) || b[i] != ':' {
			return i, errSyntax
		}
		i = space(b, i+1)
		end, err = skip(b, i, depth+1)
		if err != nil {
			return end, err
		}
		each(name, span{int32(i), int32(end)})
		i = space(b, end)
		switch {
		case i < len(b) && b[i] == ',':
			i = space(b, i+1)
		case i < len(b) && b[i] == '}':
			return i + 1, nil
		default:
			return i, errSyntax
		}
	}
}

// elements checks the array whose bracket is at i, calls each with every
// element in order, and returns the index behind the array.
func elements(b []byte, i, depth int, each func(value span)) (int, error) {
	if depth >= maxDepth {
		return i, errDepth
	}
	i = space(b, i+1)
	if i < len(b) && b[i] == ']' {
		return i + 1, nil
	}
	for {
		end, err := skip(b, i, depth+1)
		if err != nil {
			return end, err
		}
		each(span{int32(i), int32(end)})
		i = space(b, end)
		switch {
		case i < len(b) && b[i] == ',':
			i = space(b, i+1)
		case i < len(b) && b[i] == ']':
			return i + 1, nil
		default:
			return i, errSyntax
		}
	}
}

// unquote returns the text of the checked string literal s, quotes included.
// A lone surrogate becomes U+FFFD.
func unquote(s []byte) []byte {
	s = s[1 : len(s)-1]
	at := 0
	for at < len(s) && s[at] != '\\' {
		at++
	}
	if at == len(s) {
		return s
	}
	out := append(make([]byte, 0, len(s)), s[:at]...)
	for i := at; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		i++
		switch s[i] {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := hex4(s, i+1)
			i += 4
			if low, ok := lowSurrogate(s, i+1); ok && r >= 0xD800 && r < 0xDC00 {
				r = (r-0xD800)<<10 + low - 0xDC00 + 0x10000
				i += 6
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, s[i])
		}
	}
	return out
}

func lowSurrogate(s []byte, i int) (rune, bool) {
	if len(s)-i < 6 || s[i] != '\\' || s[i+1] != 'u' {
		return 0, false
	}
	r, ok := hex4(s, i+2)
	return r, ok && r >= 0xDC00 && r < 0xE000
}

func hex4(b []byte, i int) (rune, bool) {
	if len(b)-i < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[i : i+4] {
		r <<= 4
		switch {
		case c >= '0' && c <= '9':
			r |= rune(c - '0')
		case c >= 'a' && c <= 'f':
			r |= rune(c-'a') + 10
		case c >= 'A' && c <= 'F':
			r |= rune(c-'A') + 10
		default:
			return 0, false
		}
	}
	return r, true
}
