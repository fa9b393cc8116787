package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/backup"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

const amount = 5000 // rupiah, of each receipt

// meter sends receipts one after the other and counts those that were
// acknowledged.
type meter struct {
	r      *running
	c      *sourcetest.Client
	day    string
	acked  atomic.Uint64
	ended  chan struct{}
	ending context.CancelFunc
}

func (r *running) meter(device, secret string) *meter {
	r.t.Helper()
	m := &meter{r: r, ended: make(chan struct{}), day: time.Now().In(r.cfg.City.Zone).Format(time.DateOnly)}
	r.until("the meter is logged in", func() bool {
		m.c = sourcetest.Dial(r.t, r.at.Brokers["b"], nil)
		return m.c.Hello(sourcetest.Hello{ID: device, User: device, Secret: secret}).ReasonCode == 0
	})
	return m
}

// send sends receipt n; what is acknowledged is committed or known.
func (m *meter) send(n uint64) {
	at := m.day + "T00:00:01+07:00"
	m.c.Publish("sg/v1/m1/up", fmt.Appendf(nil, `{"kind":"receipt","boot":9,"seq":%d,"at":%q,"receipt":"B-%d","amount":%d,"method":"cash","class":"car"}`, n, at, n, amount), 1, uint16(n%60_000)+1)
	m.c.Expect(4)
	m.acked.Store(n)
}

func (m *meter) begin() {
	ctx, cancel := context.WithCancel(m.r.t.Context())
	m.ending = cancel
	go func() {
		defer close(m.ended)
		for n := uint64(1); ctx.Err() == nil; n++ {
			m.send(n)
		}
	}()
}

func (m *meter) end() uint64 {
	m.ending()
	<-m.ended
	return m.acked.Load()
}

// income is what the books say of a day, and how many receipts they have.
func (r *running) income(admin, day string) (recorded, receipts int64) {
	r.t.Helper()
	var daily struct {
		Items []struct {
			Recorded int64 `json:"recorded"`
			Receipts int64 `json:"receipts"`
		} `json:"items"`
	}
	require.Equal(r.t, http.StatusOK, r.get("/v1/revenue/daily?group=site&from="+day+"&to="+next(r.t, day), admin, &daily))
	for _, i := range daily.Items {
		recorded += i.Recorded
		receipts += i.Receipts
	}
	return recorded, receipts
}

// archivedCity is a stopped store with archived and retired days.
func archivedCity(t *testing.T) (dir string, day time.Time) {
	t.Helper()
	dir = newDir(t)
	writeFiles(t, dir, storeFiles)
	day = past(t, load(t, dir))
	r := start(t, dir)
	r.caughtUp()
	require.NoError(t, r.stop())
	letGo(t, r.cfg)
	return dir, day
}

// other is a configuration of the same city with an empty data_dir.
func other(t *testing.T) string {
	t.Helper()
	dir := newDir(t)
	writeFiles(t, dir, storeFiles)
	return dir
}

func restore(t *testing.T, dir, from string) error {
	t.Helper()
	return app.Restore(t.Context(), app.RestoreOptions{Config: load(t, dir), From: from, Say: t.Logf})
}

func take(t *testing.T, c *config.Config, to string) error {
	t.Helper()
	return app.Backup(t.Context(), app.BackupOptions{Config: c, To: to, Version: "test", Say: t.Logf})
}

func TestABackupOfARunningGatewayIsWhole(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	dir, day := archivedCity(t)
	r := start(t, dir)
	r.caughtUp()
	admin := r.admin()
	issued, err := broker.Issue(r.cfg.Sources[0].CredentialsFile, "m1")
	require.NoError(t, err)
	m := r.meter("m1", issued[0].Secret)
	m.begin()
	r.until("the load runs", func() bool { return m.acked.Load() > 50 })
	r.publish("stranger", reading(1, true)) // goes to quarantine

	before := m.acked.Load()
	to := filepath.Join(t.TempDir(), "new", "backup")
	require.NoError(t, take(t, r.cfg, to))
	require.Equal(t, "0", r.counter("simpang_commits_failed_total"))
	require.NoError(t, app.Verify(t.Context(), r.cfg, t.Logf), "beside a gateway that takes readings")
	sent := m.end()
	require.Greater(t, sent, before, "intake went on")
	old := day.Format(time.DateOnly)
	want := r.ask(admin, old)
	r.until("the books have everything", func() bool { _, n := r.income(admin, m.day); return n == int64(sent) })
	require.NoError(t, r.stop())

	fresh := other(t)
	require.NoError(t, restore(t, fresh, to))
	require.NoError(t, app.Verify(t.Context(), load(t, fresh), t.Logf))
	r = start(t, fresh)
	r.caughtUp()
	recorded, receipts := r.income(admin, m.day) // the token came along
	require.GreaterOrEqual(t, receipts, int64(before), "what was acknowledged before the backup began is there")
	require.Less(t, receipts, int64(sent))
	require.Equal(t, receipts*amount, recorded, "each once")
	got := r.ask(admin, old)
	for path, answer := range want.Answers {
		require.JSONEq(t, string(answer), string(got.Answers[path]), path)
	}
	for device, answer := range want.Readings {
		require.JSONEq(t, string(answer), string(got.Readings[device]), device)
	}
	var list struct {
		Items []struct {
			ID     int64  `json:"id"`
			Device string `json:"device"`
		} `json:"items"`
	}
	require.Equal(t, http.StatusOK, r.get("/v1/quarantine", admin, &list))
	require.NotEmpty(t, list.Items)
	var opened json.RawMessage
	require.Equal(t, http.StatusOK, r.do(http.MethodPost, fmt.Sprintf("/v1/quarantine/%d/retry", list.Items[0].ID), admin, &opened), "its key came along")

	// The meter sends everything again: what is there is known, the rest is taken.
	again := r.meter("m1", issued[0].Secret)
	for n := uint64(1); n <= sent; n++ {
		again.send(n)
	}
	r.until("the books are as they were", func() bool { _, n := r.income(admin, m.day); return n == int64(sent) })
	recorded, _ = r.income(admin, m.day)
	require.Equal(t, int64(sent)*amount, recorded)
	require.NoError(t, r.stop())
	require.NoError(t, app.Verify(t.Context(), r.cfg, t.Logf))
}

func TestNoByteOfABackupMayDiffer(t *testing.T) {
	dir, _ := archivedCity(t)
	cfg := load(t, dir)
	to := filepath.Join(t.TempDir(), "backup")
	require.NoError(t, take(t, cfg, to))
	m, err := backup.Read(to)
	require.NoError(t, err)
	itself, faults := config.Load(filepath.Join(dir, "simpang.yaml"), nil, map[string]string{"data_dir": filepath.Join(to, "data")})
	require.Empty(t, faults)
	require.NoError(t, app.Verify(t.Context(), itself, t.Logf), "a backup can be verified where it lies")
	require.NoError(t, m.Check(t.Context(), to), "and is as it was")
	kinds := map[string]string{}
	for _, f := range m.Files {
		kinds[filepath.Dir(f.Path)+filepath.Ext(f.Path)] = f.Path
	}
	require.Greater(t, len(kinds), 8, "%v", kinds)
	for _, kind := range append([]string{backup.ManifestName}, slices.Collect(maps.Values(kinds))...) {
		path := filepath.Join(to, kind)
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		if len(whole) == 0 {
			continue
		}
		for what, change := range map[string]func([]byte) []byte{
			"a flipped bit": func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
			"cut off":       func(b []byte) []byte { return b[:len(b)-1] },
		} {
			if strings.HasSuffix(kind, ".parquet") {
				require.NoError(t, os.Remove(path)) // the live file may be the same
			}
			require.NoError(t, os.WriteFile(path, change(append([]byte(nil), whole...)), 0o600))
			fresh := other(t)
			err := restore(t, fresh, to)
			var damage *backup.DamageError
			require.ErrorAs(t, err, &damage, "%s: %s", kind, what)
			require.Equal(t, path, damage.File)
			if strings.HasPrefix(kind, "data/") {
				require.Equal(t, []string{"lock"}, names(t, filepath.Join(fresh, "data")), "nothing was left")
			}
		}
		require.NoError(t, os.WriteFile(path, whole, 0o600))
	}
	require.NoError(t, os.Remove(filepath.Join(to, "data", "ledger.db")))
	require.ErrorContains(t, restore(t, other(t), to), "ledger.db: it is missing")
	require.NoError(t, os.Remove(filepath.Join(to, backup.ManifestName)))
	var unfinished *backup.UnfinishedError
	require.ErrorAs(t, restore(t, other(t), to), &unfinished)
	require.NoError(t, app.Verify(t.Context(), cfg, t.Logf), "the store itself is as it was")
}

func names(t *testing.T, dir string) (found []string) {
	t.Helper()
	there, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range there {
		found = append(found, e.Name())
	}
	return found
}

func TestWhereABackupAndARestoreGo(t *testing.T) {
	dir := newDir(t)
	cfg := load(t, dir)
	require.ErrorContains(t, take(t, cfg, filepath.Join(t.TempDir(), "b")), "nothing to back up")
	r := start(t, dir)
	r.publish("d1", reading(1, true))
	full := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(full, "x"), nil, 0o600))
	require.ErrorContains(t, take(t, cfg, full), "not empty")
	require.ErrorContains(t, take(t, cfg, filepath.Join(cfg.DataDir, "b")), "lies within data_dir")
	to := t.TempDir() // empty
	require.NoError(t, take(t, cfg, to))
	require.ErrorContains(t, take(t, cfg, to), "holds a backup already")

	require.ErrorContains(t, restore(t, dir, to), "another gateway runs")
	require.NoError(t, r.stop())
	require.ErrorContains(t, restore(t, dir, to), "not empty")
	require.ErrorContains(t, restore(t, other(t), full), "cut off")
	require.ErrorContains(t, restore(t, other(t), filepath.Join(full, "nowhere")), "no backup")
	stranger := newDir(t)
	text, err := os.ReadFile(filepath.Join(stranger, "simpang.yaml"))
	require.NoError(t, err)
	writeFiles(t, stranger, map[string]string{"simpang.yaml": strings.Replace(string(text), "id: bekasi", "id: depok", 1)})
	require.ErrorContains(t, restore(t, stranger, to), `of the city "bekasi"`)

	// Everything of data_dir came along, but what belongs to the run.
	fresh := other(t)
	require.NoError(t, restore(t, fresh, to))
	here, there := tree(t, cfg.DataDir), tree(t, filepath.Join(fresh, "data"))
	for _, name := range []string{"backup.json", "restored.json"} {
		delete(here, name)
		delete(there, name)
	}
	require.Equal(t, here, there)
	require.NoError(t, app.Verify(t.Context(), load(t, fresh), t.Logf))
}

// tree is what files are below a folder.
func tree(t *testing.T, dir string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, path)
		if !e.IsDir() && !strings.HasSuffix(rel, "-wal") && !strings.HasSuffix(rel, "-shm") {
			found[rel] = true
		}
		return err
	}))
	return found
}

func TestARestoreThatWasCutOffIsNoStore(t *testing.T) {
	dir, _ := archivedCity(t)
	to := filepath.Join(t.TempDir(), "backup")
	require.NoError(t, take(t, load(t, dir), to))

	// While it was copied: the next restore begins anew.
	fresh := other(t)
	writeFiles(t, fresh, map[string]string{"data/.restoring/journal/2026-01-01.db": "half"})
	err := app.Run(t.Context(), app.Options{Config: load(t, fresh), Log: discard})
	require.ErrorContains(t, err, "a restore into")
	require.ErrorContains(t, take(t, load(t, fresh), filepath.Join(t.TempDir(), "b")), "a restore into")
	require.NoError(t, restore(t, fresh, to))
	require.NoError(t, app.Verify(t.Context(), load(t, fresh), t.Logf))

	// While it was put in place: nobody opens it, and a person empties it.
	require.NoError(t, os.MkdirAll(filepath.Join(fresh, "data", ".restoring"), 0o700))
	err = app.Run(t.Context(), app.Options{Config: load(t, fresh), Log: discard})
	require.ErrorContains(t, err, "a restore into")
	require.ErrorContains(t, app.Verify(t.Context(), load(t, fresh), t.Logf), "a restore into")
	require.ErrorContains(t, restore(t, fresh, to), "not empty")
}
