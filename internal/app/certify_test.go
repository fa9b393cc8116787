package app_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// listed is the list of a day's certificates as the API answers it.
type listed struct {
	SHA256      string          `json:"sha256"`
	Entry       *uint64         `json:"entry"`
	HashBooked  string          `json:"hash_booked"`
	Revision    int64           `json:"revision"`
	Certificate json.RawMessage `json:"certificate"`
}

// TestCertificatesOfAPastAreClosedAndBooked: what a gateway finds in its journal
// it certifies, day after day; the hash of each day's list is an entry of the
// books, proved by the signed log; verify finds the books whole, and a start books
// nothing twice.
func TestCertificatesOfAPastAreClosedAndBooked(t *testing.T) {
	dir := newDir(t)
	writeFiles(t, dir, storeFiles)
	cfg := load(t, dir)
	now := time.Now().In(cfg.City.Zone)
	begin := time.Date(now.Year(), now.Month(), now.Day()-10, 13, 0, 0, 0, cfg.City.Zone)
	r, err := app.OpenReplay(t.Context(), app.Options{Config: cfg, Log: slog.New(slog.DiscardHandler)}, 100)
	require.NoError(t, err)
	n := 0
	for at := begin; at.Before(now.Add(-time.Minute)); at = at.Add(time.Hour) {
		if n++; n%7 == 0 {
			continue // lost
		}
		payload := fmt.Appendf(nil, `{"kind":"spot","boot":1,"seq":%d,"at":%q,"occupied":true}`, n, at.UTC().Format(time.RFC3339))
		require.NoError(t, r.Take(t.Context(), at, source.Message{Source: "b", Device: "d1", Payload: payload, Decoded: native.Decode("d1", payload)}))
	}
	require.NoError(t, r.Close(t.Context()))

	run := start(t, dir)
	run.caughtUp()
	admin := run.admin()
	day := begin.Format(time.DateOnly)
	path := "/v1/completeness?date=" + day
	list := run.booked(path, admin, 1)
	require.Contains(t, string(list.Certificate), `"devices":`)

	var proved struct {
		Entries []struct{ Data []byte }
	}
	require.Equal(t, http.StatusOK, run.get(fmt.Sprintf("/v1/revenue/proof/inclusion?entry=%d", *list.Entry), admin, &proved))
	require.Len(t, proved.Entries, 1)
	require.True(t, bytes.Contains(proved.Entries[0].Data, []byte(list.SHA256)), "the leaf holds the hash of the list")
	sum := sha256.Sum256(list.Certificate)
	require.Equal(t, list.SHA256, hex.EncodeToString(sum[:]))

	var device struct {
		State       string
		Certificate struct {
			Expected, Received, Missing int64
			Basis                       string
			Gaps                        []struct {
				FromSeq int `json:"from_seq"`
			}
		}
	}
	require.Equal(t, http.StatusOK, run.get("/v1/devices/d1/certificate?date="+day, admin, &device))
	require.Equal(t, "closed", device.State)
	require.EqualValues(t, 11, device.Certificate.Expected)
	require.EqualValues(t, 10, device.Certificate.Received)
	require.EqualValues(t, 1, device.Certificate.Missing)
	require.Equal(t, 7, device.Certificate.Gaps[0].FromSeq)
	require.Equal(t, "sequence", device.Certificate.Basis)
	require.NoError(t, run.stop())
	require.NoError(t, app.Verify(t.Context(), cfg, t.Logf))

	run = start(t, dir)
	run.caughtUp()
	again := run.booked(path, run.admin(), 1)
	require.Equal(t, list.SHA256, again.SHA256)
	require.Equal(t, *list.Entry, *again.Entry)
	require.Equal(t, "yes", again.HashBooked)
	require.NoError(t, run.stop())

	// The file is lost and made again, as of now: no entry proves what it holds.
	files, err := filepath.Glob(filepath.Join(cfg.DataDir, "certificates.db*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		require.NoError(t, os.Remove(name))
	}
	run = start(t, dir)
	run.caughtUp()
	admin = run.admin()
	var other listed
	run.until("the books hold another hash", func() bool {
		other = listed{}
		return run.get(path, admin, &other) == http.StatusOK && other.HashBooked == "other"
	})
	require.Nil(t, other.Entry)
	require.NotEqual(t, list.SHA256, other.SHA256)
	require.NoError(t, run.stop())
}

// booked waits until the list of a day is in the books.
func (r *running) booked(path, bearer string, revision int64) (list listed) {
	r.t.Helper()
	r.until("the day's certificates are booked: "+strings.TrimPrefix(path, "/v1/"), func() bool {
		list = listed{}
		return r.get(path, bearer, &list) == http.StatusOK && list.Entry != nil && list.Revision == revision
	})
	return list
}
