package certificate_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain: when all tests have ended, no goroutine is left.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
