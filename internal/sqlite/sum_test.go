package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/sqlite"
)

const (
	firstSums = `-- +goose Up
CREATE TABLE thing (a TEXT, b INTEGER, data BLOB, PRIMARY KEY (b, a)) WITHOUT ROWID;
CREATE TABLE other (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE free (id INTEGER PRIMARY KEY);
`
	laterSums = "-- +goose Up\nALTER TABLE thing ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;\nALTER TABLE other ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;\n"
)

// summedFile is a file of before, whose rows have got their checksums.
func summedFile(t *testing.T) *sqlite.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	files := fstest.MapFS{"00001_init.sql": {Data: []byte(firstSums)}}
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{Migrations: files})
	require.NoError(t, err)
	require.NoError(t, db.Tx(t.Context(), func(tx *sql.Tx) error {
		for i := range 1500 { // more than one portion
			if _, err := tx.ExecContext(t.Context(), "INSERT INTO thing (a, b, data) VALUES (?, ?, ?)", fmt.Sprint("name ", i%7), i/7, []byte(strings.Repeat("x", i%5))); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(t.Context(), "INSERT INTO other (id, name) VALUES (-4, NULL), (9, 'nine')")
		return err
	}))
	require.NoError(t, db.Close())
	files["00002_sums.sql"] = &fstest.MapFile{Data: []byte(laterSums)}
	db, err = sqlite.Open(t.Context(), path, sqlite.Options{Migrations: files, SumsAt: 3})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestAFileOfBeforeGetsItsChecksums(t *testing.T) {
	db := summedFile(t)
	rows, err := db.CheckSums(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1502, rows)
	var sum int64
	require.NoError(t, db.R.QueryRowContext(t.Context(), "SELECT sum FROM other WHERE id = 9").Scan(&sum))
	require.Equal(t, sqlite.Sum("other", int64(9), "nine"), sum)
	require.NoError(t, sqlite.CheckSum(sum, "other", uint64(9), "nine"))
	require.ErrorIs(t, sqlite.CheckSum(sum, "thing", int64(9), "nine"), sqlite.ErrSum)
}

func TestAChangedValueIsFound(t *testing.T) {
	for _, change := range []string{
		"UPDATE thing SET a = a || ' ' WHERE b = 200 AND a = 'name 3'",
		"UPDATE thing SET b = -1 WHERE b = 200 AND a = 'name 3'",
		"UPDATE thing SET data = NULL WHERE b = 0 AND a = 'name 0'",
		"UPDATE thing SET data = CAST(data AS TEXT) WHERE b = 200 AND a = 'name 3'",
		"UPDATE thing SET data = x'78787879' WHERE b = 2 AND a = 'name 0'",
		"UPDATE thing SET sum = sum + 1 WHERE b = 214 AND a = 'name 1'",
		"UPDATE other SET name = '' WHERE id = -4",
		"UPDATE other SET name = 1.5 WHERE id = -4",
		"INSERT INTO other (id) VALUES (10)",
		"ALTER TABLE other RENAME COLUMN sum TO rum",
	} {
		db := summedFile(t)
		_, err := db.W.ExecContext(context.WithoutCancel(t.Context()), change)
		require.NoError(t, err)
		_, err = db.CheckSums(t.Context())
		require.ErrorIs(t, err, sqlite.ErrSum, change)
		require.ErrorContains(t, err, db.Path(), change)
	}
}

func TestAChangedSchemaStopsTheOpening(t *testing.T) {
	db := summedFile(t)
	_, err := db.W.ExecContext(context.WithoutCancel(t.Context()), "ALTER TABLE free RENAME COLUMN id TO ie")
	require.NoError(t, err)
	_, err = sqlite.Open(t.Context(), db.Path(), sqlite.Options{Migrations: fstest.MapFS{
		"00001_init.sql": {Data: []byte(firstSums)}, "00002_sums.sql": {Data: []byte(laterSums)}, "00004_more.sql": {Data: []byte("-- +goose Up\nCREATE TABLE more (id INTEGER);")},
	}, SumsAt: 3})
	require.ErrorIs(t, err, sqlite.ErrSum)
	require.ErrorContains(t, err, db.Path())
}

// Two values never have the checksum of one, nor one that of its neighbour.
func TestValuesKeepTheirPlaces(t *testing.T) {
	seen := map[int64]string{}
	for name, values := range map[string][]any{
		"none": {}, "null": {nil}, "two nulls": {nil, nil}, "zero": {int64(0)}, "empty": {""}, "no bytes": {[]byte{}}, "text": {"ab"}, "bytes": {[]byte("ab")},
		"a, b": {"a", "b"}, "b, a": {"b", "a"}, "ab and empty": {"ab", ""}, "one": {true}, "minus one": {int64(-1)}, "bytes between": {int64(1), []byte("ab"), int64(2)},
		"bytes last": {int64(1), int64(2), []byte("ab")},
	} {
		sum := sqlite.Sum("t", values...)
		require.Empty(t, seen[sum], name)
		seen[sum] = name
	}
	require.Equal(t, sqlite.Sum("t", int64(1), nil), sqlite.Sum("t", true, sql.NullInt64{}))
}

// TestAColumnThatCameLater is in the checksum of rows that have something in it;
// the others keep theirs.
func TestAColumnThatCameLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	files := fstest.MapFS{"00001_init.sql": {Data: []byte("-- +goose Up\nCREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT, sum INTEGER NOT NULL);\n")}}
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{Migrations: files})
	require.NoError(t, err)
	put := func(query string, args ...any) {
		_, err := db.W.ExecContext(t.Context(), query, args...)
		require.NoError(t, err)
	}
	put("INSERT INTO thing VALUES (1, 'old', ?)", sqlite.Sum("thing", int64(1), "old"))
	require.NoError(t, db.Close())
	files["00002_later.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nALTER TABLE thing ADD COLUMN block INTEGER NOT NULL DEFAULT 0;\n")}
	db, err = sqlite.Open(t.Context(), path, sqlite.Options{Migrations: files})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	put("INSERT INTO thing VALUES (2, 'new', ?, 7)", sqlite.Sum("thing", int64(2), "new", int64(7)))
	rows, err := db.CheckSums(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, rows)
	for _, x := range [][2]int{{1, 1}, {2, 0}, {2, 6}} { // any change of it is seen
		put("UPDATE thing SET block = ? WHERE id = ?", x[1], x[0])
		_, err = db.CheckSums(t.Context())
		require.ErrorIs(t, err, sqlite.ErrSum)
		put("UPDATE thing SET block = ? WHERE id = ?", []int{0, 7}[x[0]-1], x[0])
	}
}
