package sqlite

import (
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAConnectionTakesNoMoreThanItsCache: a reader that has read holds the
// pages of its own cache, and not the first 256 of SQLite's.
func TestAConnectionTakesNoMoreThanItsCache(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db, err := Open(t.Context(), path, Options{})
	require.NoError(t, err)
	defer db.Close()
	const rows, readers, most = 1000, 16, 200 << 10
	for _, query := range []string{
		"CREATE TABLE x (id INTEGER PRIMARY KEY, data BLOB)",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO x (data) SELECT randomblob(3000) FROM n",
	} {
		_, err := db.W.ExecContext(t.Context(), query)
		require.NoError(t, err)
	}
	r, err := connect(path, readers, "", readerPragmas()...)
	require.NoError(t, err)
	defer r.Close()
	before := resident(t)
	var held []*sql.Conn
	for range readers {
		c, err := r.Conn(t.Context())
		require.NoError(t, err)
		held = append(held, c)
		var n, bytes int
		require.NoError(t, c.QueryRowContext(t.Context(), "SELECT count(*), sum(length(hex(data))) FROM x").Scan(&n, &bytes))
		require.Equal(t, rows, n)
	}
	each := (resident(t) - before) / readers
	for _, c := range held {
		require.NoError(t, c.Close())
	}
	t.Logf("%d bytes a reader", each)
	require.Less(t, each, most)
}

var residentLine = regexp.MustCompile(`(?m)^RssAnon:\s+(\d+) kB`)

// resident is the memory of this process without its files, bytes.
func resident(tb testing.TB) int {
	tb.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Skip("no /proc: ", err)
	}
	found := residentLine.FindSubmatch(text)
	require.NotNil(tb, found)
	n, err := strconv.Atoi(string(found[1]))
	require.NoError(tb, err)
	return n << 10
}
