package app_test

import (
	"bufio"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// One visitor opens connections and keeps them all: the files that the store
// needs stay free, and the API answers others.
func TestConnectionsOfOneVisitorAreBounded(t *testing.T) {
	r := start(t, newDir(t))
	each := int(r.value("simpang_http_connections_capacity")) / 4
	require.LessOrEqual(t, 4*each, 1500)
	for range each + 20 {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.at.HTTP)
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
		_, err = conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))
		require.NoError(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Contains(t, []int{http.StatusOK, http.StatusServiceUnavailable}, resp.StatusCode)
	}
	require.LessOrEqual(t, int(r.value("simpang_http_connections")), each)
	require.GreaterOrEqual(t, r.value("simpang_http_connections_idle_closed_total")+r.value("simpang_http_connections_refused_total"), 20.0)
	require.Equal(t, http.StatusOK, r.get("/v1/parking/sites/s1", "", nil))
}
