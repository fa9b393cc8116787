package app_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

// TestVerifyNamesTheDamagedFile damages every database of a data_dir in turn,
// at seeded places: verify names the file, or all that the file holds is as it
// was.
func TestVerifyNamesTheDamagedFile(t *testing.T) {
	dir := newDir(t)
	writeFiles(t, dir, storeFiles)
	unpack(t, "testdata/store-1.tar.gz", dir)
	r := start(t, dir)
	require.NoError(t, r.stop())
	require.NoError(t, app.Verify(t.Context(), r.cfg, t.Logf))

	var files []string
	for _, pattern := range []string{"*.db", "journal/*.db"} {
		found, err := filepath.Glob(filepath.Join(r.cfg.DataDir, pattern))
		require.NoError(t, err)
		files = append(files, found...)
	}
	require.GreaterOrEqual(t, len(files), 9)
	random := rand.New(rand.NewPCG(11, 12))
	for _, path := range files {
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		was := powercut.Dump(t, path)
		told, same := 0, 0
		try := func(what string, damaged []byte) {
			t.Helper()
			require.NoError(t, os.WriteFile(path, damaged, 0o600))
			err := app.Verify(t.Context(), r.cfg, func(string, ...any) {})
			is, unread := powercut.Content(t.Context(), path)
			switch {
			case err != nil:
				require.Contains(t, err.Error(), strings.TrimSuffix(filepath.Base(path), ".db"), "%s: verify names no file", what)
				told++
			case unread == nil && is == was:
				same++
			default:
				require.Fail(t, "not told", "%s of %s: %v", what, path, unread)
			}
			for _, suffix := range []string{"-wal", "-shm"} {
				_ = os.Remove(path + suffix)
			}
		}
		try("half of the file is gone", whole[:len(whole)/2])
		for range 12 {
			torn := bytes.Clone(whole)
			at := somewhere(random, torn) / 512 * 512
			for i := at; i < at+512; i++ {
				torn[i] = byte(random.IntN(256))
			}
			try("a torn sector", torn)
			flipped := bytes.Clone(whole)
			flipped[somewhere(random, flipped)] ^= 1 << random.IntN(8)
			try("a flipped bit", flipped)
		}
		require.NoError(t, os.WriteFile(path, whole, 0o600))
		t.Logf("%s: %d told, %d changed nothing that is kept", filepath.Base(path), told, same)
	}
	require.NoError(t, app.Verify(t.Context(), r.cfg, t.Logf))
}

// somewhere is a place where something is written.
func somewhere(random *rand.Rand, b []byte) int {
	for {
		if at := random.IntN(len(b)); b[at] != 0 {
			return at
		}
	}
}
