package mqttwire

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// A client that sends and does not read what it is answered is not read any
// more; it goes on where the answers go out, and its end ends the wait.
func TestAClientThatDoesNotReadIsNotRead(t *testing.T) {
	const many = 100_000
	for name, send := range map[string]func(a *Acks) bool{
		"sent again": func(a *Acks) bool { return a.Pubrec(7) },
		"released":   func(a *Acks) bool { return a.Pubcomp(7) },
		"published": func(a *Acks) bool {
			seq, ok := a.Reserve(Slot{ID: 7, QoS: 1})
			if ok {
				a.Finish(seq, true)
			}
			return ok
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var a Acks
				a.Init(16, func() {}) // nobody writes but this test
				sent := 0
				go func() {
					for sent < many && send(&a) {
						sent++
					}
				}()
				wrote := 0
				for range 3 {
					synctest.Wait()
					out := a.Take(nil)
					require.Len(t, out, maxOut)
					wrote += len(out)
				}
				synctest.Wait()
				require.Equal(t, wrote+maxOut, 4*sent)
				a.Close()
				synctest.Wait()
				require.Less(t, sent, many)
			})
		})
	}
}
