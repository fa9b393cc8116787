package app_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// refusal is why a gateway does not start.
func refusal(t *testing.T, dir string, o app.Options) error {
	t.Helper()
	o.Config, o.Log = load(t, dir), discard
	return app.Run(t.Context(), o)
}

// smallStore is a stopped store with something in each file.
func smallStore(t *testing.T) (dir, data string) {
	t.Helper()
	dir = newDir(t)
	r := start(t, dir)
	r.admin()
	r.publish("d1", reading(1, true))
	r.publish("stranger", reading(1, true))
	r.until("it is shown", func() bool { return r.occupied() == 1 })
	require.NoError(t, r.stop())
	return dir, r.cfg.DataDir
}

func TestADamagedFileStopsTheStartByName(t *testing.T) {
	dir, data := smallStore(t)
	files := tree(t, data)
	damaged := 0
	for name := range files {
		if !strings.HasSuffix(name, ".db") {
			continue
		}
		damaged++
		path := filepath.Join(data, name)
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		for what, change := range map[string]func(b []byte){
			"no database": func(b []byte) { copy(b, "this is none, and never was") },
			"a page of noise": func(b []byte) {
				for i := 4096; i < 8192; i++ {
					b[i] = byte(i*7 + 1)
				}
			},
		} {
			broken := append([]byte(nil), whole...)
			change(broken)
			require.NoError(t, os.WriteFile(path, broken, 0o600))
			err = refusal(t, dir, app.Options{})
			require.ErrorContains(t, err, path, what)
			switch filepath.Base(name) {
			case "occupancy.db", "traffic.db", "health.db", "series.db", "dedupe.db":
				require.ErrorContains(t, err, "it is built again", what)
			default:
				require.ErrorContains(t, err, "restore the last backup", what)
			}
		}
		require.NoError(t, os.WriteFile(path, whole, 0o600))
	}
	require.GreaterOrEqual(t, damaged, 8)

	// What the message says to do for a derived file helps.
	path := filepath.Join(data, "occupancy.db")
	require.NoError(t, os.WriteFile(path, make([]byte, 9000), 0o600))
	require.ErrorContains(t, refusal(t, dir, app.Options{}), "remove occupancy.db")
	require.NoError(t, os.Remove(path))
	r := start(t, dir)
	r.until("it was built again", func() bool { return r.occupied() == 1 })
	require.NoError(t, r.stop())
}

func TestAJournalThatLostItsEndStopsTheStart(t *testing.T) {
	dir, data := smallStore(t)
	kept := t.TempDir()
	require.NoError(t, os.CopyFS(kept, os.DirFS(filepath.Join(data, "journal"))))
	r := start(t, dir)
	r.publish("d2", reading(1, true))
	r.caughtUp()
	require.NoError(t, r.stop())
	require.NoError(t, os.RemoveAll(filepath.Join(data, "journal")))
	require.NoError(t, os.CopyFS(filepath.Join(data, "journal"), os.DirFS(kept)))
	err := refusal(t, dir, app.Options{})
	require.ErrorContains(t, err, "has seen position")
	require.ErrorContains(t, err, "restore the last backup")
}

func TestAJournalThatLostItsBeginStopsTheStart(t *testing.T) {
	dir, _ := archivedCity(t)
	data := filepath.Join(dir, "data")
	require.NoError(t, os.Remove(filepath.Join(data, "journal", "kept.db")))
	require.ErrorContains(t, refusal(t, dir, app.Options{}), "knows of no retired day")
}

func TestQuarantineIsNeverMadeUnreadable(t *testing.T) {
	dir, data := smallStore(t)
	key := filepath.Join(data, "keys", "quarantine.key")
	require.NoError(t, os.Remove(key))
	require.ErrorContains(t, refusal(t, dir, app.Options{}), "put it back from a backup")
	require.NoFileExists(t, key)
}

// TestTheDeepCheckSeesWhatTheQuickOneCannot: a value that was changed is no
// fault of the file's structure.
func TestTheDeepCheckSeesWhatTheQuickOneCannot(t *testing.T) {
	dir, data := smallStore(t)
	require.NoError(t, app.Verify(t.Context(), load(t, dir), t.Logf))
	path := filepath.Join(data, "quarantine.db")
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	var sealed []byte
	require.NoError(t, db.R.QueryRowContext(t.Context(), "SELECT sealed FROM item").Scan(&sealed))
	sealed[len(sealed)/2] ^= 1
	_, err = db.W.ExecContext(t.Context(), "UPDATE item SET sealed = ?", sealed)
	require.NoError(t, err)
	require.NoError(t, db.Close())

	require.ErrorContains(t, app.Verify(t.Context(), load(t, dir), t.Logf), "quarantine.db: item: row [1]")
	require.ErrorContains(t, refusal(t, dir, app.Options{CheckDeep: true}), "item: row [1]")
	r := start(t, dir)
	require.NoError(t, r.stop())

	fresh := newDir(t)
	r = startWith(t, fresh, app.Options{CheckDeep: true}) // a first start has nothing to verify
	require.NoError(t, r.stop())
	require.NoError(t, filepath.WalkDir(fresh, func(_ string, _ fs.DirEntry, err error) error { return err }))
}
