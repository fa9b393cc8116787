package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// The WAL of a file whose checkpoints are made aside begins anew, and what was
// committed is there after a start.
func TestCheckpointsAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{Aside: true})
	require.NoError(t, err)
	_, err = db.W.ExecContext(t.Context(), "CREATE TABLE x (id INTEGER PRIMARY KEY, data BLOB)")
	require.NoError(t, err)
	const rows, pages, page = 600, 64, 4096
	blob := make([]byte, (pages-1)*page)
	for range rows {
		db.Tend(t.Context(), pages)
		_, err := db.W.ExecContext(t.Context(), "INSERT INTO x (data) VALUES (?)", blob)
		require.NoError(t, err)
	}
	wal, err := os.Stat(path + "-wal")
	require.NoError(t, err)
	require.Less(t, wal.Size(), int64(rows*pages*page*2/3), "it began anew")
	file, err := os.Stat(path)
	require.NoError(t, err)
	require.Greater(t, file.Size(), int64(rows*pages*page/4), "before it was closed")
	require.NoError(t, db.Close())
	db, err = sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	defer db.Close()
	db.Tend(t.Context(), 1<<20) // nothing: SQLite does it
	var n int
	require.NoError(t, db.R.QueryRowContext(t.Context(), "SELECT count(*) FROM x").Scan(&n))
	require.Equal(t, rows, n)
}
