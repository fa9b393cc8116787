package serial

import (
	"context"
	"sync"
)

type answerState uint8

const (
	waiting answerState = iota
	committed
	notTaken
)

// answer is one sentence in flight to the sink.
type answer struct {
	ack   []byte // nil: it is not answered
	state answerState
}

// answers keeps the sentences of one line in the order in which they came and
// gives their ACK sentences out in that order.
type answers struct {
	mu    sync.Mutex
	queue []*answer // oldest first
	out   []byte    // to be written
	busy  bool      // something is being written
	ready chan struct{}
	moved chan struct{} // something was finished or written
}

func newAnswers() *answers {
	return &answers{ready: make(chan struct{}, 1), moved: make(chan struct{}, 1)}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// add takes the next place for a sentence.
func (a *answers) add(ack []byte) *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &answer{ack: ack}
	a.queue = append(a.queue, s)
	return s
}

// finish tells what became of a sentence. ok is false where that was told
// before; acked counts the answers that can be written by now.
func (a *answers) finish(s *answer, done bool) (acked int, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.state != waiting {
		return 0, false
	}
	s.state = notTaken
	if done {
		s.state = committed
	}
	for len(a.queue) > 0 && a.queue[0].state != waiting {
		first := a.queue[0]
		a.queue[0] = nil
		a.queue = a.queue[1:]
		if first.state == committed && first.ack != nil {
			a.out = append(a.out, first.ack...)
			acked++
		}
	}
	if len(a.out) > 0 {
		signal(a.ready)
	}
	signal(a.moved)
	return acked, true
}

// take returns what is to be written; written is called when it is.
func (a *answers) take() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := a.out
	a.out, a.busy = nil, len(out) > 0
	return out
}

func (a *answers) written() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.busy = false
	signal(a.moved)
}

// drain waits until nothing is in flight and all is written, or ctx ends.
func (a *answers) drain(ctx context.Context) {
	for {
		a.mu.Lock()
		idle := len(a.queue) == 0 && len(a.out) == 0 && !a.busy
		a.mu.Unlock()
		if idle {
			return
		}
		select {
		case <-a.moved:
		case <-ctx.Done():
			return
		}
	}
}
