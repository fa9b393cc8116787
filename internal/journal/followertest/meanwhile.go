package followertest

import (
	"reflect"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// askedMeanwhile asks from other goroutines while the follower follows. Each
// answer is one that holds between two calls of Apply (Flushed: of Flush), never
// half of one and half of the next, and none goes back.
func (s *suite[F]) askedMeanwhile(t *testing.T) {
	t.Helper()
	const calls = 12
	piece := (len(s.Entries) + calls - 1) / calls
	var truth []map[string]any
	reference := s.run(t)
	for range calls + 1 {
		truth = append(truth, s.answers(t, reference.f))
		reference.apply(piece)
		reference.flush()
	}

	r := s.run(t)
	done := make(chan struct{})
	var asking sync.WaitGroup
	for name, ask := range s.Questions {
		asking.Go(func() {
			at := 0
			for last := false; !last; {
				select {
				case <-done:
					last = true
				default:
				}
				got, err := ask.answer(t.Context(), r.f)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				was := at
				for !reflect.DeepEqual(truth[at][name], got) {
					if at++; at == len(truth) {
						t.Errorf("%s: no state from the %d. on has this answer, which stood between two:\n%+v\nthat state has\n%+v\nthe next\n%+v",
							name, was, got, truth[was][name], truth[min(was+1, calls)][name])
						return
					}
				}
			}
		})
	}
	for i := range calls {
		r.apply(piece)
		if i%3 != 1 {
			r.flush()
		}
	}
	r.flush()
	close(done)
	asking.Wait()
	require.False(t, t.Failed())
	r.same()
}
