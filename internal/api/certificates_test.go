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
	"github.com/simpang-id/simpang/internal/certificate"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/token"
)

// certified sets a device of two revisions, its place and the list of the day.
func certified(st *stage) {
	boot := uint64(3)
	head := func(revision int64) certificate.Head {
		return certificate.Head{Format: certificate.Format, City: "bekasi", Date: "2026-02-20", Revision: revision, Position: 900, AsOf: "2026-03-01T00:00:00+07:00", Inventory: "ab12"}
	}
	counts := certificate.Counts{Expected: new(int64(10)), Received: 7, Duplicate: 1, Late: 2, Quarantined: 1, Missing: new(int64(2))}
	device := func(revision int64) certificate.DeviceDay {
		return certificate.DeviceDay{
			Head: head(revision), Device: "spot-1", Kind: "spot", Site: "s-alun", IntervalS: new(int64(300)), Basis: certificate.BySequence, Counts: counts, ByInterval: new(int64(288)),
			GapCount: 1, Gaps: []certificate.Missed{{Boot: &boot, FromSeq: 5, ToSeq: 1<<64 - 1}},
		}
	}
	st.Certificates.Day = certificate.State{Known: true, Closed: true, ClosesAt: apitest.Noon.UnixMilli()}
	st.Certificates.Devices = []certificate.DeviceDay{device(1), device(2)}
	totals := certificate.Totals{Counts: counts, Devices: 1}
	st.Certificates.Places = []certificate.PlaceDay{{
		Head: head(1), Site: "s-alun", Totals: totals,
		List: []certificate.PlaceDevice{{Device: "=spot-1", Part: certificate.Part{Revision: 2, SHA256: "cd"}, Basis: certificate.ByNothing, Counts: certificate.Counts{}, GapCount: 0}},
	}}
	st.Certificates.Lists = []certificate.CityDay{{Head: head(1), Totals: totals, List: []certificate.CityPlace{{Site: "s-alun", Part: certificate.Part{Revision: 1, SHA256: "ef"}, Totals: totals}}}}
	st.Certificates.Entry = 42
}

// TestACertificateIsItsBytes: whoever has the answer can hash it.
func TestACertificateIsItsBytes(t *testing.T) {
	st := newStage(t)
	certified(st)
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
	certified(st)
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
	certified(st)
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
	certified(st)
	st.Devices.Day = health.Completeness{}
	require.Contains(t, st.as(t, token.Dishub, "/v1/devices/spot-1/completeness?date=2026-02-20").body, `"expected":0`)
	st.Certificates.Day.ClosesAt = apitest.Noon.AddDate(-1, 0, -1).UnixMilli()
	require.JSONEq(t, `{"device":"spot-1","date":"2026-02-20","expected":10,"received":7,"duplicate":1,"late":2,"quarantined":1,"missing":2,
"gaps":[{"boot":3,"from_seq":5,"to_seq":18446744073709551615}],"basis":"sequence"}`, st.as(t, token.Dishub, "/v1/devices/spot-1/completeness?date=2026-02-20").body)
}
