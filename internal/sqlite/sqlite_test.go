package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/sqlite"
)

var migrations = fstest.MapFS{"00001_init.sql": {Data: []byte("-- +goose Up\nCREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);\n")}}

func TestOpenMigratesAndKeeps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?.db")
	d, err := sqlite.Open(t.Context(), path, sqlite.Options{Migrations: migrations})
	require.NoError(t, err)
	require.NoError(t, d.Tx(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO t (v) VALUES ('x')")
		return err
	}))
	failure := errors.New("no")
	require.ErrorIs(t, d.Tx(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO t (v) VALUES ('y')")
		require.NoError(t, err)
		return failure
	}), failure)
	require.NoError(t, d.Check(t.Context(), true))
	copied := filepath.Join(t.TempDir(), "copy.db")
	require.NoError(t, d.CopyTo(t.Context(), copied))
	require.NoError(t, d.Close())

	for _, p := range []string{path, copied} {
		d, err := sqlite.Open(t.Context(), p, sqlite.Options{Migrations: migrations})
		require.NoError(t, err)
		var n int
		require.NoError(t, d.R.QueryRow("SELECT count(*) FROM t").Scan(&n))
		require.Equal(t, 1, n)
		_, err = d.R.Exec("INSERT INTO t (v) VALUES ('z')")
		require.Error(t, err, "readers do not write")
		var mode string
		require.NoError(t, d.W.QueryRow("PRAGMA journal_mode").Scan(&mode))
		require.Equal(t, "wal", mode)
		var sync int
		require.NoError(t, d.W.QueryRow("PRAGMA synchronous").Scan(&sync))
		require.Equal(t, 2, sync)
		require.NoError(t, d.Close())
	}
}

// A panic that is contained further up must not keep the only writer.
func TestAPanicLeavesNoTransaction(t *testing.T) {
	d, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a.db"), sqlite.Options{Migrations: migrations})
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	insert := func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO t (v) VALUES ('x')")
		return err
	}
	require.PanicsWithValue(t, "no", func() {
		_ = d.Tx(t.Context(), func(tx *sql.Tx) error {
			require.NoError(t, insert(tx))
			panic("no")
		})
	})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	require.NoError(t, d.Tx(ctx, insert))
	var n int
	require.NoError(t, d.R.QueryRow("SELECT count(*) FROM t").Scan(&n))
	require.Equal(t, 1, n)
}

func TestDamageIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.db")
	require.NoError(t, writeNoise(path))
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.Error(t, err)
	require.True(t, sqlite.IsDamaged(err), err)
}

func TestNobodyElseReadsTheFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	d, err := sqlite.Open(t.Context(), path, sqlite.Options{Migrations: migrations})
	require.NoError(t, err)
	require.NoError(t, d.CopyTo(t.Context(), filepath.Join(dir, "copy.db")))
	require.ErrorIs(t, d.CopyTo(t.Context(), filepath.Join(dir, "copy.db")), fs.ErrExist)
	for _, name := range []string{"a.db", "a.db-wal", "a.db-shm", "copy.db"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode(), name)
	}
	require.NoError(t, d.Close())

	// What a person gave others the right to read stays as it is.
	require.NoError(t, os.Chmod(path, 0o640))
	d, err = sqlite.Open(t.Context(), path, sqlite.Options{Migrations: migrations})
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o640), info.Mode())
	require.NoError(t, d.Close())
	_, err = sqlite.Open(t.Context(), filepath.Join(dir, "nowhere", "a.db"), sqlite.Options{})
	require.ErrorIs(t, err, fs.ErrNotExist)
}
