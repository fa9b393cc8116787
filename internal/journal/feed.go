package journal

import (
	"context"
	"sort"
	"sync"
)

// defaultRing is how many entries a Feed keeps in memory.
const defaultRing = 1 << 14

// Feed hands committed batches on in memory. All followers share the same
// entries; one who lags behind the ring reads the disk. Any number of
// goroutines may call Next; one publishes.
type Feed struct {
	j     *Journal
	limit int

	mu      sync.Mutex
	ring    [][]Entry // batches without holes between them, oldest first
	held    int       // entries in ring
	head    uint64    // last position published, or the journal's at the start
	changed chan struct{}
}

// NewFeed returns a feed of what is published from now on; limit is the
// number of entries that it keeps, 0 for the default (16,384).
func NewFeed(j *Journal, limit int) *Feed {
	if limit <= 0 {
		limit = defaultRing
	}
	return &Feed{j: j, limit: limit, head: j.Head(), changed: make(chan struct{})}
}

// Publish hands on entries that Append has just committed. The feed keeps the
// slice: the caller must not use it again. Where an entry lies between the
// last ones and these (the journal's own TypeDay), followers read it from the
// disk.
func (f *Feed) Publish(entries []Entry) {
	if len(entries) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if entries[0].Pos != f.head+1 {
		clear(f.ring)
		f.ring, f.held = f.ring[:0], 0
	}
	f.ring = append(f.ring, entries)
	f.held += len(entries)
	drop := 0
	for f.held > f.limit && drop < len(f.ring)-1 {
		f.held -= len(f.ring[drop])
		drop++
	}
	if drop > 0 {
		n := copy(f.ring, f.ring[drop:])
		clear(f.ring[n:])
		f.ring = f.ring[:n]
	}
	f.head = entries[len(entries)-1].Pos
	close(f.changed)
	f.changed = make(chan struct{})
}

// Head returns the last position that was handed on.
func (f *Feed) Head() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.head
}

// Held returns how many entries are kept in memory for followers, and how many
// may be.
func (f *Feed) Held() (entries, capacity int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.held, f.limit
}

// Next returns the entries that follow a position: the rest of one published
// batch, or what the disk has for one who lags. It blocks until there are any
// or ctx ends. A cursor beyond the journal's head is a *BeyondHeadError. The
// entries are shared: nobody changes them.
func (f *Feed) Next(ctx context.Context, after uint64) ([]Entry, error) {
	for {
		f.mu.Lock()
		head, changed := f.head, f.changed
		found := f.find(after)
		f.mu.Unlock()
		switch {
		case found != nil:
			return found, nil
		case after < head:
			return f.j.Read(ctx, after, batchLimit)
		case after > head && after > f.j.Head():
			return nil, &BeyondHeadError{Cursor: after, Head: head}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// find returns the rest of the batch in which after+1 lies, nil where the ring
// does not have it.
func (f *Feed) find(after uint64) []Entry {
	at := sort.Search(len(f.ring), func(i int) bool { return f.ring[i][len(f.ring[i])-1].Pos > after })
	if at == len(f.ring) || f.ring[at][0].Pos > after+1 {
		return nil
	}
	return f.ring[at][after+1-f.ring[at][0].Pos:]
}
