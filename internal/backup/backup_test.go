package backup_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/backup"
)

// taken is a backup of two files.
func taken(t *testing.T) (dir string) {
	t.Helper()
	from := filepath.Join(t.TempDir(), "a")
	require.NoError(t, os.WriteFile(from, []byte("content"), 0o644))
	dir = filepath.Join(t.TempDir(), "b")
	w, err := backup.Create(dir)
	require.NoError(t, err)
	require.NoError(t, w.Copy(t.Context(), from, "data/x/a"))
	require.NoError(t, w.Link(t.Context(), from, "data/l", fmt.Sprintf("%x", sha256.Sum256([]byte("content")))))
	require.ErrorContains(t, w.Link(t.Context(), from, "data/m", "another"), "is damaged")
	require.Error(t, w.Copy(t.Context(), from, "../a"), "outside")
	_, err = backup.Read(dir)
	var unfinished *backup.UnfinishedError
	require.ErrorAs(t, err, &unfinished, "before Finish it is none")
	require.NoError(t, w.Finish(&backup.Manifest{City: "bekasi", Head: 7}))
	return dir
}

func TestWhatWasTakenComesBack(t *testing.T) {
	dir := taken(t)
	m, err := backup.Read(dir)
	require.NoError(t, err)
	require.Equal(t, uint64(7), m.Head)
	require.Equal(t, int64(14), m.Bytes())
	to := t.TempDir()
	require.NoError(t, m.Restore(t.Context(), dir, "data/", to))
	got, err := os.ReadFile(filepath.Join(to, "x", "a"))
	require.NoError(t, err)
	require.Equal(t, "content", string(got))
	info, err := os.Stat(filepath.Join(to, "x", "a"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// TestAManifestIsBelievedWholeOnly: nobody adds a path that leads out, nor a
// format of tomorrow.
func TestAManifestIsBelievedWholeOnly(t *testing.T) {
	dir := taken(t)
	path := filepath.Join(dir, backup.ManifestName)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	body := strings.TrimSuffix(string(text), "\n")
	body = body[:strings.LastIndex(body, "\n")]
	for name, c := range map[string]struct{ before, after, says string }{
		"a path that leads out": {"data/x/a", "data/../../a", "lies outside"},
		"an absolute path":      {"data/x/a", "/etc/passwd", "lies outside"},
		"another format":        {`"format": 1`, `"format": 2`, "format 2"},
	} {
		changed := strings.Replace(body, c.before, c.after, 1)
		require.NotEqual(t, body, changed, name)
		require.NoError(t, os.WriteFile(path, []byte(changed+"\n"+text64(body)+"\n"), 0o600))
		_, err := backup.Read(dir)
		require.ErrorContains(t, err, "hash", name)
		require.NoError(t, os.WriteFile(path, []byte(changed+"\n"+text64(changed)+"\n"), 0o600))
		_, err = backup.Read(dir)
		require.ErrorContains(t, err, c.says, name)
	}
}

func text64(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }
