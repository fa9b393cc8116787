package app_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/simpang-id/simpang/internal/outbox/peertest"
	"github.com/simpang-id/simpang/internal/source/sandbox"
)

// TestMain runs the city's complaint system, or vendors' codecs, where this process
// was started to. When all tests have ended, no goroutine is left.
func TestMain(m *testing.M) {
	peertest.Child()
	sandbox.Child()
	goleak.VerifyTestMain(m)
}
