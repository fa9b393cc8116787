package powercut_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/sqlite"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

var migrations = fstest.MapFS{"00001_init.sql": {Data: []byte("-- +goose Up\nCREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB);\n")}}

// work commits rows one by one and calls acked after each, until the power is
// gone. It closes what it opened.
func work(t *testing.T, dir string, level sqlite.Sync, rows int, acked func(n int)) error {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "a.db"), sqlite.Options{Sync: level, Migrations: migrations})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for n := 1; n <= rows; n++ {
		err := db.Tx(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec("INSERT INTO t (id, v) VALUES (?, zeroblob(700))", n)
			return err
		})
		if err != nil {
			return err
		}
		acked(n)
	}
	return nil
}

// count opens the file by modernc's driver and returns how many rows it has,
// which must be the first ones.
func count(t *testing.T, dir string) int {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "a.db"), sqlite.Options{Migrations: migrations})
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.Check(t.Context(), true))
	var n, most int
	require.NoError(t, db.R.QueryRow("SELECT count(*), coalesce(max(id), 0) FROM t").Scan(&n, &most))
	require.Equal(t, most, n)
	return n
}

func TestWithoutACutEverythingIsThere(t *testing.T) {
	dir := t.TempDir()
	disk := powercut.New(t, dir, 1).Checkpoint(8)
	require.NoError(t, work(t, dir, sqlite.Full, 30, func(int) {}))
	require.NotZero(t, disk.Ops())
	disk.Off()
	require.Equal(t, 30, count(t, dir))
}

func TestATraceLeavesWhatACutLeaves(t *testing.T) {
	recorded := t.TempDir()
	disk := powercut.New(t, recorded, 0).Checkpoint(8)
	trace := disk.Record()
	require.NoError(t, work(t, recorded, sqlite.Full, 12, func(int) {}))
	require.Equal(t, disk.Ops(), trace.Ops())
	disk.Off()
	for n := 0; n < trace.Ops(); n += 7 {
		seed := uint64(n)
		live, left := t.TempDir(), t.TempDir()
		disk := powercut.New(t, live, seed).Checkpoint(8)
		disk.CutAfter(n)
		_ = work(t, live, sqlite.Full, 12, func(int) {}) // nil where the cut came while the file was closed
		require.True(t, disk.Gone())
		disk.Off()
		require.NoError(t, trace.Leave(left, n, seed))
		for _, name := range []string{"a.db", "a.db-wal", "a.db-journal"} {
			a, errA := os.ReadFile(filepath.Join(live, name))
			b, errB := os.ReadFile(filepath.Join(left, name))
			require.Equal(t, os.IsNotExist(errA), os.IsNotExist(errB), "cut in operation %d: %s", n+1, name)
			require.Len(t, b, len(a))
		}
	}
}

func TestTheHandOverOfADiskToTheNext(t *testing.T) {
	dir := t.TempDir()
	done := 0
	for life := range 8 {
		disk := powercut.New(t, dir, uint64(life)).Checkpoint(8)
		disk.CutAfter(20 + 9*life)
		db, err := sqlite.Open(t.Context(), filepath.Join(dir, "a.db"), sqlite.Options{Migrations: migrations})
		for err == nil {
			if err = db.Tx(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.Exec("INSERT INTO t (v) VALUES (zeroblob(700))")
				return err
			}); err == nil {
				done++
			}
		}
		require.True(t, disk.Gone())
		if db != nil {
			_ = db.Close()
		}
		_, err = sqlite.Open(t.Context(), filepath.Join(dir, "a.db"), sqlite.Options{})
		require.Error(t, err, "without power nothing can be opened")
		disk.Off()
	}
	require.GreaterOrEqual(t, count(t, dir), done)
}

func TestCodes(t *testing.T) {
	dir := t.TempDir()
	powercut.New(t, dir, 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bad.db"), make([]byte, 4096), 0o600))
	b := make([]byte, 8192)
	copy(b, "noise noise noise")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bad.db"), b, 0o600))
	_, err := sqlite.Open(t.Context(), filepath.Join(dir, "bad.db"), sqlite.Options{})
	require.Error(t, err)
	require.True(t, sqlite.IsDamaged(err), err)
	require.False(t, sqlite.IsFull(err))

	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "a.db"), sqlite.Options{Migrations: migrations})
	require.NoError(t, err)
	defer db.Close()
	_, err = db.W.Exec("PRAGMA max_page_count = 4")
	require.NoError(t, err)
	_, err = db.W.Exec("INSERT INTO t (v) VALUES (zeroblob(100000))")
	require.True(t, sqlite.IsFull(err), err)

	// A copy is made on the same connection, and is whole once it is made.
	_, err = db.W.Exec("INSERT INTO t (v) VALUES ('x')")
	require.NoError(t, err)
	require.NoError(t, db.CopyTo(context.Background(), filepath.Join(dir, "b", "..", "copy.db")))
}

// record runs work on a disk and returns its trace, and how many rows were
// acknowledged when.
func record(t *testing.T, level sqlite.Sync, rows int) (*powercut.Trace, *powercut.Acks[int]) {
	t.Helper()
	dir := t.TempDir()
	disk := powercut.New(t, dir, 0).Checkpoint(8)
	trace, acks := disk.Record(), powercut.NewAcks[int](disk)
	require.NoError(t, work(t, dir, level, rows, acks.Add))
	disk.Off()
	return trace, acks
}

func TestAtEverySyncLevel(t *testing.T) {
	for _, level := range []sqlite.Sync{sqlite.Full, sqlite.Normal} {
		trace, acks := record(t, level, 60)
		lost := 0
		trace.Each(t, 600, func(dir string, ops int) {
			n, acked := count(t, dir), len(acks.Before(ops))
			require.LessOrEqual(t, n, acked+1, "what was not written yet is there")
			if n < acked {
				lost++
			}
		})
		if level == sqlite.Full {
			require.Zero(t, lost, "an acknowledged commit was lost")
		} else {
			require.NotZero(t, lost, "without a sync a commit the disk loses some: this disk is too kind")
		}
	}
}

// TestTheDiskCatchesBugs plants mistakes and expects that they are seen.
func TestTheDiskCatchesBugs(t *testing.T) {
	t.Run("no sync at all", func(t *testing.T) {
		trace, acks := record(t, "OFF", 60)
		lost, damaged := 0, 0
		trace.Each(t, 600, func(dir string, ops int) {
			switch n, err := tryCount(t, dir); {
			case err != nil:
				damaged++
			case n < len(acks.Before(ops)):
				lost++
			}
		})
		require.NotZero(t, lost)
		require.NotZero(t, damaged, "a checkpoint without a sync damages the file")
	})
	t.Run("the acknowledgement goes out before the commit", func(t *testing.T) {
		trace, acks := record(t, sqlite.Full, 60)
		early := 0
		trace.Each(t, 600, func(dir string, ops int) {
			if n, acked := count(t, dir), len(acks.Before(ops)); n < min(acked+1, len(acks.All())) {
				early++
			}
		})
		require.NotZero(t, early)
	})
}

// tryCount is count where the file may be damaged.
func tryCount(t *testing.T, dir string) (int, error) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "a.db"), sqlite.Options{})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	if err := db.Check(t.Context(), true); err != nil {
		return 0, err
	}
	var n int
	return n, db.R.QueryRow("SELECT count(*) FROM t").Scan(&n)
}
