package series

import (
	"context"
	"fmt"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/simpang-id/simpang/internal/journal"
)

// ahead is what was read of a part of the archive before the answer came to it,
// or why it could not be read.
type ahead struct {
	file    file
	entries []journal.Entry
	err     error
}

// mostAhead bounds how many parts are read together.
const mostAhead = 8

// newHelpers bounds how many goroutines read beside those that ask, over all
// queries of a follower. Where none is free, who asks reads alone.
func newHelpers() chan struct{} { return make(chan struct{}, max(runtime.NumCPU()-1, 0)) }

// readAhead reads a part of the archive, and beside it those after it that the
// page needs too: each day is a file of its own, most of whose time is
// computing. A fault of those is told when the answer comes to them.
func (s *scan) readAhead(ctx context.Context, first *part) {
	first.ahead = &ahead{file: first.file}
	together := []*ahead{first.ahead}
	missing := int64(s.missing) - first.n
	for i := range s.open {
		missing -= int64(len(s.open[i].entries))
	}
	for i := len(s.parts) - 1; i >= 0 && missing > 0 && len(together) < mostAhead; i-- {
		p := &s.parts[i]
		if p.chunk == nil && !p.found {
			s.lookAhead(p)
		}
		missing -= p.n
		if p.chunk == nil && p.ahead == nil {
			p.ahead = &ahead{file: p.file}
			together = append(together, p.ahead)
		}
	}
	s.sort()
	s.readAll(ctx, together)
}

// look looks a part of the archive up in its file's map of devices; ok is false
// where it has nothing that is asked for.
func (s *scan) look(p *part) (ok bool, err error) {
	if kept := s.left[p.file]; kept != nil {
		p.minAt, p.n, p.ahead, p.found = kept[0].Reading.At, int64(len(kept)), &ahead{entries: kept}, true
		return true, nil
	}
	e, ok, err := s.f.store.Extent(p.file.date, p.file.kind, s.q.Device)
	p.minAt, p.n, p.found = e.From, e.Readings, true
	return ok && s.touches(e.From, e.To), err
}

// lookAhead looks a part up that the answer has not come to.
func (s *scan) lookAhead(p *part) {
	fresh := *p
	ok, err := s.look(&fresh)
	if ok && err == nil {
		*p = fresh
		return
	}
	p.found, p.ahead = true, &ahead{err: err}
}

// readAll reads parts, some of them at the same time.
func (s *scan) readAll(ctx context.Context, parts []*ahead) {
	var taken atomic.Int64
	work := func() {
		for i := taken.Add(1); i <= int64(len(parts)); i = taken.Add(1) {
			s.readPart(ctx, parts[i-1])
		}
	}
	var others sync.WaitGroup
	for range len(parts) - 1 {
		select {
		case s.f.helpers <- struct{}{}:
			others.Go(func() {
				defer func() { <-s.f.helpers }()
				work()
			})
			continue
		default:
		}
		break
	}
	work()
	others.Wait()
}

// readPart reads what is asked for of a part of the archive.
func (s *scan) readPart(ctx context.Context, a *ahead) {
	defer func() {
		if p := recover(); p != nil { // a helper's panic would be the program's
			a.entries, a.err = nil, fmt.Errorf("read %s of %s: %v", a.file.kind, a.file.date, p)
		}
	}()
	a.entries, a.err = s.f.store.Read(ctx, a.file.date, a.file.kind, s.q.Device, s.from, s.q.To)
	if s.q.After != nil {
		shown := sort.Search(len(a.entries), func(i int) bool { return cursorOf(&a.entries[i]).compare(*s.q.After) > 0 })
		a.entries = a.entries[shown:]
	}
}
