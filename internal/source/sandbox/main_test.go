package sandbox_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/simpang-id/simpang/internal/source/sandbox"
)

// TestMain is the sandbox's process, too: it is this program itself.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == sandbox.Command {
		if err := sandbox.Work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
