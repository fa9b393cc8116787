package powercut

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
)

// kind says what an operation does.
type kind uint8

const (
	opCreate   kind = iota // path is bound to the new file
	opWrite                // b at off
	opTruncate             // to off bytes
	opSync                 // of a file
	opUnlink               // of path
	opSyncDir              // of the folder path
)

// op is one operation on the disk.
type op struct {
	kind kind
	file int // 1, 2, 3 ... in the order of creation
	path string
	off  int64
	b    []byte
}

// media is what the disk holds: what is read now, and what a power cut may
// leave of it.
type media struct {
	files map[int]*file
	names map[string]*name
}

// file is one file's content; it may have no name any more.
type file struct {
	now     []byte // as it is read
	safe    []byte // as it was at the last sync
	pending []op   // writes and truncations since
}

// name is which file a path stands for, 0 for none.
type name struct {
	safe    int   // at the last sync of its folder
	pending []int // since
}

func (n *name) now() int {
	if len(n.pending) > 0 {
		return n.pending[len(n.pending)-1]
	}
	return n.safe
}

func newMedia() *media {
	return &media{files: map[int]*file{}, names: map[string]*name{}}
}

// clone copies a media, so that one may be changed beside the other.
func (m *media) clone() *media {
	c := newMedia()
	for id, f := range m.files {
		c.files[id] = &file{now: slices.Clone(f.now), safe: slices.Clone(f.safe), pending: slices.Clone(f.pending)}
	}
	for path, n := range m.names {
		c.names[path] = &name{safe: n.safe, pending: slices.Clone(n.pending)}
	}
	return c
}

// find returns the file that a path stands for now, 0 for none.
func (m *media) find(path string) int {
	if n := m.names[path]; n != nil {
		return n.now()
	}
	return 0
}

// bind makes a path stand for a file, durably.
func (m *media) bind(path string, id int, content []byte) {
	if id != 0 && m.files[id] == nil {
		m.files[id] = &file{now: content, safe: slices.Clone(content)}
	}
	m.names[path] = &name{safe: id}
}

func (m *media) apply(o *op) {
	switch o.kind {
	case opCreate:
		m.files[o.file] = &file{}
		m.rename(o.path, o.file)
	case opUnlink:
		m.rename(o.path, 0)
	case opSyncDir:
		for path, n := range m.names {
			if filepath.Dir(path) == o.path {
				n.safe, n.pending = n.now(), n.pending[:0]
			}
		}
	case opSync:
		f := m.files[o.file]
		for i := range f.pending {
			f.safe = f.pending[i].on(f.safe)
		}
		f.pending = nil
	case opWrite, opTruncate:
		f := m.files[o.file]
		f.now = o.on(f.now)
		f.pending = append(f.pending, *o)
	}
}

func (m *media) rename(path string, id int) {
	n := m.names[path]
	if n == nil {
		n = &name{}
		m.names[path] = n
	}
	n.pending = append(n.pending, id)
}

// on returns what a write or a truncation makes of a content.
func (o *op) on(content []byte) []byte {
	if o.kind == opTruncate {
		return resize(content, o.off)
	}
	return put(content, o.off, o.b)
}

func put(content []byte, off int64, b []byte) []byte {
	if end := off + int64(len(b)); end > int64(len(content)) {
		content = resize(content, end)
	}
	copy(content[off:], b)
	return content
}

// resize cuts a content, or makes it longer by zeros.
func resize(content []byte, size int64) []byte {
	if size <= int64(len(content)) {
		return content[:size]
	}
	n := len(content)
	content = slices.Grow(content, int(size)-n)[:size]
	clear(content[n:])
	return content
}

// image is what a power cut leaves: contents by path, nil for no file.
type image map[string][]byte

// cut returns what survives where the power is lost during an operation (nil:
// between two). The media stays as it is.
func (m *media) cut(r *rand.Rand, during *op) image {
	out := image{}
	var inFlight name
	if during != nil && (during.kind == opCreate || during.kind == opUnlink) {
		inFlight.pending = []int{during.file} // 0 for an unlink
		if m.names[during.path] == nil {
			out[during.path] = nil
		}
	}
	lost := map[int][]byte{}
	for _, path := range slices.SortedFunc(maps.Keys(m.names), cmp.Compare[string]) {
		n := m.names[path]
		may := append([]int{n.safe}, n.pending...)
		if during != nil && during.path == path {
			may = append(may, inFlight.pending...)
		}
		id := may[r.IntN(len(may))]
		switch f := m.files[id]; {
		case id == 0:
			out[path] = nil
		case f == nil: // made just now
			out[path] = []byte{}
		default:
			if lost[id] == nil {
				var last *op
				if during != nil && during.file == id && (during.kind == opWrite || during.kind == opTruncate) {
					last = during
				}
				lost[id] = f.cut(r, last)
			}
			out[path] = lost[id]
		}
	}
	return out
}

// cut returns what survives of a content.
func (f *file) cut(r *rand.Rand, last *op) []byte {
	content := append([]byte{}, f.safe...)
	pending := f.pending
	switch r.IntN(4) {
	case 0: // nothing got there
		return content
	case 1: // all of it, and the begin of what was under way
	case 2: // some, in order
		n := len(pending)
		if last != nil {
			n++
		}
		if n == 0 {
			return content
		}
		if at := r.IntN(n); at < len(pending) {
			pending, last = pending[:at], &pending[at]
		}
	case 3: // some sectors of each, in no order
		return f.scatter(r, content, last)
	}
	for i := range pending {
		content = pending[i].on(content)
	}
	return tear(r, content, last)
}

// tear does the begin of an operation.
func tear(r *rand.Rand, content []byte, last *op) []byte {
	switch {
	case last == nil:
	case last.kind == opTruncate:
		if r.IntN(2) == 0 {
			return last.on(content)
		}
	default:
		return put(content, last.off, last.b[:r.IntN(len(last.b)+1)])
	}
	return content
}

// scatter does a part of the operations, sector by sector.
func (f *file) scatter(r *rand.Rand, content []byte, last *op) []byte {
	sector := int64(512)
	if r.IntN(2) == 0 {
		sector = 4096
	}
	likely := 1 + r.IntN(3) // of four
	for i := range f.pending {
		o := &f.pending[i]
		if o.kind == opTruncate {
			if r.IntN(4) < likely {
				content = o.on(content)
			}
			continue
		}
		for off, b := o.off, o.b; len(b) > 0; {
			n := min(sector-off%sector, int64(len(b)))
			if r.IntN(4) < likely {
				content = put(content, off, b[:n])
			}
			off, b = off+n, b[n:]
		}
	}
	return tear(r, content, last)
}
