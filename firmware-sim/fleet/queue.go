package fleet

import "container/heap"

// queue gives what is due first; of two that are due at once the one that was
// put in first.
type queue[T any] struct {
	items items[T]
	n     uint64
}

type item[T any] struct {
	at int64
	n  uint64
	v  T
}

func (q *queue[T]) push(at int64, v T) {
	q.n++
	heap.Push(&q.items, item[T]{at, q.n, v})
}

func (q *queue[T]) peek() (at int64, ok bool) {
	if len(q.items) == 0 {
		return 0, false
	}
	return q.items[0].at, true
}

func (q *queue[T]) pop() (at int64, v T) {
	i, _ := heap.Pop(&q.items).(item[T])
	return i.at, i.v
}

// items is the heap of a queue.
type items[T any] []item[T]

func (h items[T]) Len() int { return len(h) }

func (h items[T]) Less(i, j int) bool {
	return h[i].at < h[j].at || (h[i].at == h[j].at && h[i].n < h[j].n)
}

func (h items[T]) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push is for container/heap.
func (h *items[T]) Push(v any) {
	i, _ := v.(item[T])
	*h = append(*h, i)
}

// Pop is for container/heap.
func (h *items[T]) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = item[T]{}
	*h = old[:len(old)-1]
	return last
}
