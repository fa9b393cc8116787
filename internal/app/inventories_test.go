package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// folder is an inventory's folder, and what its reloads put into the queue.
type folder struct {
	t      *testing.T
	v      *inventories
	queued []journal.Entry
	answer error // of the queue
}

func newFolder(t *testing.T) *folder {
	t.Helper()
	store, err := inventory.OpenStore(t.TempDir())
	require.NoError(t, err)
	f := &folder{t: t, v: &inventories{
		dir: t.TempDir(), zone: time.UTC, store: store, timeline: &inventory.Timeline{},
		waiting: map[string]*inventory.Version{}, onTheWay: map[string]int{},
		restart: func() ([]string, error) { return nil, nil },
	}}
	f.write("sites.geojson", `{"type":"FeatureCollection","features":[]}`)
	f.write("devices.csv", "id,kind,site,spot\n")
	return f
}

func (f *folder) write(name, text string) {
	f.t.Helper()
	require.NoError(f.t, os.WriteFile(filepath.Join(f.v.dir, name), []byte(text), 0o600))
}

// reload reloads; what is answered with an error was queued all the same,
// unless it never came that far.
func (f *folder) reload() (changed bool, err error) {
	result, err := f.v.reload(f.t.Context(), func(_ context.Context, c intake.Command) (uint64, intake.Verdict, error) {
		if !errors.Is(f.answer, errNotQueued) {
			f.queued = append(f.queued, c.Entries...)
		}
		return 0, intake.Verdict{}, f.answer
	})
	return result.Changed, err
}

// commit commits what is queued.
func (f *folder) commit() {
	for i := range f.queued {
		f.queued[i].Pos = uint64(i + 1)
	}
	f.v.committed(f.queued)
	f.queued = nil
}

// A reload that was answered with 503 may be committed later; the folder as it
// was before, reloaded after it, must win all the same.
func TestAReloadIsNotOvertakenByOneThatWasAnsweredWith503(t *testing.T) {
	f := newFolder(t)
	changed, err := f.reload()
	require.NoError(t, err)
	require.True(t, changed)
	f.commit()
	before := f.v.Current().Hash

	f.write("devices.csv", "id,kind,site,spot\n\n")
	f.answer = context.DeadlineExceeded
	_, err = f.reload()
	require.Error(t, err)
	f.write("devices.csv", "id,kind,site,spot\n")
	f.answer = nil
	_, err = f.reload()
	require.NoError(t, err)
	f.commit()
	require.Equal(t, before, f.v.Current().Hash, "what was reloaded last holds")

	changed, err = f.reload()
	require.NoError(t, err)
	require.False(t, changed)
	require.Empty(t, f.queued, "nothing is on its way any more")
	require.Empty(t, f.v.waiting)
}

// A version that the queue had no room for is not on its way.
func TestAReloadThatFoundNoRoomLeavesNothing(t *testing.T) {
	f := newFolder(t)
	_, err := f.reload()
	require.NoError(t, err)
	f.commit()
	f.write("devices.csv", "id,kind,site,spot\n\n")
	f.answer = busy(errNotQueued)
	_, err = f.reload()
	require.Error(t, err)
	require.Empty(t, f.v.waiting)
	require.Empty(t, f.v.onTheWay)
}
