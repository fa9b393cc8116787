package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"unicode/utf8"
)

// node is one JSON value that knows its line.
type node struct {
	line    int
	kind    byte     // { [ s n b 0: object, array, string, number, bool, null
	text    string   // of a string or a number, as written
	yes     bool     // of a bool
	items   []node   // of an array
	members []member // of an object, in the order of the file
	raw     []byte   // as written
}

type member struct {
	name string
	line int
	node
}

// member returns the member of that name, nil if there is none or it is null.
func (n *node) member(name string) *node {
	for i := range n.members {
		if n.members[i].name == name {
			if n.members[i].kind == '0' {
				return nil
			}
			return &n.members[i].node
		}
	}
	return nil
}

// describe says what a value is, for a fault.
func (n *node) describe() string {
	switch n.kind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 's':
		return "a text"
	case 'n':
		return "a number"
	case 'b':
		return "true or false"
	default:
		return "null"
	}
}

const maxDepth = 32

// textError is a fault whose file the caller knows.
type textError struct {
	line    int
	message string
}

func (f *textError) Error() string { return f.message }

// parseJSON reads one JSON value with the line of each of its parts.
func parseJSON(data []byte) (*node, *textError) {
	if f := checkUTF8(data); f != nil {
		return nil, f
	}
	r := &jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	r.dec.UseNumber()
	for i, b := range data {
		if b == '\n' {
			r.lines = append(r.lines, i)
		}
	}
	n, err := r.value(0)
	if err == nil {
		if _, more := r.dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is text after the end of the object: remove it")
		}
	}
	if err == nil {
		return &n, nil
	}
	if f, ok := errors.AsType[*textError](err); ok {
		return nil, f
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, &textError{r.line(len(data)), "the file ends in the middle: it was cut, export it again"}
	}
	return nil, &textError{r.line(int(r.dec.InputOffset())), "not JSON (" + err.Error() + "): mend the syntax or export it again"}
}

type jsonReader struct {
	data  []byte
	dec   *json.Decoder
	lines []int // offsets of the line ends
}

func (r *jsonReader) line(offset int) int {
	return sort.SearchInts(r.lines, offset) + 1
}

// start returns where the next token begins.
func (r *jsonReader) start() int {
	at := int(r.dec.InputOffset())
	for at < len(r.data) && bytes.IndexByte([]byte(" \t\r\n,:"), r.data[at]) >= 0 {
		at++
	}
	return at
}

func (r *jsonReader) value(depth int) (node, error) {
	at := r.start()
	n := node{line: r.line(at)}
	tok, err := r.dec.Token()
	if err != nil {
		return n, err
	}
	if depth > maxDepth {
		return n, &textError{n.line, fmt.Sprintf("nested deeper than %d: export it again as plain GeoJSON", maxDepth)}
	}
	switch v := tok.(type) {
	case json.Delim:
		n.kind = byte(v)
		if v == '{' {
			err = r.object(&n, depth)
		} else {
			err = r.array(&n, depth)
		}
		if err != nil {
			return n, err
		}
	case string:
		n.kind, n.text = 's', v
	case json.Number:
		n.kind, n.text = 'n', v.String()
	case bool:
		n.kind, n.yes = 'b', v
	default:
		n.kind = '0'
	}
	n.raw = r.data[at:r.dec.InputOffset()]
	return n, nil
}

func (r *jsonReader) object(n *node, depth int) error {
	for r.dec.More() {
		line := r.line(r.start())
		tok, err := r.dec.Token()
		if err != nil {
			return err
		}
		name, ok := tok.(string)
		if !ok {
			return errors.New("a member's name is no text")
		}
		value, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		for i := range n.members {
			if n.members[i].name == name {
				return &textError{line, fmt.Sprintf("%q is there twice (first on line %d): keep one", name, n.members[i].line)}
			}
		}
		if len(n.members) >= 200 {
			return &textError{line, "an object has over 200 members: remove those that are not ours"}
		}
		n.members = append(n.members, member{name, line, value})
	}
	_, err := r.dec.Token()
	return err
}

func (r *jsonReader) array(n *node, depth int) error {
	for r.dec.More() {
		value, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.items = append(n.items, value)
	}
	_, err := r.dec.Token()
	return err
}

var bom = []byte("\xef\xbb\xbf")

// checkUTF8 finds the first line that is not UTF-8.
func checkUTF8(data []byte) *textError {
	if utf8.Valid(data) && bytes.IndexByte(data, 0) < 0 {
		return nil
	}
	line := 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if (r == utf8.RuneError && size == 1) || r == 0 {
			break
		}
		if r == '\n' {
			line++
		}
		data = data[size:]
	}
	return &textError{line, "not UTF-8 text: save the file again with the encoding UTF-8"}
}
