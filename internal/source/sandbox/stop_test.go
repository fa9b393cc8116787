package sandbox_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/sandbox"
	"github.com/simpang-id/simpang/internal/wire/codec"
)

// A codec with a generous limit does not hold up a stop: neither the call that
// is in a process nor the one that waits for it.
func TestAStopDoesNotWaitForAScript(t *testing.T) {
	for name, stop := range map[string]func(*sandbox.Sandbox){
		"closed": func(s *sandbox.Sandbox) { require.NoError(t, s.Close()) },
		"cut":    (*sandbox.Sandbox).Cut,
	} {
		t.Run(name, func(t *testing.T) {
			s := sandbox.New([]sandbox.Script{{Source: "function decodeUplink() { for (;;); }", Limit: time.Minute}},
				sandbox.Options{Log: slog.New(slog.DiscardHandler), Processes: 1})
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			require.Equal(t, codec.OK, s.Check(0).Failure)
			results := make(chan codec.Result)
			for range 2 {
				go func() { results <- s.Decode(0, codec.Call{}) }()
			}
			require.Eventually(t, s.Busy, 10*time.Second, time.Millisecond)
			begin := time.Now()
			stop(s)
			for range 2 {
				require.Equal(t, codec.Unserved, (<-results).Failure)
			}
			require.Less(t, time.Since(begin), 10*time.Second)
			require.Equal(t, codec.Unserved, s.Decode(0, codec.Call{}).Failure)
			require.Equal(t, codec.Unserved, s.Check(0).Failure)
		})
	}
}

// The limit of a script is its own, also right after one that may take longer.
func TestALimitIsNotThatOfTheScriptBefore(t *testing.T) {
	s := sandbox.New([]sandbox.Script{
		{Source: "function decodeUplink() { return {data: {}}; }", Limit: time.Minute},
		{Source: "function decodeUplink() { for (;;); }", Limit: 20 * time.Millisecond},
	}, sandbox.Options{Log: slog.New(slog.DiscardHandler), Processes: 1})
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.Equal(t, codec.OK, s.Decode(0, codec.Call{}).Failure)
	begin := time.Now()
	require.Equal(t, codec.Slow, s.Decode(1, codec.Call{}).Failure)
	require.Less(t, time.Since(begin), 10*time.Second, "long before the minute of the other")
}
