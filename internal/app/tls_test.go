package app_test

import (
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

func TestTheAPIOverTLS(t *testing.T) {
	pki := sourcetest.NewPKI(t)
	cert, key := pki.Issue(t, "gateway")
	dir := newDir(t)
	file := filepath.Join(dir, "simpang.yaml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	writeFiles(t, dir, map[string]string{"simpang.yaml": strings.Replace(string(text), `http: {`, `http: {tls_cert_file: "`+cert+`", tls_key_file: "`+key+`", `, 1)})
	r := start(t, dir)

	ask := func(c *tls.Config) (*http.Response, error) {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}}
		defer client.CloseIdleConnections()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+r.at.HTTP+"/v1/parking/sites", nil)
		require.NoError(t, err)
		return client.Do(req)
	}
	resp, err := ask(&tls.Config{RootCAs: pki.Pool})
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, 2, resp.ProtoMajor)

	_, err = ask(&tls.Config{RootCAs: pki.Pool, MaxVersion: tls.VersionTLS11}) //nolint:bodyclose // there is none
	require.Error(t, err, "nothing older than TLS 1.2")
	_, err = ask(&tls.Config{}) //nolint:bodyclose // there is none
	require.Error(t, err, "a stranger's authority does not know the gateway")
	require.NoError(t, r.stop())
}
