package intake

import (
	"context"
	"errors"
	"sync"

	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/source"
)

// ErrClosed says that the gateway stops and takes nothing more.
var ErrClosed = errors.New("intake is closed")

// Item is one thing in the queue: a source's message, or a command of the
// gateway itself.
type Item struct {
	Message source.Message
	Command *Command // nil: a message
}

// Command is something that the gateway appends itself: ticks, closures,
// versions of the inventory, and retries from quarantine.
type Command struct {
	Entries []journal.Entry // Pos and Recv are set by intake
	Retry   *journal.Item   // a quarantined item to take up again
	// Done is called once with the first position and the verdict of a retry.
	Done func(first uint64, verdict Verdict, err error)
}

// Queue is the bounded queue before the gate. What has come while the last
// commit ran is taken as the next batch; a full queue blocks its sources.
type Queue struct {
	maxItems int
	maxBytes int

	mu     sync.Mutex
	items  []Item
	bytes  int
	closed bool
	space  chan struct{} // closed and renewed whenever room was made
	ready  chan struct{} // capacity 1
}

// NewQueue returns a queue of at most maxItems messages and maxBytes of
// payload.
func NewQueue(maxItems, maxBytes int) *Queue {
	return &Queue{maxItems: maxItems, maxBytes: maxBytes, space: make(chan struct{}), ready: make(chan struct{}, 1)}
}

var _ source.Sink = (*Queue)(nil)

// Offer puts a message into the queue and blocks while there is no room.
func (q *Queue) Offer(ctx context.Context, m source.Message) error {
	return q.put(ctx, Item{Message: m})
}

// Do puts a command into the queue.
func (q *Queue) Do(ctx context.Context, c *Command) error {
	return q.put(ctx, Item{Command: c})
}

func (q *Queue) put(ctx context.Context, item Item) error {
	size := sizeOf(&item)
	for {
		q.mu.Lock()
		if q.closed {
			q.mu.Unlock()
			return ErrClosed
		}
		if len(q.items) == 0 || (len(q.items) < q.maxItems && q.bytes+size <= q.maxBytes) {
			q.items = append(q.items, item)
			q.bytes += size
			q.mu.Unlock()
			select {
			case q.ready <- struct{}{}:
			default:
			}
			return nil
		}
		space := q.space
		q.mu.Unlock()
		select {
		case <-space:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sizeOf estimates what an item holds in memory, in bytes: an array of many
// small elements is far larger decoded than sent.
func sizeOf(item *Item) int {
	const fixed, reading, refusal, line = 256, 384, 256, 512
	if c := item.Command; c != nil {
		size := fixed
		for i := range c.Entries {
			if act := c.Entries[i].Act; act != nil {
				size += line * len(act.Lines)
			}
		}
		return size
	}
	m := &item.Message
	return fixed + 2*len(m.Payload) + reading*len(m.Decoded.Readings) + refusal*len(m.Decoded.Refused)
}

// Take waits for items and moves all of them to the end of into[:0].
func (q *Queue) Take(ctx context.Context, into []Item) ([]Item, error) {
	for {
		q.mu.Lock()
		if len(q.items) > 0 {
			into, q.items = q.items, into[:0]
			q.bytes = 0
			close(q.space)
			q.space = make(chan struct{})
			q.mu.Unlock()
			return into, nil
		}
		closed := q.closed
		q.mu.Unlock()
		if closed {
			return nil, ErrClosed
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Len returns the number of items that wait.
func (q *Queue) Len() int {
	items, _ := q.Held()
	return items
}

// Held returns how many items wait, and the bytes of memory that they take.
func (q *Queue) Held() (items, bytes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items), q.bytes
}

// Capacity returns the most that may wait.
func (q *Queue) Capacity() (items, bytes int) { return q.maxItems, q.maxBytes }

// Close takes nothing more; what waits can still be taken.
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.closed = true
	close(q.space)
	q.space = make(chan struct{})
	select {
	case q.ready <- struct{}{}:
	default:
	}
}
