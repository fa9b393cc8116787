package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

// TestIntakeGoesOnWhileADayIsUnlinked: a large file takes long to be unlinked.
func TestIntakeGoesOnWhileADayIsUnlinked(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir(), Options{Zone: time.UTC})
	require.NoError(t, err)
	defer func() { require.NoError(t, j.Close()) }()
	recv := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	tick := func(at time.Time) {
		_, err := j.Append(t.Context(), []Entry{{Type: TypeTick, Recv: at.UnixMilli()}})
		require.NoError(t, err)
	}
	for day := range 3 {
		tick(recv.AddDate(0, 0, day))
	}
	unlinking, goOn := make(chan struct{}), make(chan struct{})
	j.remove = func(path string) error {
		if filepath.Base(path) == "2026-03-02.db" {
			close(unlinking)
			<-goOn
		}
		return os.Remove(path)
	}
	retired := make(chan error, 1)
	go func() { retired <- j.Retire(t.Context(), "2026-03-02") }()
	<-unlinking
	head := j.Head()
	committed := make(chan struct{})
	go func() {
		defer close(committed)
		for range 100 {
			tick(recv.AddDate(0, 0, 2))
		}
		tick(recv.AddDate(0, 0, 3)) // a new day begins meanwhile
	}()
	select {
	case <-committed:
	case <-time.After(30 * time.Second):
		close(goOn)
		t.Fatal("commits waited for the file to be unlinked")
	}
	require.Equal(t, head+102, j.Head())
	require.Positive(t, j.LastRecv())
	close(goOn)
	require.NoError(t, <-retired)
	require.Equal(t, "2026-03-03", j.Days()[0].Date)
	require.Len(t, j.Days(), 3)
	require.NoError(t, j.Verify(t.Context(), nil))
	require.NoFileExists(t, filepath.Join(j.dir, "2026-03-02.db"))
}

// TestADayThatWasBeingRetiredIsRetiredAgain: the program died after what must
// outlive the day was kept and before its file went.
func TestADayThatWasBeingRetiredIsRetiredAgain(t *testing.T) {
	dir := t.TempDir()
	open := func() *Journal {
		j, err := Open(t.Context(), dir, Options{Zone: time.UTC})
		require.NoError(t, err)
		return j
	}
	j := open()
	for day := range 2 {
		_, err := j.Append(t.Context(), []Entry{{Type: TypeTick, Recv: time.Date(2026, 3, 2+day, 0, 0, 0, 0, time.UTC).UnixMilli()}})
		require.NoError(t, err)
	}
	require.NoError(t, j.keep(t.Context(), j.list()[0]))
	require.NoError(t, j.Close())
	j = open()
	require.Len(t, j.Days(), 2)
	require.NoError(t, j.Verify(t.Context(), nil))
	require.NoError(t, j.Retire(t.Context(), "2026-03-02"))
	require.NoError(t, j.Verify(t.Context(), nil))
	require.NoError(t, j.Close())
}

func TestWhatExpiresGoesInPortions(t *testing.T) {
	q, err := OpenQuarantine(t.Context(), filepath.Join(t.TempDir(), "quarantine.db"), [32]byte{1}, Limits{PerDevice: 10_000})
	require.NoError(t, err)
	defer func() { require.NoError(t, q.Close()) }()
	const old, fresh = 2*expireAtOnce + 7, 5
	items := make([]Item, old+fresh)
	for i := range items {
		items[i] = Item{Recv: int64(i), Device: fmt.Sprint("d", i%3), Reason: city.ReasonTooOld, Raw: fmt.Append(nil, i)}
	}
	_, err = q.Put(t.Context(), items)
	require.NoError(t, err)
	before := q.Counts()
	gone, err := q.Expire(t.Context(), old)
	require.NoError(t, err)
	require.Equal(t, old, gone)
	now := q.Counts()
	require.Equal(t, fresh, now.Items)
	require.Equal(t, fresh, now.ByReason[city.ReasonTooOld])
	require.Less(t, now.Bytes, before.Bytes)
	require.Zero(t, now.Evicted, "what expires is not evicted")
	require.NoError(t, q.count(t.Context()))
	require.Equal(t, now, q.Counts(), "as the file has it")
	gone, err = q.Expire(t.Context(), old)
	require.NoError(t, err)
	require.Zero(t, gone)
}
