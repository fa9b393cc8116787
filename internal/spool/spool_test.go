package spool_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/spool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var key = [spool.KeySize]byte{1, 2, 3}

func open(t *testing.T, path string, most int64) *spool.Spool {
	t.Helper()
	s, err := spool.Open(t.Context(), path, key, most)
	require.NoError(t, err)
	return s
}

// ended puts one whole job of two pieces.
func ended(t *testing.T, s *spool.Spool, source, head, tail string, at int64) spool.Job {
	t.Helper()
	j := &spool.Job{Source: source, Began: at}
	require.NoError(t, s.Append(t.Context(), j, []byte(head)))
	j.Ending, j.Whole, j.Ended = "cut", true, at+1000
	require.NoError(t, s.End(t.Context(), j, []byte(tail)))
	return *j
}

func TestAJobComesBackUntilItWasTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	s := open(t, path, 0)
	a := ended(t, s, "till", "STRUK ", "Rp 5.000", 1000)
	b := ended(t, s, "till", "", "Rp 6.000", 5000)
	ended(t, s, "another", "x", "y", 6000)
	require.NoError(t, s.Number(t.Context(), &a, 7, 1))
	require.NoError(t, s.Close())

	s = open(t, path, 0)
	got, ok, err := s.Next(t.Context(), "till", 0)
	require.NoError(t, err)
	require.True(t, ok)
	sum := sha256.Sum256([]byte("STRUK Rp 5.000"))
	require.Equal(t, "STRUK Rp 5.000", string(got.Data))
	require.Equal(t, hex.EncodeToString(sum[:]), got.SHA256)
	require.Equal(t, []any{a.ID, int64(1000), int64(2000), true, "cut", uint64(7), uint64(1), 14}, []any{got.ID, got.Began, got.Ended, got.Whole, got.Ending, got.Boot, got.Seq, got.Size})
	got, ok, err = s.Next(t.Context(), "till", a.ID)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, b.ID, got.ID)
	require.Zero(t, got.Boot, "it was never handed on")
	require.Equal(t, spool.Counts{Jobs: 3, Waiting: 3, Bytes: 24}, s.Counts())

	require.NoError(t, s.Taken(t.Context(), []int64{a.ID, b.ID}))
	require.NoError(t, s.Taken(t.Context(), []int64{a.ID}), "twice is once")
	_, ok, err = s.Next(t.Context(), "till", 0)
	require.NoError(t, err)
	require.False(t, ok)
	require.Equal(t, 1, s.Counts().Waiting)
	got, err = s.Get(t.Context(), a.ID)
	require.NoError(t, err)
	require.Equal(t, "STRUK Rp 5.000", string(got.Data), "what was taken is kept")
	require.NoError(t, s.Close())
	jobs, err := spool.Verify(t.Context(), path, key)
	require.NoError(t, err)
	require.Equal(t, 3, jobs)
}

func TestWhatWentOnIsEndedAtTheNextStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	s := open(t, path, 0)
	j := &spool.Job{Source: "till", Began: 1}
	require.NoError(t, s.Append(t.Context(), j, []byte("STRUK")))
	require.NoError(t, s.Close())
	s = open(t, path, 0)
	defer s.Close()
	n, err := s.Recover(t.Context(), "till", "stopped")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	got, ok, err := s.Next(t.Context(), "till", 0)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "stopped", got.Ending)
	require.Equal(t, "STRUK", string(got.Data))
	require.False(t, got.Whole)
	n, err = s.Recover(t.Context(), "till", "stopped")
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestNothingIsReadableInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	s := open(t, path, 0)
	text := "NOPOL B 1234 KXY "
	ended(t, s, "till", text, text, 1)
	require.NoError(t, s.Close())
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	sum := sha256.Sum256([]byte(text + text))
	require.NotContains(t, string(file), "1234")
	require.False(t, bytes.Contains(file, sum[:]), "a hash of a known paper would give the plate away")

	_, err = spool.Verify(t.Context(), path, [spool.KeySize]byte{9})
	require.ErrorContains(t, err, "another key")
}

func TestTheOldestThatWasTakenMakesRoom(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "spool.db"), 100)
	defer s.Close()
	kilo := string(bytes.Repeat([]byte("x"), 40))
	a, b := ended(t, s, "till", "", kilo, 1), ended(t, s, "till", "", kilo, 2)
	c := &spool.Job{Source: "till", Began: 3}
	require.ErrorIs(t, s.Append(t.Context(), c, []byte(kilo)), spool.ErrFull, "what waits never goes")
	require.Equal(t, spool.Counts{Jobs: 2, Waiting: 2, Bytes: 80}, s.Counts())
	require.NoError(t, s.Taken(t.Context(), []int64{a.ID}))
	require.NoError(t, s.Append(t.Context(), c, []byte(kilo)))
	require.Equal(t, spool.Counts{Jobs: 2, Waiting: 2, Bytes: 80, Evicted: 1}, s.Counts())
	_, err := s.Get(t.Context(), a.ID)
	require.Equal(t, city.KindNotFound, city.KindOf(err))
	require.NoError(t, s.Drop(t.Context(), c))
	require.Equal(t, spool.Counts{Jobs: 1, Waiting: 1, Bytes: 40, Evicted: 1}, s.Counts())

	gone, err := s.Expire(t.Context(), 1_000_000)
	require.NoError(t, err)
	require.Zero(t, gone, "what waits is never too old")
	require.NoError(t, s.Taken(t.Context(), []int64{b.ID}))
	gone, err = s.Expire(t.Context(), 1_000_000)
	require.NoError(t, err)
	require.Equal(t, 1, gone)
	require.Equal(t, spool.Counts{Evicted: 1}, s.Counts())
}

// TestAPrintIsKeptWhileTheGatewayStops: what came is kept whole though nobody
// waits for it any more.
func TestAPrintIsKeptWhileTheGatewayStops(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "spool.db"), 0)
	defer s.Close()
	over, stop := context.WithCancel(t.Context())
	stop()
	j := &spool.Job{Source: "till", Began: 1}
	require.NoError(t, s.Append(over, j, []byte("STRUK ")))
	j.Ending, j.Whole, j.Ended = "cut", true, 2
	require.NoError(t, s.End(over, j, []byte("Rp 5.000")))
	require.NoError(t, s.Number(over, j, 7, 1))
	got, ok, err := s.Next(t.Context(), "till", 0)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "STRUK Rp 5.000", string(got.Data))
	require.NoError(t, s.Taken(over, []int64{j.ID}))
}

func TestBootsOnlyGrow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	s := open(t, path, 0)
	a, err := s.Boot(t.Context(), "till", 5_000_000)
	require.NoError(t, err)
	require.Equal(t, uint64(5000), a)
	require.NoError(t, s.Close())
	s = open(t, path, 0)
	defer s.Close()
	b, err := s.Boot(t.Context(), "till", 1_000_000) // our clock was set back
	require.NoError(t, err)
	require.Equal(t, uint64(5001), b)
}

func TestWhoOpensAPrintIsWrittenDown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	s := open(t, path, 0)
	a, b := ended(t, s, "till", "a", "b", 1), ended(t, s, "other", "c", "d", 2)
	got, err := s.Open(t.Context(), a.ID, 5000, "siti")
	require.NoError(t, err)
	require.Equal(t, "ab", string(got.Data))
	_, err = s.Open(t.Context(), b.ID, 6000, "budi")
	require.NoError(t, err)
	_, err = s.Open(t.Context(), 99, 7000, "budi")
	require.Equal(t, city.KindNotFound, city.KindOf(err))
	opened, err := s.Openings(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, []spool.Opening{{6000, b.ID, "budi"}, {5000, a.ID, "siti"}}, opened)
	list, err := s.List(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, b.ID, list[0].ID)
	list, err = s.List(t.Context(), "till", 10)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.False(t, list[0].Taken())
	require.Empty(t, list[0].Data)
	require.NoError(t, s.Close())
}
