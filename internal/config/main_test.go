package config_test

import (
	"os"
	"testing"

	"github.com/simpang-id/simpang/internal/source/sandbox"
)

// TestMain is the process of vendors' codecs, too.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == sandbox.Command {
		if sandbox.Work(os.Stdin, os.Stdout) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
