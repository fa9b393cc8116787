package journal_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/journal"
)

// copyDir copies a folder's files, without those of shared memory, as a power
// cut leaves them.
func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	names, err := filepath.Glob(filepath.Join(from, "*"))
	require.NoError(t, err)
	for _, name := range names {
		if filepath.Ext(name) == ".db-shm" {
			continue
		}
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(to, filepath.Base(name)), b, 0o600))
	}
	return to
}

func TestAfterACrashEverythingAcknowledgedIsThere(t *testing.T) {
	dir := folder(t)
	j := open(t, dir)
	var want []journal.Entry
	for i := range 60 {
		_, err := j.Append(t.Context(), batchOf(200, day0+int64(i)*hour))
		require.NoError(t, err)
		if i%7 == 0 {
			want = everything(t, j)
			crashed := open(t, copyDir(t, dir))
			require.Equal(t, want, everything(t, crashed))
			require.NoError(t, crashed.Verify(t.Context(), nil))
			_, err := crashed.Append(t.Context(), batchOf(5, day0+int64(i)*hour))
			require.NoError(t, err)
			require.NoError(t, crashed.Verify(t.Context(), nil))
			require.NoError(t, crashed.Close())
		}
	}
}

// TestATornLogLosesOnlyItsEnd cuts the write-ahead log at many places: what is
// left must be the begin of the truth, to whole batches, and go on from there.
func TestATornLogLosesOnlyItsEnd(t *testing.T) {
	dir := folder(t)
	j := open(t, dir)
	ends := map[uint64]bool{0: true}
	for i := range 12 {
		_, err := j.Append(t.Context(), batchOf(50, day0+int64(i)*1000))
		require.NoError(t, err)
		ends[j.Head()] = true
	}
	truth := everything(t, j)
	crashed := copyDir(t, dir)
	wal := filepath.Join(crashed, "2026-03-02.db-wal")
	whole, err := os.ReadFile(wal)
	require.NoError(t, err)
	require.NotEmpty(t, whole)
	heads := map[uint64]bool{}
	for cut := 0; cut < len(whole); cut += len(whole)/23 + 1 {
		again := copyDir(t, crashed)
		require.NoError(t, os.Truncate(filepath.Join(again, filepath.Base(wal)), int64(cut)))
		j := open(t, again)
		require.True(t, ends[j.Head()], "head %d", j.Head())
		heads[j.Head()] = true
		require.Equal(t, truth[:j.Head()], append([]journal.Entry{}, everything(t, j)...))
		_, err := j.Append(t.Context(), batchOf(3, day0+hour))
		require.NoError(t, err)
		require.NoError(t, j.Verify(t.Context(), nil))
		require.NoError(t, j.Close())
	}
	require.Greater(t, len(heads), 5)
}

// TestAFlippedBitInTheLogIsNeverServed flips bits of the write-ahead log that a
// kill leaves: SQLite drops what follows and calls the file whole. What is left
// is the begin of the truth, to whole batches, and a follower that has seen
// more is told.
func TestAFlippedBitInTheLogIsNeverServed(t *testing.T) {
	dir := folder(t)
	j := open(t, dir)
	ends := map[uint64]bool{0: true}
	for i := range 12 {
		_, err := j.Append(t.Context(), batchOf(50, day0+int64(i)*1000))
		require.NoError(t, err)
		ends[j.Head()] = true
	}
	truth := everything(t, j)
	crashed := copyDir(t, dir)
	wal := filepath.Join(crashed, "2026-03-02.db-wal")
	whole, err := os.ReadFile(wal)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(3, 4))
	lost := 0
	for range 60 {
		again := copyDir(t, crashed)
		b := bytes.Clone(whole)
		at := random.IntN(len(b))
		b[at] ^= 1 << random.IntN(8)
		require.NoError(t, os.WriteFile(filepath.Join(again, filepath.Base(wal)), b, 0o600))
		j := open(t, again)
		head := j.Head()
		require.True(t, ends[head], "offset %d: head %d", at, head)
		require.Equal(t, truth[:head], append([]journal.Entry{}, everything(t, j)...), "offset %d", at)
		require.NoError(t, j.Verify(t.Context(), nil))
		if head < uint64(len(truth)) {
			lost++
			var beyond *journal.BeyondHeadError
			_, err := j.Read(t.Context(), uint64(len(truth)), 1)
			require.ErrorAs(t, err, &beyond)
		}
		require.NoError(t, j.Close())
	}
	require.Greater(t, lost, 10)
}

// TestVerifyFindsFlippedBytes flips single bits: either the damage is told, or
// it lies where nothing is kept and all entries are as they were.
func TestVerifyFindsFlippedBytes(t *testing.T) {
	dir := folder(t)
	j := open(t, dir)
	for i := range 30 {
		_, err := j.Append(t.Context(), batchOf(40, day0+int64(i)*2*hour))
		require.NoError(t, err)
	}
	truth := everything(t, j)
	require.NoError(t, j.Close())
	path := filepath.Join(dir, "2026-03-03.db")
	whole, err := os.ReadFile(path)
	require.NoError(t, err)

	flip := func(offset int, bit byte) error {
		b := bytes.Clone(whole)
		b[offset] ^= 1 << bit
		require.NoError(t, os.WriteFile(path, b, 0o600))
		j, err := journal.Open(t.Context(), dir, journal.Options{Zone: jakarta})
		if err != nil {
			return err
		}
		defer j.Close()
		if err := j.Verify(t.Context(), nil); err != nil {
			return err
		}
		require.Equal(t, truth, everything(t, j), "offset %d bit %d", offset, bit)
		return nil
	}
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 150 {
		if flip(random.IntN(len(whole)), byte(random.IntN(8))) != nil {
			found++
		}
	}
	require.Greater(t, found, 20)

	// Inside a value: SQLite's own check does not see it; the batch is named.
	// (What an earlier change left behind in a page is no value.)
	var damage *journal.DamageError
	at := 0
	for err = nil; err == nil; at++ {
		next := bytes.Index(whole[at:], []byte("spot-0007"))
		require.GreaterOrEqual(t, next, 0)
		at += next
		err = flip(at+3, 1)
	}
	require.ErrorAs(t, err, &damage)
	require.Equal(t, path, damage.File)
	require.NotZero(t, damage.First)
	require.ErrorContains(t, err, "CRC32C")
	require.ErrorContains(t, err, "restore the last backup")

	// Read tells it too, and never serves it.
	j, err = journal.Open(t.Context(), dir, journal.Options{Zone: jakarta})
	require.NoError(t, err)
	defer j.Close()
	_, err = j.Read(t.Context(), damage.First-1, 1)
	require.ErrorAs(t, err, &damage)
	_, err = j.At(t.Context(), []uint64{damage.First})
	require.ErrorAs(t, err, &damage)
}

func TestADamagedTailStopsTheStart(t *testing.T) {
	dir := folder(t)
	j := open(t, dir)
	for i := range 3 {
		_, err := j.Append(t.Context(), batchOf(40, day0+int64(i)*hour))
		require.NoError(t, err)
	}
	require.NoError(t, j.Close())
	path := filepath.Join(dir, "2026-03-02.db")
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	at := bytes.LastIndex(whole, []byte("spot-0007"))
	whole[at] ^= 4
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	_, err = journal.Open(t.Context(), dir, journal.Options{Zone: jakarta})
	var damage *journal.DamageError
	require.ErrorAs(t, err, &damage)
}

func TestAMissingDayIsDamage(t *testing.T) {
	dir := folder(t)
	j := open(t, dir)
	for i := range 3 {
		_, err := j.Append(t.Context(), batchOf(4, day0+int64(i)*24*hour))
		require.NoError(t, err)
	}
	require.NoError(t, j.Close())
	require.NoError(t, os.Remove(filepath.Join(dir, "2026-03-03.db")))
	_, err := journal.Open(t.Context(), dir, journal.Options{Zone: jakarta})
	var damage *journal.DamageError
	require.ErrorAs(t, err, &damage)
}
