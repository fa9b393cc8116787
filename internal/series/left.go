package series

import (
	"slices"
	"sync"

	"github.com/simpang-id/simpang/internal/journal"
)

// file names a file of the archive.
type file struct{ date, kind string }

// leftover is what a page read of archived days and did not show: the next page
// begins with it, and need not read those days again.
type leftover struct {
	device string
	after  Cursor // where the page ended
	to     int64
	mask   uint8
	of     map[file][]journal.Entry
}

// How many leftovers are kept, and how many entries each has at most.
const (
	mostLeftovers = 8
	mostLeft      = 2048
)

// leftovers are those of the newest pages.
type leftovers struct {
	mu   sync.Mutex
	list []leftover
}

// keep keeps what a page has left.
func (l *leftovers) keep(x leftover) {
	n := 0
	for _, entries := range x.of {
		n += len(entries)
	}
	if n == 0 || n > mostLeft {
		return
	}
	for name, entries := range x.of {
		x.of[name] = slices.Clone(entries) // the day may be far longer
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == mostLeftovers {
		l.list = slices.Delete(l.list, 0, 1)
	}
	l.list = append(l.list, x)
}

// take gives out what the page before has left, once.
func (l *leftovers) take(q *Query, mask uint8) map[file][]journal.Entry {
	if q.After == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.list {
		if x := &l.list[i]; x.device == q.Device && x.after == *q.After && x.to == q.To && x.mask == mask {
			of := x.of
			l.list = slices.Delete(l.list, i, i+1)
			return of
		}
	}
	return nil
}
