package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/sqlite"
)

func TestNumbers(t *testing.T) {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "numbers.db"), sqlite.Options{Migrations: fstest.MapFS{
		"00001_meta.sql": {Data: []byte("-- +goose Up\nCREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;\n")},
	}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	cursor, clock := int64(7), int64(-1)
	both := sqlite.Numbers{"cursor": &cursor, "clock": &clock}
	require.NoError(t, both.Load(t.Context(), db.R))
	require.Equal(t, []int64{7, -1}, []int64{cursor, clock}, "what was never saved stays")
	require.NoError(t, db.Tx(t.Context(), func(tx *sql.Tx) error { return both.Save(t.Context(), tx) }))
	cursor, clock = 0, 0
	require.NoError(t, both.Load(t.Context(), db.R))
	require.Equal(t, []int64{7, -1}, []int64{cursor, clock})
	_, ok, err := sqlite.LoadNumber(t.Context(), db.R, "other")
	require.NoError(t, err)
	require.False(t, ok)

	_, err = db.W.ExecContext(t.Context(), "UPDATE meta SET value = 8 WHERE name = 'cursor'")
	require.NoError(t, err)
	require.ErrorIs(t, both.Load(t.Context(), db.R), sqlite.ErrSum)
	require.ErrorContains(t, both.Load(t.Context(), db.R), "cursor")
}
