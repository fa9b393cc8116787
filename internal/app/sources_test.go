package app

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source"
)

// failing is a source whose first runs fail.
type failing struct {
	runs atomic.Int32
	bad  int32
}

func (f *failing) Status() source.Status { return source.Status{ID: "f"} }

func (f *failing) Run(ctx context.Context) error {
	if f.runs.Add(1) <= f.bad {
		return errors.New("the port is gone")
	}
	<-ctx.Done()
	return nil
}

// A source that stops is run again, with longer waits; readyz tells why until
// it runs.
func TestASourceThatStoppedIsRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, ended := &failing{bad: 4}, &ending{}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			keepRunning(ctx, f, ended, slog.New(slog.DiscardHandler))
			close(done)
		}()
		for n, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
			synctest.Wait()
			require.Equal(t, int32(n+1), f.runs.Load())
			_, problem := describe(startedSource{Source: f, since: time.Now(), fault: ended.fault}, time.Now(), time.UTC)
			require.Contains(t, problem, "the port is gone")
			time.Sleep(wait)
		}
		synctest.Wait()
		require.Equal(t, int32(5), f.runs.Load())
		require.NotEmpty(t, ended.fault(), "it may stop again at once")
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Empty(t, ended.fault())
		stop()
		<-done
	})
}
