package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/token"
)

// TestACertificateIsItsBytes: whoever has the answer can hash it.
func TestACertificateIsItsBytes(t *testing.T) {
	st := newStage(t)
	for path, entry := range map[string]string{
		"/v1/devices/spot-1/certificate?date=2026-02-20":            "null",
		"/v1/parking/sites/s-alun/completeness?date=2026-02-20":     "null",
		"/v1/traffic/segments/none/completeness?date=2026-02-20":    "null",
		"/v1/completeness?date=2026-02-20":                          "42",
		"/v1/devices/spot-1/certificate?date=2026-02-20&revision=1": "null",
	} {
		body := strings.TrimSpace(st.as(t, token.Auditor, path).body)
		var answer struct {
			SHA256      string          `json:"sha256"`
			State       string          `json:"state"`
			Entry       json.RawMessage `json:"entry"`
			Certificate json.RawMessage `json:"certificate"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &answer))
		sum := sha256.Sum256(answer.Certificate)
		require.Equal(t, hex.EncodeToString(sum[:]), answer.SHA256, path)
		require.Equal(t, "closed", answer.State)
		require.Equal(t, entry, string(answer.Entry), path)
	}
	st.do(t, http.MethodGet, "/v1/devices/spot-1/certificate?date=2026-02-20&revision=3", st.Secrets[token.Admin], "").problem(t, http.StatusNotFound)
	st.do(t, http.MethodGet, "/v1/completeness?date=2026-03-03", st.Secrets[token.Admin], "").problem(t, http.StatusNotFound)
}

func TestCertificatesAsFiles(t *testing.T) {
	st := newStage(t)
	a := st.as(t, token.Dishub, "/v1/devices/spot-1/certificate?date=2026-02-20&format=csv")
	require.Contains(t, a.Header.Get("Content-Disposition"), `"completeness-device-spot-1-2026-02-20-r2.csv"`)
	require.Contains(t, a.body, "spot-1,s-alun,,2026-02-20,2,sequence,10,7,1,2,1,2,1,3,5,18446744073709551615,900,")
	place := st.as(t, token.Dishub, "/v1/parking/sites/s-alun/completeness?date=2026-02-20&format=csv").body
	require.Contains(t, place, "s-alun,,2026-02-20,1,'=spot-1,2,none,,0,0,0,0,,0,cd,", "what is unknown is no 0")
	require.Contains(t, st.as(t, token.Dishub, "/v1/completeness?date=2026-02-20&format=csv").body, "2026-02-20,1,s-alun,,1,1,0,10,7,1,2,1,2,ef,900,")

	for _, path := range []string{"/v1/devices/spot-1/certificate", "/v1/parking/sites/s-alun/completeness", "/v1/completeness"} {
		page := st.as(t, token.Dishub, path+"?date=2026-02-20&format=html")
		require.Contains(t, page.Header.Get("Content-Security-Policy"), "default-src 'none'")
		require.Contains(t, page.body, "ertifikat kelengkapan data", path)
		require.Contains(t, page.body, "Certificate of completeness")
		require.Contains(t, page.body, "Diharapkan")
	}
}

// TestAnOpenDayIsSaidToBeOpen: it has no revision and no hash, and no list.
func TestAnOpenDayIsSaidToBeOpen(t *testing.T) {
	st := newStage(t)
	st.Certificates.Day.Closed = false
	body := st.as(t, token.Dishub, "/v1/parking/sites/s-alun/completeness").body
	require.Contains(t, body, `"state":"open"`)
	require.Contains(t, body, `"sha256":null`)
	require.Contains(t, body, `"revision":0`)
	st.do(t, http.MethodGet, "/v1/parking/sites/none/completeness", st.Secrets[token.Admin], "").problem(t, http.StatusNotFound)
	st.do(t, http.MethodGet, "/v1/parking/sites/s-alun/completeness?revision=1", st.Secrets[token.Admin], "").problem(t, http.StatusNotFound)
	st.do(t, http.MethodGet, "/v1/completeness", st.Secrets[token.Admin], "").problem(t, http.StatusNotFound)
	st.Certificates.Day.Known = false
	st.do(t, http.MethodGet, "/v1/devices/spot-1/certificate?date=2020-01-01", st.Secrets[token.Admin], "").problem(t, http.StatusNotFound)
}

// TestAForgottenDayIsAnsweredByItsCertificate: the numbers are gone, what they
// said is kept.
func TestAForgottenDayIsAnsweredByItsCertificate(t *testing.T) {
	st := newStage(t)
	st.Devices.Day = health.Completeness{}
	require.Contains(t, st.as(t, token.Dishub, "/v1/devices/spot-1/completeness?date=2026-02-20").body, `"expected":0`)
	st.Certificates.Day.ClosesAt = apitest.Noon.AddDate(-1, 0, -1).UnixMilli()
	require.JSONEq(t, `{"device":"spot-1","date":"2026-02-20","expected":10,"received":7,"duplicate":1,"late":2,"quarantined":1,"missing":2,
"gaps":[{"boot":3,"from_seq":5,"to_seq":18446744073709551615}],"basis":"sequence"}`, st.as(t, token.Dishub, "/v1/devices/spot-1/completeness?date=2026-02-20").body)
}
