package sandbox_test

import (
	"os"
	"testing"

	"github.com/simpang-id/simpang/internal/source/sandbox"
)

// TestMain is the process of vendors' codecs, too: it is this program itself.
func TestMain(m *testing.M) {
	sandbox.Child()
	os.Exit(m.Run())
}
