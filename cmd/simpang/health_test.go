package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

// askedAt is a configuration whose API is a server of the test.
func askedAt(t *testing.T, addr, more string) string {
	t.Helper()
	t.Setenv("SIMPANG_HTTP_LISTEN", addr)
	file := configFile(t)
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(more)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return file
}

func sick(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/healthz" {
		http.Error(w, `{"reasons":["disk"]}`, http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte(`{"status":"ok"}`))
}

func TestHealth(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(sick))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	for name, listen := range map[string]string{"its address": server.Listener.Addr().String(), "any address": "0.0.0.0:" + port, "no host": ":" + port} {
		t.Run(name, func(t *testing.T) {
			file := askedAt(t, listen, "")
			code, stdout, stderr := simpang(t, "health", "-config", file)
			require.Equal(t, exitDone, code, stderr)
			require.JSONEq(t, `{"status":"ok"}`, stdout)
			code, stdout, stderr = simpang(t, "health", "-config", file, "-ready")
			require.Equal(t, exitFailed, code)
			require.Contains(t, stdout, "disk")
			require.Contains(t, stderr, "503")
		})
	}
	code, _, stderr := simpang(t, "health", "-config", askedAt(t, "127.0.0.1:0", ""))
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "port")
}

func TestHealthOfNobody(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	file := askedAt(t, l.Addr().String(), "")
	began := time.Now()
	code, _, stderr := simpang(t, "health", "-config", file, "-timeout", "200ms")
	require.Equal(t, exitFailed, code, "it listens and does not answer")
	require.Less(t, time.Since(began), 3*time.Second)
	require.Contains(t, stderr, "no answer")
	require.NoError(t, l.Close())
	code, _, _ = simpang(t, "health", "-config", file)
	require.Equal(t, exitFailed, code)
}

func TestHealthOverTLS(t *testing.T) {
	pki := sourcetest.NewPKI(t)
	cert, key := pki.Issue(t, "parkir.example.id")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: http.HandlerFunc(sick), ReadHeaderTimeout: time.Second}
	go func() { _ = server.ServeTLS(l, cert, key) }()
	t.Cleanup(func() { _ = server.Close() })
	more := func(cert, key string) string {
		return "http: {tls_cert_file: " + cert + ", tls_key_file: " + key + "}\n"
	}
	code, stdout, stderr := simpang(t, "health", "-config", askedAt(t, l.Addr().String(), more(cert, key)))
	require.Equal(t, exitDone, code, stderr)
	require.JSONEq(t, `{"status":"ok"}`, stdout)

	other, otherKey := pki.Issue(t, "parkir.example.id")
	code, _, stderr = simpang(t, "health", "-config", askedAt(t, l.Addr().String(), more(other, otherKey)))
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "another certificate")
}
