package journal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

func openQuarantine(t *testing.T, path string, limits journal.Limits) *journal.Quarantine {
	t.Helper()
	q, err := journal.OpenQuarantine(t.Context(), path, [32]byte{1, 2, 3}, limits)
	require.NoError(t, err)
	t.Cleanup(func() { _ = q.Close() })
	return q
}

func refused(device string, n int, reason city.Reason) journal.Item {
	return journal.Item{Recv: day0 + int64(n), Source: "broker", Device: device, Topic: "sg/v1/" + device + "/up", Index: n, Reason: reason, Detail: "why", Seq: city.SomeInt(int64(n)), Raw: fmt.Appendf(nil, `{"kind":"spot","plate":"B 1234 XYZ","n":%d}`, n)}
}

func TestQuarantineKeepsAndMarks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quarantine.db")
	q := openQuarantine(t, path, journal.Limits{})
	items := []journal.Item{refused("a", 1, city.ReasonTooOld), refused("b", 2, city.ReasonUnknownDevice), refused("a", 3, city.ReasonUnknownDevice)}
	items[2].Seq = city.Int{}
	ids, err := q.Put(t.Context(), items)
	require.NoError(t, err)
	require.Len(t, ids, 3)
	again, err := q.Put(t.Context(), append(items[1:], refused("c", 4, city.ReasonChecksum)))
	require.NoError(t, err)
	require.Equal(t, ids[1:], again[:2], "the same is kept once")
	ids = append(ids, again[2])

	require.NoError(t, q.MarkRetried(t.Context(), ids[1], "accepted"))
	require.NoError(t, q.MarkRetried(t.Context(), ids[1], "something else"))
	require.Equal(t, city.KindNotFound, city.KindOf(q.MarkRetried(t.Context(), 99, "accepted")))

	for range 2 {
		require.Equal(t, journal.Counts{
			Items: 4, Bytes: q.Counts().Bytes, ByReason: map[city.Reason]int{city.ReasonTooOld: 1, city.ReasonUnknownDevice: 2, city.ReasonChecksum: 1},
			Pending: map[city.Reason]int{city.ReasonTooOld: 1, city.ReasonUnknownDevice: 1, city.ReasonChecksum: 1},
		}, q.Counts())
		list := func(f journal.Filter, after int64, limit int) []int64 {
			got, err := q.List(t.Context(), f, after, limit)
			require.NoError(t, err)
			found := make([]int64, len(got))
			for i := range got {
				require.Nil(t, got[i].Raw)
				found[i] = got[i].ID
			}
			return found
		}
		require.Equal(t, ids, list(journal.Filter{}, 0, 10))
		require.Equal(t, ids[1:3], list(journal.Filter{}, ids[0], 2))
		require.Equal(t, []int64{ids[0], ids[2]}, list(journal.Filter{Device: "a"}, 0, 10))
		require.Equal(t, ids[1:3], list(journal.Filter{Reason: city.ReasonUnknownDevice}, 0, 10))
		require.Equal(t, ids[2:3], list(journal.Filter{Reason: city.ReasonUnknownDevice, Pending: true}, 0, 10))

		got, err := q.Get(t.Context(), ids[1])
		require.NoError(t, err)
		want := items[1]
		want.ID, want.Retried, want.Verdict = ids[1], true, "accepted"
		sum := sha256.Sum256(want.Raw)
		want.RawSize, want.RawSHA256 = len(want.Raw), hex.EncodeToString(sum[:])
		require.Equal(t, want, got)
		_, err = q.Get(t.Context(), 99)
		require.Equal(t, city.KindNotFound, city.KindOf(err))
		require.NoError(t, q.Close())
		q = openQuarantine(t, path, journal.Limits{})
	}
	n, err := q.Expire(t.Context(), day0+3)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, 2, q.Counts().Items)
	require.Zero(t, q.Counts().Evicted)
}

func TestQuarantineIsSealed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quarantine.db")
	q := openQuarantine(t, path, journal.Limits{})
	big := refused("a", 1, city.ReasonTooLarge)
	big.Raw = bytes.Repeat([]byte("B 1234 XYZ "), 20_000)
	ids, err := q.Put(t.Context(), []journal.Item{big})
	require.NoError(t, err)
	got, err := q.Get(t.Context(), ids[0])
	require.NoError(t, err)
	require.Equal(t, big.Raw[:journal.RawKept], got.Raw)
	require.Equal(t, len(big.Raw), got.RawSize)
	sum := sha256.Sum256(big.Raw)
	require.Equal(t, hex.EncodeToString(sum[:]), got.RawSHA256)
	require.NoError(t, q.Close())
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(kept), "B 1234")
	require.NotContains(t, string(kept), string(sum[:]))

	other, err := journal.OpenQuarantine(t.Context(), path, [32]byte{9}, journal.Limits{})
	require.NoError(t, err)
	defer other.Close()
	_, err = other.Get(t.Context(), ids[0])
	require.ErrorContains(t, err, "key")
}

func TestQuarantineIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quarantine.db")
	q := openQuarantine(t, path, journal.Limits{PerDevice: 3, Total: 5})
	for n := range 4 {
		_, err := q.Put(t.Context(), []journal.Item{refused("a", n, city.ReasonTooOld)})
		require.NoError(t, err)
	}
	require.Equal(t, 3, q.Counts().Items)
	require.Equal(t, uint64(1), q.Counts().Evicted)
	_, err := q.Put(t.Context(), []journal.Item{refused("b", 1, city.ReasonChecksum), refused("c", 1, city.ReasonChecksum), refused("d", 1, city.ReasonChecksum)})
	require.NoError(t, err)
	for range 2 {
		c := q.Counts()
		require.Equal(t, 5, c.Items)
		require.Equal(t, uint64(2), c.Evicted)
		require.Equal(t, map[city.Reason]int{city.ReasonTooOld: 2, city.ReasonChecksum: 3}, c.ByReason)
		items, err := q.List(t.Context(), journal.Filter{}, 0, 10)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "a", "b", "c", "d"}, []string{items[0].Device, items[1].Device, items[2].Device, items[3].Device, items[4].Device})
		require.NoError(t, q.Close())
		q = openQuarantine(t, path, journal.Limits{PerDevice: 3, Total: 5})
	}
	require.NoError(t, q.Close())
	q = openQuarantine(t, path, journal.Limits{Bytes: 300})
	_, err = q.Put(t.Context(), []journal.Item{refused("e", 1, city.ReasonChecksum)})
	require.NoError(t, err)
	require.LessOrEqual(t, q.Counts().Bytes, int64(300))
	require.Positive(t, q.Counts().Items)
}
