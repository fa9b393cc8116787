package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/sqlite"
)

func rowsFile(t *testing.T) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = db.W.ExecContext(t.Context(), "CREATE TABLE x (id INTEGER PRIMARY KEY, name TEXT, yes INTEGER, data BLOB, sum INTEGER)")
	require.NoError(t, err)
	return db
}

func TestRowsWriteWhatExecWrites(t *testing.T) {
	db := rowsFile(t)
	const query = "INSERT INTO x VALUES (?, ?, ?, ?, ?)"
	require.NoError(t, db.Tx(t.Context(), func(*sql.Tx) error {
		rows := db.Rows(t.Context(), query+", (?, ?, ?, ?, ?)")
		set := func(id int64, name string, yes bool, data []byte) {
			rows.Int(id)
			rows.Text(name)
			rows.Bool(yes)
			rows.Blob(data)
			rows.Sum("x")
		}
		for id := int64(0); id < 4; id += 2 { // two rows at once, twice
			set(id, "a", true, []byte(strings.Repeat("x", int(id)*100)))
			set(id+1, "", false, []byte{1})
			rows.Exec()
		}
		return rows.Close()
	}))
	n, err := db.CheckSums(t.Context())
	require.NoError(t, err)
	require.Equal(t, 4, n)
	for id, want := range map[int64][]any{2: {"a", int64(1), []byte(strings.Repeat("x", 200))}, 3: {"", int64(0), []byte{1}}} {
		var name string
		var yes, sum int64
		var data []byte
		require.NoError(t, db.R.QueryRowContext(t.Context(), "SELECT name, yes, data, sum FROM x WHERE id = ?", id).Scan(&name, &yes, &data, &sum))
		require.Equal(t, want, []any{name, yes, data})
		require.Equal(t, sqlite.Sum("x", append([]any{id}, want...)...), sum)
	}
}

func TestRowsOfATransactionThatFails(t *testing.T) {
	db := rowsFile(t)
	put := func(ctx context.Context, ids ...int64) error {
		return db.Tx(ctx, func(*sql.Tx) error {
			rows := db.Rows(ctx, "INSERT INTO x (id) VALUES (?)")
			for _, id := range ids {
				rows.Int(id)
				rows.Exec()
			}
			return rows.Close()
		})
	}
	require.NoError(t, put(t.Context(), 1))
	require.ErrorContains(t, put(t.Context(), 2, 1, 3), "UNIQUE")
	ctx, cancel := context.WithCancel(t.Context())
	boom := errors.New("boom")
	require.ErrorIs(t, db.Tx(ctx, func(*sql.Tx) error {
		rows := db.Rows(ctx, "INSERT INTO x (id) VALUES (?)")
		rows.Int(4)
		rows.Exec()
		cancel()
		rows.Int(5)
		rows.Exec()
		require.ErrorIs(t, rows.Close(), context.Canceled)
		return boom
	}), boom)
	require.ErrorContains(t, db.Tx(t.Context(), func(*sql.Tx) error {
		rows := db.Rows(t.Context(), "INSERT INTO y VALUES (?)")
		rows.Int(1)
		rows.Exec()
		return rows.Close()
	}), "no such table")
	var n int
	require.NoError(t, db.R.QueryRowContext(t.Context(), "SELECT count(*) FROM x").Scan(&n))
	require.Equal(t, 1, n)
}
