package endtoend_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// wan is a network link to an address, through toxiproxy, that can be made
// bad.
type wan struct {
	t     *testing.T
	addr  string
	proxy *toxiproxy.Proxy
	toxic int
	names []string
}

func newWAN(t *testing.T, to string) *wan {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	w := &wan{t: t, proxy: toxiproxy.NewProxy(server, "wan", "127.0.0.1:0", to)}
	require.NoError(t, w.proxy.Start())
	w.addr = w.proxy.Listen
	t.Cleanup(w.proxy.Stop)
	return w
}

// enable cuts the link, so that nobody listens on it, or brings it back.
func (w *wan) enable(up bool) {
	w.t.Helper()
	require.NoError(w.t, w.proxy.Update(&toxiproxy.Proxy{Listen: w.addr, Upstream: w.proxy.Upstream, Enabled: up}))
}

// add makes the link bad in both directions.
func (w *wan) add(kind string, attributes map[string]int) {
	w.t.Helper()
	text, err := json.Marshal(attributes)
	require.NoError(w.t, err)
	for _, direction := range []string{"upstream", "downstream"} {
		w.toxic++
		name := fmt.Sprint(kind, w.toxic)
		_, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"name":%q,"type":%q,"stream":%q,"attributes":%s}`, name, kind, direction, text)))
		require.NoError(w.t, err)
		w.names = append(w.names, name)
	}
}

// stall lets nothing pass any more and closes nothing.
func (w *wan) stall() { w.add("timeout", map[string]int{"timeout": 0}) }

// mend makes the link good again; what was stalled is closed.
func (w *wan) mend() {
	w.t.Helper()
	for _, name := range w.names {
		require.NoError(w.t, w.proxy.Toxics.RemoveToxic(w.t.Context(), name))
	}
	w.names = nil
}
