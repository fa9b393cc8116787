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

// TestConnectionsTogetherKeepNoMoreThanThePool: forty writers' caches would be
// 80 MB.
func TestConnectionsTogetherKeepNoMoreThanThePool(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db, err := Open(t.Context(), path, Options{})
	require.NoError(t, err)
	defer db.Close()
	const rows, connections, most = 1000, 40, 16 << 20
	for _, query := range []string{
		"CREATE TABLE x (id INTEGER PRIMARY KEY, data BLOB)",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO x (data) SELECT randomblob(3000) FROM n",
	} {
		_, err := db.W.ExecContext(t.Context(), query)
		require.NoError(t, err)
	}
	r, err := connect(path, connections, "", writerPragmas(Options{Sync: Full, CacheKiB: 1000})...)
	require.NoError(t, err)
	defer r.Close()
	before := resident(t)
	var held []*sql.Conn
	for range connections {
		c, err := r.Conn(t.Context())
		require.NoError(t, err)
		held = append(held, c)
		var n, bytes int
		require.NoError(t, c.QueryRowContext(t.Context(), "SELECT count(*), sum(length(hex(data))) FROM x").Scan(&n, &bytes))
		require.Equal(t, rows, n)
	}
	all := resident(t) - before
	for _, c := range held {
		require.NoError(t, c.Close())
	}
	t.Logf("%d bytes", all)
	require.Less(t, all, most)
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
