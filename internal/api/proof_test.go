package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/proof"
	"github.com/simpang-id/simpang/internal/token"
)

func TestTheCheckpointIsPublic(t *testing.T) {
	st := newStage(t)
	a := st.get(t, "/v1/revenue/proof/checkpoint")
	require.Equal(t, "text/plain; charset=utf-8", a.Header.Get("Content-Type"))
	c, err := proof.OpenCheckpoint([]byte(a.body), st.Proofs.Key.Public())
	require.NoError(t, err)
	require.EqualValues(t, 3, c.Size)
	require.Equal(t, http.StatusNotModified, st.do(t, http.MethodGet, "/v1/revenue/proof/checkpoint", "", "", "If-None-Match", a.Header.Get("Etag")).StatusCode)
	st.Proofs.Newest = nil
	none := st.do(t, http.MethodGet, "/v1/revenue/proof/checkpoint", "", "")
	none.problem(t, http.StatusServiceUnavailable)
	require.Equal(t, "60", none.Header.Get("Retry-After"))
}

func TestProofsThatAreToldHold(t *testing.T) {
	st := newStage(t)
	var in api.Inclusion
	require.NoError(t, json.Unmarshal([]byte(st.as(t, token.Bapenda, "/v1/revenue/proof/inclusion?receipt=meter-1:1:3").body), &in))
	require.Equal(t, []string{"meter-1:1:3"}, st.Proofs.Selected[0].Receipts)
	root, err := proof.ParseHash(in.Root)
	require.NoError(t, err)
	require.Len(t, in.Entries, 2)
	for _, e := range in.Entries {
		require.NoError(t, proof.CheckInclusion(hashes(t, e.Proof), in.Size, root, e.Leaf, proof.LeafHash(e.Data)))
	}
	st.as(t, token.Auditor, "/v1/revenue/proof/inclusion?entry=2")
	require.Equal(t, ledger.Selection{First: 2, Last: 2}, st.Proofs.Selected[1])
	st.do(t, http.MethodGet, "/v1/revenue/proof/inclusion?entry=2", st.Secrets[token.Bapenda], "").problem(t, http.StatusForbidden)

	var grown api.Consistency
	require.NoError(t, json.Unmarshal([]byte(st.as(t, token.Bapenda, "/v1/revenue/proof/consistency?from=2").body), &grown))
	require.Equal(t, [2]uint64{2, 0}, st.Proofs.FromTo)
	old, err := proof.ParseHash(grown.FromRoot)
	require.NoError(t, err)
	require.Equal(t, in.Root, grown.ToRoot)
	require.NoError(t, proof.CheckConsistency(hashes(t, grown.Proof), 2, old, grown.To, root))

	a := st.as(t, token.Auditor, "/v1/revenue/proof/bundle?site=s-alun&from=2026-03-02&to=2026-03-03")
	require.Equal(t, `attachment; filename="bundle-3.json"`, a.Header.Get("Content-Disposition"))
	b, err := proof.ParseBundle([]byte(a.body))
	require.NoError(t, err)
	_, err = b.Check(st.Proofs.Key.Public())
	require.NoError(t, err)
	last := st.Proofs.Selected[len(st.Proofs.Selected)-1]
	require.Equal(t, ledger.Selection{Site: "s-alun", From: apitest.Noon.UnixMilli() - 12*3600_000, To: apitest.Noon.UnixMilli() + 12*3600_000}, last)
	st.as(t, token.Admin, "/v1/revenue/proof/bundle?first=1&last=3")
}

func hashes(t *testing.T, texts []string) []proof.Hash {
	t.Helper()
	out := make([]proof.Hash, len(texts))
	for i, text := range texts {
		h, err := proof.ParseHash(text)
		require.NoError(t, err)
		out[i] = h
	}
	return out
}

func TestProofsAreAskedRight(t *testing.T) {
	st := newStage(t)
	for path, field := range map[string]string{
		"inclusion": "receipt", "inclusion?receipt=a:1:1&entry=1": "receipt", "inclusion?entry=0": "entry", "consistency?from=-1": "from", "consistency?to=0": "to",
		"bundle": "receipts", "bundle?receipts=a:1:1&site=s": "receipts", "bundle?first=1": "last", "bundle?first=3&last=2": "first", "bundle?receipts=a:1:1&from=2026-03-01": "from",
		"bundle?site=s&from=2026-03-02&to=2026-03-01": "from", "bundle?receipts=" + strings.Repeat(",", ledger.MostProved): "receipts",
	} {
		p := st.do(t, http.MethodGet, "/v1/revenue/proof/"+path, st.Secrets[token.Admin], "").problem(t, http.StatusBadRequest)
		require.Contains(t, fields(p), field, path)
	}
	st.Proofs.Err = ledger.ErrUnsigned
	st.do(t, http.MethodGet, "/v1/revenue/proof/inclusion?receipt=a:1:1", st.Secrets[token.Admin], "").problem(t, http.StatusServiceUnavailable)
}
