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
