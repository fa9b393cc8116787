package app_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/simpang-id/simpang/internal/outbox/peertest"
)

// TestMain runs the city's complaint system where this process was started to
// be one. When all tests have ended, no goroutine is left.
func TestMain(m *testing.M) {
	peertest.Child()
	goleak.VerifyTestMain(m)
}
