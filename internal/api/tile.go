package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
)

// tile is one item, rendered but for its age: what stands before the classes
// of a site, each class, what stands between them and the age, and the rest.
// It is immutable. A segment has no classes: all up to the age is its head.
type tile struct {
	id       string
	head     []byte   // up to the classes, or up to the age where there are none
	classes  [][]byte // one JSON object each
	mid      []byte   // from the end of the classes to the age
	tail     []byte   // after the age
	observed int64    // Unix ms, 0 never
	hash     uint64   // of all of these: the age is no part of it
	detail   []byte   // further members of the item alone, with their leading comma
	whole    uint64   // hash with the detail
	geometry []byte   // GeoJSON
	about    any      // what filters look at
}

// The places where an encoded item is cut. Neither can occur within a JSON
// string, where the quotes would be escaped.
var (
	classesMark = []byte(`"classes":[]`)
	ageMark     = []byte(`,"age_s":null`)
)

// newTile cuts an item that was encoded with no classes and no age.
func newTile(id string, item any, classes [][]byte, observed int64) *tile {
	raw := encode(item)
	t := &tile{id: id, classes: classes, observed: observed}
	before, after, ok := bytes.Cut(raw, ageMark)
	if !ok {
		panic("api: an item without age_s") // a mistake in its type
	}
	t.tail = after
	if head, mid, found := bytes.Cut(before, classesMark); found {
		t.head = append(slices.Clip(head), classesMark[:len(classesMark)-1]...)
		t.mid = append([]byte(`]`), mid...)
	} else {
		t.head = before
	}
	t.mid = append(t.mid, `,"age_s":`...)
	h := fnv.New64a()
	for _, part := range append([][]byte{t.head, t.mid, t.tail}, classes...) {
		_, _ = h.Write(part)
	}
	t.hash = h.Sum64()
	t.whole = t.hash
	return t
}

// add gives the item alone further members, with their leading comma.
func (t *tile) add(detail []byte) {
	h := fnv.New64a()
	_, _ = h.Write(strconv.AppendUint(nil, t.hash, 16))
	_, _ = h.Write(detail)
	t.detail, t.whole = detail, h.Sum64()
}

// alone writes the item with its further members as of now.
func (t *tile) alone(now int64) page {
	body := t.append(make([]byte, 0, t.size()+len(t.detail)), now, nil)
	if len(t.detail) > 0 {
		body = append(append(body[:len(body)-1], t.detail...), '}')
	}
	return page{body: body, etag: etag(t.whole)}
}

// append writes the item as of now; keep selects its classes, nil all.
func (t *tile) append(dst []byte, now int64, keep func(class int) bool) []byte {
	dst = append(dst, t.head...)
	first := true
	for i, class := range t.classes {
		if keep != nil && !keep(i) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, class...)
	}
	dst = append(dst, t.mid...)
	if t.observed == 0 {
		dst = append(dst, "null"...)
	} else {
		dst = strconv.AppendInt(dst, ageS(t.observed, now), 10)
	}
	return append(dst, t.tail...)
}

// size is a little more than what append will add.
func (t *tile) size() int {
	n := len(t.head) + len(t.mid) + len(t.tail) + 24
	for _, class := range t.classes {
		n += len(class) + 1
	}
	return n
}

// encode writes one value as JSON. Our own types cannot fail to encode.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("api: cannot encode %T: %v", v, err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
