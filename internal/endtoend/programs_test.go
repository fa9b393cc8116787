package endtoend_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/simpang-id/simpang/internal/outbox/peertest"
)

// The programs under test, built once.
var simpang, firmwareSim, stormProgram string

func TestMain(m *testing.M) {
	peertest.Child()
	code, err := withPrograms(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withPrograms(run func() int) (int, error) {
	dir, err := os.MkdirTemp("", "simpang-programs-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if err := dependOnSources(); err != nil {
		return 1, err
	}
	simpang, firmwareSim = filepath.Join(dir, "simpang"), filepath.Join(dir, "firmware-sim")
	stormProgram = filepath.Join(dir, "storm")
	for _, b := range [][2]string{{simpang, "./cmd/simpang"}, {firmwareSim, "./firmware-sim"}, {stormProgram, "./internal/endtoend/storm"}} {
		cmd := exec.Command("go", "build", "-o", b[0], b[1])
		cmd.Dir = root()
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return 1, fmt.Errorf("build %s: %w\n%s", b[1], err, out)
		}
	}
	return run(), nil
}

// root is the project's root.
func root() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return dir
}

// dependOnSources looks at every source file, so that the go command does not
// take the result of an older program from its cache.
func dependOnSources() error {
	for _, dir := range []string{"cmd", "internal", "firmware-sim"} {
		err := filepath.WalkDir(filepath.Join(root(), dir), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || filepath.Ext(path) != ".go" {
				return err
			}
			_, err = os.Stat(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil // an editor's passing file
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("sources: %w", err)
		}
	}
	return nil
}
