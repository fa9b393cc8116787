package api

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// The topics of the stream and the names of their events.
const (
	topicParking = "parking"
	topicTraffic = "traffic"
)

var eventOf = map[string]string{topicParking: "site", topicTraffic: "segment"}

// change is the newest change of one item.
type change struct {
	n    uint64
	tile *tile
}

// lane is the items of one topic with the number of their newest change, in
// the order of these numbers. An item's older changes are not kept: who was
// away gets what is so now.
type lane []change

// after returns the changes after number n.
func (l lane) after(n uint64) lane {
	from, _ := slices.BinarySearchFunc(l, n+1, func(c change, n uint64) int { return cmp.Compare(c.n, n) })
	return l[from:]
}

// hub numbers what changes, so that streams resume where they broke off.
// Streams read from it at their own pace; none is ever waited for, and what is
// kept for them is no more than the items.
type hub struct {
	epoch string

	mu      sync.Mutex
	n       uint64 // number of the newest change
	reset   uint64 // who is before this begins anew: an item vanished
	at      int64  // when the newest board was rendered, Unix ms
	lanes   map[string]lane
	news    chan struct{} // closed when something was published
	closed  chan struct{}
	ended   bool
	streams int
	most    int
	byAddr  map[string]int
	refused uint64 // streams
	cut     uint64 // streams whose client did not read
}

func newHub(epoch string, most int) *hub {
	return &hub{
		epoch: epoch, most: most, lanes: map[string]lane{}, byAddr: map[string]int{},
		news: make(chan struct{}), closed: make(chan struct{}),
	}
}

// publish numbers every item that differs from the old board.
func (h *hub) publish(b, old *board) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.n
	h.at = b.at
	h.lanes[topicParking] = h.renew(h.lanes[topicParking], &b.sites, &old.sites)
	h.lanes[topicTraffic] = h.renew(h.lanes[topicTraffic], &b.segments, &old.segments)
	if h.n != before {
		close(h.news)
		h.news = make(chan struct{})
	}
}

// renew returns a lane with the new board's tiles: what has not changed keeps
// its number and place, what has gets new numbers at the end. The old lane is
// left as it is: streams may be reading it.
func (h *hub) renew(l lane, now, old *shelf) lane {
	next := make(lane, 0, len(now.tiles))
	for _, c := range l {
		switch t := now.at(c.tile.id); {
		case t == nil:
			h.n++
			h.reset = h.n
		case t.hash == c.tile.hash:
			next = append(next, change{c.n, t})
		}
	}
	for _, t := range now.tiles {
		if was := old.at(t.id); was == nil || was.hash != t.hash {
			h.n++
			next = append(next, change{h.n, t})
		}
	}
	return next
}

// frame writes change i of a batch as the stream sends it. Each carries the
// number of its own item, so that a stream that breaks off within a batch
// resumes without loss; who has the last one has all.
func (h *hub) frame(dst []byte, b *batch, i int) []byte {
	n := b.changes[i].n
	if i == len(b.changes)-1 {
		n = b.n
	}
	dst = append(dst, "event: "...)
	dst = append(dst, eventOf[b.topics[i]]...)
	dst = append(dst, "\nid: "...)
	dst = append(dst, h.epoch...)
	dst = append(dst, '-')
	dst = strconv.AppendUint(dst, n, 10)
	dst = append(dst, "\ndata: "...)
	dst = b.changes[i].tile.append(dst, b.at, nil)
	return append(dst, "\n\n"...)
}

// batch is what a stream is to send: changes in the order of their numbers.
type batch struct {
	topics  []string // of each change
	changes lane
	at      int64           // when they were rendered, Unix ms
	n       uint64          // the number to go on from
	news    <-chan struct{} // closed when there is more
}

// after returns the changes of the topics after number n; after 0 these are
// all items. False: the number is none of this process, or an item has
// vanished since: begin anew.
func (h *hub) after(topics []string, n uint64) (batch, bool) {
	h.mu.Lock()
	b := batch{at: h.at, n: h.n, news: h.news}
	known := n == 0 || n <= h.n && n >= h.reset
	lanes := make([]lane, len(topics))
	for i, topic := range topics {
		lanes[i] = h.lanes[topic].after(n)
	}
	h.mu.Unlock()
	for i := first(lanes); i >= 0; i = first(lanes) {
		b.topics = append(b.topics, topics[i])
		b.changes = append(b.changes, lanes[i][0])
		lanes[i] = lanes[i][1:]
	}
	return b, known
}

// first returns the index of the lane that begins with the lowest number, -1
// where all are empty.
func first(lanes []lane) int {
	found := -1
	for i, l := range lanes {
		if len(l) > 0 && (found < 0 || l[0].n < lanes[found][0].n) {
			found = i
		}
	}
	return found
}

// number reads an event's id; false where it is none of this process.
func (h *hub) number(id string) (uint64, bool) {
	epoch, number, ok := strings.Cut(id, "-")
	if !ok || epoch != h.epoch {
		return 0, false
	}
	n, err := strconv.ParseUint(number, 10, 64)
	return n, err == nil
}

// perAddress is how many streams one address may have of the whole.
const perAddress = 10

// enter counts a stream in; leave must be called once.
func (h *hub) enter(addr string) (leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended || h.streams >= h.most || h.byAddr[addr] >= max(1, h.most/perAddress) {
		h.refused++
		return nil, fmt.Errorf("%d streams are open, %d of them from %s", h.streams, h.byAddr[addr], addr)
	}
	h.streams++
	h.byAddr[addr]++
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.streams--
		if h.byAddr[addr]--; h.byAddr[addr] == 0 {
			delete(h.byAddr, addr)
		}
	}, nil
}

// close ends every stream; it may be called again.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.ended = true
		close(h.closed)
	}
}

// counts returns how many streams are open, and how many were refused and cut.
func (h *hub) counts() (open int, refused, cut uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.streams, h.refused, h.cut
}

// slow notes a stream that is cut because its client does not read.
func (h *hub) slow() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cut++
}
