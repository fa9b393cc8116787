package endtoend_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fleet is a running firmware-sim.
type fleet struct {
	t      *testing.T
	cmd    *exec.Cmd
	wait   chan error
	stdout buffer
	stderr buffer
	truth  string
	took   time.Duration // valid after done
}

// scenario writes a copy of a scenario of testdata with replacements ("old",
// "new", ...) beside a link to the inventory that it shall use.
func scenario(t *testing.T, name, inventory string, replace ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	out := string(text)
	for i := 0; i < len(replace); i += 2 {
		require.Contains(t, out, replace[i], "in %s", name)
		out = strings.ReplaceAll(out, replace[i], replace[i+1])
	}
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	out = strings.Replace(out, "inventory: city", "inventory: "+inventory, 1)
	require.NoError(t, os.WriteFile(file, []byte(out), 0o600))
	return file
}

// simulate starts firmware-sim with a truth file.
func simulate(t *testing.T, args ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, truth: filepath.Join(t.TempDir(), "truth.jsonl")}
	f.start(args)
	return f
}

func (f *fleet) start(args []string) {
	t := f.t
	t.Helper()
	f.wait = make(chan error, 1)
	f.cmd = exec.Command(firmwareSim, append(args, "-truth", f.truth)...)
	f.cmd.Stdout, f.cmd.Stderr = &f.stdout, &f.stderr
	require.NoError(t, f.cmd.Start())
	begin := time.Now()
	cmd := f.cmd
	go func() {
		err := cmd.Wait()
		f.took = time.Since(begin)
		f.wait <- err
	}()
	t.Cleanup(func() {
		if f.cmd != nil {
			_ = f.cmd.Process.Kill()
			<-f.wait
		}
		if t.Failed() {
			t.Log("firmware-sim said:\n" + f.stdout.String() + tail(f.stderr.String(), 3000))
		}
	})
}

// done waits for the fleet to end by itself.
func (f *fleet) done(within time.Duration) {
	f.t.Helper()
	if f.cmd == nil {
		return // it was waited for
	}
	select {
	case err := <-f.wait:
		f.cmd = nil
		f.t.Logf("the fleet ran for %v", f.took.Round(time.Millisecond))
		require.NoError(f.t, err, "firmware-sim: %s", tail(f.stderr.String(), 2000))
		f.t.Log("firmware-sim: " + strings.TrimSpace(f.stdout.String()))
	case <-time.After(within):
		_ = f.cmd.Process.Signal(syscall.SIGQUIT)
		time.Sleep(500 * time.Millisecond) // it writes its goroutines
		f.t.Fatalf("the fleet did not end within %v", within)
	}
}

// running tells whether it has not ended yet.
func (f *fleet) running() bool { return len(f.wait) == 0 }
