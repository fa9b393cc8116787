package keys_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/keys"
)

func TestLoadOrMake(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "a.key")
	made, err := keys.LoadOrMake(path)
	require.NoError(t, err)
	require.NotEqual(t, [keys.Size]byte{}, made)
	again, err := keys.LoadOrMake(path)
	require.NoError(t, err)
	require.Equal(t, made, again)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	require.NoError(t, os.WriteFile(path, []byte("short"), 0o600))
	_, err = keys.LoadOrMake(path)
	require.ErrorContains(t, err, "backup")
	left, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "short", string(left), "a key is never replaced")
}

func TestOnlyRegularFilesAreReplaced(t *testing.T) {
	dir := t.TempDir()
	path, elsewhere := filepath.Join(dir, "a"), filepath.Join(t.TempDir(), "b")
	require.NoError(t, keys.Replace(path, []byte("1"), 0))
	require.NoError(t, keys.Replace(path, []byte("2"), 0))
	got, err := keys.Read(path)
	require.NoError(t, err)
	require.Equal(t, "2", string(got))
	_, err = keys.Read(elsewhere)
	require.ErrorIs(t, err, os.ErrNotExist)

	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(elsewhere, link))
	require.NoError(t, os.Symlink(elsewhere, path+".lock"))
	require.ErrorIs(t, keys.Replace(link, nil, 0), keys.ErrIrregular)
	require.ErrorIs(t, keys.Replace(dir, nil, 0), keys.ErrIrregular)
	_, err = keys.Read(link)
	require.ErrorIs(t, err, keys.ErrIrregular)
	_, err = keys.Read(dir)
	require.ErrorIs(t, err, keys.ErrIrregular)
	_, err = keys.Lock(path)
	require.ErrorIs(t, err, keys.ErrIrregular)
	require.NoFileExists(t, elsewhere)
}
