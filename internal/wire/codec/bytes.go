package codec

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// The bytes of a value: a tag, and what belongs to it. Lengths and counts are
// varints.
const (
	tagNull   = 'n'
	tagFalse  = 'f'
	tagTrue   = 't'
	tagNumber = 'd' // 8 bytes, little endian
	tagText   = 's' // length, bytes
	tagList   = 'a' // count, values
	tagObject = 'o' // count, name and value each
)

var errBytes = errors.New("codec: these are no bytes of a result")

// Append appends the bytes of a result, which Parse reads.
func (r *Result) Append(b []byte) []byte {
	b = append(b, byte(r.Failure))
	b = binary.AppendUvarint(b, uint64(r.Line))
	b = binary.AppendUvarint(b, uint64(max(r.Used, 0)))
	b = appendText(b, r.Text)
	b = appendTexts(b, r.Warnings)
	b = appendTexts(b, r.Errors)
	if r.Data == nil {
		return append(b, tagNull)
	}
	return appendValue(b, r.Data)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTexts(b []byte, texts []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(texts)))
	for _, s := range texts {
		b = appendText(b, s)
	}
	return b
}

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(b, tagTrue)
		}
		return append(b, tagFalse)
	case float64:
		return binary.LittleEndian.AppendUint64(append(b, tagNumber), math.Float64bits(v))
	case string:
		return appendText(append(b, tagText), v)
	case []any:
		b = binary.AppendUvarint(append(b, tagList), uint64(len(v)))
		for _, item := range v {
			b = appendValue(b, item)
		}
		return b
	case map[string]any:
		b = binary.AppendUvarint(append(b, tagObject), uint64(len(v)))
		for name, item := range v {
			b = appendValue(appendText(b, name), item)
		}
		return b
	}
	return append(b, tagNull)
}

// Parse reads a result. What is no result, or beyond the bounds of one, is an
// error.
func Parse(b []byte) (Result, error) {
	p := &reader{b: b}
	r := Result{Failure: Failure(p.byte())}
	r.Line = int(min(p.uvarint(), math.MaxInt32))
	r.Used = time.Duration(min(p.uvarint(), math.MaxInt64))
	r.Text = p.text()
	r.Warnings, r.Errors = p.texts(), p.texts()
	r.Data, _ = p.value(0).(map[string]any)
	if p.bad || len(p.b) > 0 || r.Failure > Crashed || r.Failure == OK && r.Data == nil && len(r.Errors) == 0 {
		return Result{}, errBytes
	}
	return r, nil
}

type reader struct {
	b   []byte
	bad bool
}

func (p *reader) byte() byte {
	if len(p.b) == 0 {
		p.bad = true
		return 0
	}
	first := p.b[0]
	p.b = p.b[1:]
	return first
}

func (p *reader) uvarint() uint64 {
	n, size := binary.Uvarint(p.b)
	if size <= 0 {
		p.bad, p.b = true, nil
		return 0
	}
	p.b = p.b[size:]
	return n
}

// count reads how many things follow, of a byte at least each.
func (p *reader) count() int {
	n := p.uvarint()
	if n > uint64(len(p.b)) {
		p.bad, p.b = true, nil
		return 0
	}
	return int(n)
}

func (p *reader) text() string {
	n := p.count()
	s := string(p.b[:n])
	p.b = p.b[n:]
	return s
}

func (p *reader) texts() (texts []string) {
	for range p.count() {
		if texts = append(texts, p.text()); p.bad {
			return nil
		}
	}
	return texts
}

func (p *reader) value(depth int) any {
	if p.bad || depth > maxDepth {
		p.bad = true
		return nil
	}
	switch p.byte() {
	case tagNull:
		return nil
	case tagFalse:
		return false
	case tagTrue:
		return true
	case tagNumber:
		if len(p.b) < 8 {
			p.bad = true
			return nil
		}
		f := math.Float64frombits(binary.LittleEndian.Uint64(p.b))
		p.b = p.b[8:]
		p.bad = p.bad || math.IsNaN(f) || math.IsInf(f, 0)
		return f
	case tagText:
		return p.text()
	case tagList:
		n := p.count()
		list := make([]any, 0, min(n, 64))
		for range n {
			if list = append(list, p.value(depth+1)); p.bad {
				return nil
			}
		}
		return list
	case tagObject:
		n := p.count()
		object := make(map[string]any, min(n, 64))
		for range n {
			name := p.text()
			if object[name] = p.value(depth + 1); p.bad {
				return nil
			}
		}
		return object
	}
	p.bad = true
	return nil
}
