package open311

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of an answer that is read; its bytes are bounded by who fetched it.
const (
	maxNodes = 200_000
	maxDepth = 24
	maxText  = 64 << 10 // bytes of one text
)

// errAnswer begins every error of reading.
var errAnswer = errors.New("the answer is no Open311")

// node is one value of an answer, JSON or XML alike: a text, or what it holds.
// Members have names, elements of a JSON array have none.
type node struct {
	name string
	text string
	kids []node
	list bool // a JSON array
	leaf bool // a text, number, word or null
}

// parse reads an answer by what it is, whatever its Content-Type says.
func parse(body []byte) (*node, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if len(body) == 0 {
		return nil, fmt.Errorf("%w: it is empty", errAnswer)
	}
	budget := maxNodes
	if body[0] == '<' {
		return parseXML(body, &budget)
	}
	if !utf8.Valid(body) {
		return nil, fmt.Errorf("%w: it is not UTF-8", errAnswer)
	}
	d := json.NewDecoder(bytes.NewReader(quoteNumbers(body)))
	n, err := parseJSON(d, 0, &budget)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errAnswer, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows its end", errAnswer)
	}
	return n, nil
}

// quoteNumbers makes texts of the bare numbers of a JSON text, so that an id is
// kept to the digit and a code like 001, which JSON does not have, is read.
func quoteNumbers(body []byte) []byte {
	out := make([]byte, 0, len(body)+len(body)/8)
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch {
		case c == '"':
			from := i
			for i++; i < len(body) && body[i] != '"'; i++ {
				if body[i] == '\\' {
					i++
				}
			}
			out = append(out, body[from:min(i+1, len(body))]...)
		case c == '-' || (c >= '0' && c <= '9'):
			from := i
			for i < len(body) && bytes.IndexByte([]byte("+-.0123456789eE"), body[i]) >= 0 {
				i++
			}
			out = append(append(append(out, '"'), body[from:i]...), '"')
			i--
		default:
			out = append(out, c)
		}
	}
	return out
}

func parseJSON(d *json.Decoder, depth int, budget *int) (*node, error) {
	if *budget--; *budget < 0 || depth > maxDepth {
		return nil, errors.New("it holds too much")
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := t.(type) {
	case json.Delim:
		n := &node{list: v == '['}
		for d.More() {
			name := ""
			if !n.list {
				key, err := d.Token()
				if err != nil {
					return nil, err
				}
				name, _ = key.(string)
			}
			kid, err := parseJSON(d, depth+1, budget)
			if err != nil {
				return nil, err
			}
			kid.name = name
			n.kids = append(n.kids, *kid)
		}
		_, err := d.Token() // its end
		return n, err
	case string:
		return &node{leaf: true, text: cutBytes(v)}, nil
	case bool:
		return &node{leaf: true, text: strconv.FormatBool(v)}, nil
	}
	return &node{leaf: true}, nil
}

func parseXML(body []byte, budget *int) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = latin
	stack := []*node{{}}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errAnswer, err)
		}
		top := stack[len(stack)-1]
		switch v := t.(type) {
		case xml.StartElement:
			if *budget--; *budget < 0 || len(stack) > maxDepth {
				return nil, fmt.Errorf("%w: it holds too much", errAnswer)
			}
			stack = append(stack, &node{name: v.Name.Local})
		case xml.EndElement:
			top.text = cutBytes(strings.TrimSpace(top.text))
			top.leaf = len(top.kids) == 0
			stack = stack[:len(stack)-1]
			under := stack[len(stack)-1]
			under.kids = append(under.kids, *top)
		case xml.CharData:
			if len(top.text) < maxText {
				top.text += string(v)
			}
		}
	}
	if len(stack) != 1 || len(stack[0].kids) != 1 {
		return nil, fmt.Errorf("%w: it has no one root", errAnswer)
	}
	return &stack[0].kids[0], nil
}

// latin reads the charsets that older servers declare.
func latin(charset string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "utf-8", "us-ascii":
		return in, nil
	case "iso-8859-1", "latin1":
		raw, err := io.ReadAll(in)
		if err != nil {
			return nil, err
		}
		var b strings.Builder
		for _, c := range raw {
			b.WriteRune(rune(c))
		}
		return strings.NewReader(b.String()), nil
	}
	return nil, fmt.Errorf("charset %q is not read", cutBytes(charset))
}

func cutBytes(text string) string {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	return text
}

// find returns a member, nil where there is none.
func (n *node) find(name string) *node {
	for i := range n.kids {
		if n.kids[i].name == name {
			return &n.kids[i]
		}
	}
	return nil
}

// get returns the text of a member, clean; "" where there is none.
func (n *node) get(name string) string {
	if kid := n.find(name); kid != nil && kid.leaf {
		return Clean(kid.text)
	}
	return ""
}

// records returns the records of an answer: the elements of an array or of the
// root, of the one array or element that wraps them, or the object itself where
// it has one of these members. false: it is none of that.
func (n *node) records(members ...string) ([]*node, bool) {
	if n.list {
		return pointers(n.kids), true
	}
	for _, member := range members {
		if kid := n.find(member); kid != nil && kid.leaf {
			return []*node{n}, true
		}
	}
	var inner []*node
	for i := range n.kids {
		if n.kids[i].list {
			return pointers(n.kids[i].kids), true
		}
		if !n.kids[i].leaf {
			inner = append(inner, &n.kids[i])
		}
	}
	if len(inner) == 1 && !slices.ContainsFunc(members, func(m string) bool { return inner[0].find(m) != nil }) {
		return inner[0].records(members...)
	}
	empty := n.name != "" && n.leaf && n.text == "" // <service_requests/>
	return inner, len(inner) > 0 || empty
}

func pointers(list []node) []*node {
	out := make([]*node, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}
