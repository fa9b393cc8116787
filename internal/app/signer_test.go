package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/proof"
)

// text asks for what is no JSON.
func (r *running) text(path, bearer string) string {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://"+r.at.HTTP+path, nil)
	require.NoError(r.t, err)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(r.t, err)
	require.Equal(r.t, http.StatusOK, res.StatusCode, "%s: %s", path, body)
	return string(body)
}

func (r *running) checkpoint(key *proof.PublicKey) *proof.Checkpoint {
	r.t.Helper()
	c, err := proof.OpenCheckpoint([]byte(r.text("/v1/revenue/proof/checkpoint", "")), key)
	require.NoError(r.t, err)
	return c
}

func receiptOf(seq int, number string) string {
	return `{"kind":"receipt","boot":1,"seq":` + string(rune('0'+seq)) + `,"at":"` + time.Now().Format(time.RFC3339) + `","receipt":"` + number + `","amount":5000,"method":"cash","plate":"B 1234 XY"}`
}

// The life of the signed books: made at the first start, proved over the API,
// checked in a fresh folder with the public key alone, signed at a stop, gone
// on from after a restore.
func TestTheBooksAreSignedAndProved(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	dir := other(t)
	cfg := load(t, dir)
	_, err := app.PublicKey(cfg)
	require.ErrorContains(t, err, "no signing key")
	printed, err := app.Keygen(cfg)
	require.NoError(t, err)
	_, err = app.Keygen(cfg)
	require.ErrorContains(t, err, "not replaced")
	key, err := proof.ParsePublicKey(printed)
	require.NoError(t, err)
	require.Equal(t, "simpang/bekasi", key.Name())

	r := start(t, dir)
	again, err := app.PublicKey(cfg)
	require.NoError(t, err)
	require.Equal(t, printed, again, "the gateway takes the key that is there")
	var first *proof.Checkpoint
	r.until("the first checkpoint", func() bool { return r.get("/v1/revenue/proof/checkpoint", "", nil) == http.StatusOK })
	first = r.checkpoint(key)
	require.Zero(t, first.Size)
	require.InDelta(t, time.Now().UnixMilli(), first.At, 60_000)

	admin := r.admin()
	r.publish("m1", receiptOf(1, "A-1"))
	r.publish("m1", receiptOf(2, "A-2"))
	var in api.Inclusion
	r.until("the receipt is in the books", func() bool { return r.get("/v1/revenue/proof/inclusion?receipt=m1:1:2", admin, &in) == http.StatusOK })
	require.Len(t, in.Entries, 1)
	require.Greater(t, in.Size, in.Entries[0].Leaf, "it was signed for this proof")
	require.NotContains(t, string(in.Entries[0].Data), "1234")
	second := r.checkpoint(key)
	require.Equal(t, first.Origin, second.Origin)
	var grown api.Consistency
	require.Equal(t, http.StatusOK, r.get(fmt.Sprintf("/v1/revenue/proof/consistency?from=1&to=%d", second.Size), admin, &grown))
	require.Equal(t, second.Root.String(), grown.ToRoot)

	fresh := t.TempDir()
	file := filepath.Join(fresh, "bundle.json")
	text := r.text("/v1/revenue/proof/bundle?receipts=m1:1:1,m1:1:2", admin)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(fresh, "key"), []byte(printed+"\n"), 0o600))
	var said []string
	say := func(format string, _ ...any) { said = append(said, format) }
	require.NoError(t, app.VerifyBundle(file, printed, say))
	require.NoError(t, app.VerifyBundle(file, filepath.Join(fresh, "key"), say))
	require.NotEmpty(t, said)
	var wrong *app.KeyError
	require.ErrorAs(t, app.VerifyBundle(file, "no key", say), &wrong)
	stranger, err := proof.NewKey(key.Name())
	require.NoError(t, err)
	require.ErrorContains(t, app.VerifyBundle(file, stranger.Public().String(), say), "not signed by")
	b, err := proof.ParseBundle([]byte(text))
	require.NoError(t, err)
	require.Len(t, b.Entries, 2)
	b.Entries[1].Data[len(b.Entries[1].Data)-1] ^= 1
	changed, err := json.Marshal(b)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, changed, 0o600))
	require.ErrorContains(t, app.VerifyBundle(file, printed, say), fmt.Sprintf("entry %d", b.Entries[1].Leaf+1))

	r.publish("m1", receiptOf(3, "A-3"))
	r.until("the third is in the books", func() bool {
		var list struct{ Items []json.RawMessage }
		return r.get("/v1/revenue/receipts", admin, &list) == http.StatusOK && len(list.Items) == 3
	})
	require.NoError(t, r.stop())
	require.NoError(t, app.Verify(t.Context(), cfg, t.Logf))
	to := filepath.Join(t.TempDir(), "backup")
	require.NoError(t, take(t, cfg, to))

	elsewhere := other(t)
	require.NoError(t, restore(t, elsewhere, to))
	require.NoError(t, app.Verify(t.Context(), load(t, elsewhere), t.Logf))
	r = start(t, elsewhere)
	r.until("the checkpoint of the restored books", func() bool { return r.get("/v1/revenue/proof/checkpoint", "", nil) == http.StatusOK })
	c := r.checkpoint(key)
	require.NotEqual(t, first.Origin, c.Origin, "a restore begins a log")
	require.Greater(t, c.Size, second.Size)
	require.Equal(t, first.Origin, c.Before.Origin)
	require.Equal(t, c.Size, c.Before.Size, "what came last was signed at the stop")
	require.NoError(t, r.stop())

	// Without its key the signed store does not start; with another one it goes
	// on as a new log.
	keyFile := filepath.Join(elsewhere, "data", "keys", "books.key")
	require.NoError(t, os.Remove(keyFile))
	err = app.Run(t.Context(), app.Options{Config: load(t, elsewhere), Version: "test", Log: discard})
	require.ErrorContains(t, err, "books.key is missing")
	other, err := app.Keygen(load(t, elsewhere))
	require.NoError(t, err)
	r = start(t, elsewhere)
	otherKey, err := proof.ParsePublicKey(other)
	require.NoError(t, err)
	r.until("it is signed by the new key", func() bool {
		return strings.Contains(r.text("/v1/revenue/proof/checkpoint", ""), fmt.Sprintf("previous %s %d ", c.Origin, c.Size))
	})
	require.NotEqual(t, c.Origin, r.checkpoint(otherKey).Origin)
	require.NoError(t, r.stop())
	require.NoError(t, app.Verify(t.Context(), load(t, elsewhere), t.Logf))
	require.NoError(t, os.WriteFile(keyFile, stranger.File(), 0o600))
	require.ErrorContains(t, app.Verify(t.Context(), load(t, elsewhere), t.Logf), "the signing key is that of")
}
