package main

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/backup"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/source/sandbox"
)

// beProgram makes this test's binary the program itself, for what has to be
// another process.
const beProgram = "TEST_IS_THE_PROGRAM"

func TestMain(m *testing.M) {
	sandbox.Child()
	if os.Getenv(beProgram) != "" {
		main() // exits
	}
	os.Exit(m.Run())
}

// program starts the program in a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), beProgram+"=1")
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	return cmd
}

// store is a stopped store of some days and some megabytes.
func store(t *testing.T) (file string, cfg *config.Config) {
	t.Helper()
	file = configFile(t)
	cfg, faults := config.Load(file, nil, nil)
	require.Empty(t, faults)
	j, err := journal.Open(t.Context(), filepath.Join(cfg.DataDir, "journal"), journal.Options{Zone: cfg.City.Zone})
	require.NoError(t, err)
	begin := time.Date(2026, 11, 20, 12, 0, 0, 0, cfg.City.Zone)
	for day := range 4 {
		recv := begin.AddDate(0, 0, day).UnixMilli()
		entries := make([]journal.Entry, 20_000)
		for i := range entries {
			entries[i] = journal.Entry{Type: journal.TypeReading, Recv: recv, Source: "b", Reading: &city.Reading{
				Device: fmt.Sprint("d", i%97), Kind: city.KindSpot, HasBoot: true, Boot: uint64(day), Seq: uint64(i), At: recv, Spot: &city.Spot{},
			}}
		}
		_, err := j.Append(t.Context(), entries)
		require.NoError(t, err)
	}
	require.NoError(t, j.Close())
	for i := range 6 {
		b := make([]byte, 4<<20)
		_, _ = rand.Read(b)
		path := filepath.Join(cfg.DataDir, "keys", fmt.Sprint("large-", i))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, b, 0o600))
	}
	return file, cfg
}

// whole tells whether a data_dir holds every file of a backup.
func whole(dir string, m *backup.Manifest) bool {
	if _, err := os.Stat(filepath.Join(dir, ".restoring")); err == nil {
		return false
	}
	for _, f := range m.Files {
		if rel, err := filepath.Rel("data", f.Path); err == nil && filepath.IsLocal(rel) {
			if info, err := os.Stat(filepath.Join(dir, rel)); err != nil || info.Size() != f.Bytes {
				return false
			}
		}
	}
	return true
}

const cuts = 12 // how often each is killed

func TestABackupThatIsKilledIsNone(t *testing.T) {
	file, _ := store(t)
	began := time.Now()
	require.NoError(t, program(t, "backup", "-config", file, "-to", filepath.Join(t.TempDir(), "whole")).Wait())
	took := time.Since(began)
	unfinished := 0
	for i := range cuts {
		to := filepath.Join(t.TempDir(), "b")
		cmd := program(t, "backup", "-config", file, "-to", to)
		time.Sleep(took * time.Duration(i) / cuts)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		restored := configFile(t)
		code, _, stderr := simpang(t, "restore", "-config", restored, "-from", to)
		if _, err := backup.Read(to); err == nil {
			require.Equal(t, exitDone, code, "%s: a manifest is there, so all is", stderr)
			continue
		}
		require.Equal(t, exitFailed, code)
		require.NoDirExists(t, filepath.Join(filepath.Dir(restored), "data", "journal"))
		if there, err := os.ReadDir(to); err == nil && len(there) > 0 {
			unfinished++
			require.Contains(t, stderr, "cut off")
			code, _, stderr = simpang(t, "backup", "-config", file, "-to", to)
			require.Equal(t, exitFailed, code)
			require.Contains(t, stderr, "not empty")
		}
	}
	require.Positive(t, unfinished, "none was killed half way")
	code, _, stderr := simpang(t, "verify", "-config", file)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "no books", "the store is what it was: it never had any")
	code, _, stderr = simpang(t, "backup", "-config", file, "-to", filepath.Join(t.TempDir(), "after"))
	require.Equal(t, exitDone, code, stderr)
}

func TestARestoreThatIsKilledIsNone(t *testing.T) {
	file, _ := store(t)
	from := filepath.Join(t.TempDir(), "whole")
	code, _, stderr := simpang(t, "backup", "-config", file, "-to", from)
	require.Equal(t, exitDone, code, stderr)
	m, err := backup.Read(from)
	require.NoError(t, err)
	began := time.Now()
	require.NoError(t, program(t, "restore", "-config", configFile(t), "-from", from).Wait())
	took := time.Since(began)
	unfinished := 0
	for i := range cuts {
		to := configFile(t)
		data := filepath.Join(filepath.Dir(to), "data")
		cmd := program(t, "restore", "-config", to, "-from", from)
		time.Sleep(took * time.Duration(i) / cuts)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if whole(data, m) {
			continue
		}
		if _, err := os.Stat(filepath.Join(data, ".restoring")); err == nil {
			unfinished++
			code, _, stderr = simpang(t, "serve", "-config", to)
			require.Equal(t, exitFailed, code)
			require.Contains(t, stderr, "a restore into")
		}
		if _, err := os.Stat(filepath.Join(data, "journal")); err == nil { // while it was put in place
			code, _, stderr = simpang(t, "restore", "-config", to, "-from", from)
			require.Equal(t, exitFailed, code)
			require.Contains(t, stderr, "empty the folder")
			require.NoError(t, os.RemoveAll(data))
		}
		code, _, stderr = simpang(t, "restore", "-config", to, "-from", from)
		require.Equal(t, exitDone, code, stderr)
		require.True(t, whole(data, m))
		require.NoError(t, filepath.WalkDir(data, func(path string, _ fs.DirEntry, err error) error {
			require.NotContains(t, path, ".restoring")
			return err
		}))
	}
	require.Positive(t, unfinished, "none was killed half way")
}
