package app

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWhatRootRestoresBelongsToTheGatewaysUser: a restore by root into the
// folder of another user.
func TestWhatRootRestoresBelongsToTheGatewaysUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	const user = 65534
	dir := t.TempDir()
	made := filepath.Join(dir, restoring, "keys")
	require.NoError(t, os.MkdirAll(made, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(made, "a.key"), nil, 0o600))
	owner := func(path string) uint32 {
		info, err := os.Lstat(path)
		require.NoError(t, err)
		return info.Sys().(*syscall.Stat_t).Uid
	}
	require.NoError(t, ownedAs(dir, filepath.Join(dir, restoring)))
	require.Zero(t, owner(made), "data_dir is root's")
	require.NoError(t, os.Chown(dir, user, user))
	require.NoError(t, ownedAs(dir, filepath.Join(dir, restoring)))
	for _, path := range []string{filepath.Dir(made), made, filepath.Join(made, "a.key")} {
		require.Equal(t, uint32(user), owner(path), path)
	}
}
