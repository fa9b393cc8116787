package endtoend_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

const ownCodecs = `codecs:
  - {profile: loops, file: loops.js, readings: [{kind: spot, occupied: data.occupied}]}
  - {profile: eats, file: eats.js, readings: [{kind: spot, occupied: data.occupied}]}
  - {profile: throws, file: throws.js, readings: [{kind: spot, occupied: data.occupied}]}
  - {profile: lies, file: lies.js, readings: [{kind: spot, occupied: data.occupied}]}
`

// newCodecNetwork is a gateway behind a Mosquitto with devices that codecs read,
// good ones and bad ones, beside one of a profile that is built in.
func newCodecNetwork(t *testing.T) *networks {
	t.Helper()
	n := &networks{inventory: t.TempDir(), began: time.Now().Add(-6 * time.Hour).Truncate(time.Second)}
	codecs := t.TempDir()
	examples, err := os.ReadFile("../../configs/codecs/codecs.yaml")
	require.NoError(t, err)
	feature := func(id, detection string) string {
		return fmt.Sprintf(`{"type":"Feature","properties":{"id":%q,"name":"x","kind":"on_street","kecamatan":"k","capacity":{"car":9},"detection":%q},"geometry":{"type":"Point","coordinates":[107.0,-6.24]}}`, id, detection)
	}
	for path, text := range map[string]string{
		filepath.Join(n.inventory, "sites.geojson"): `{"type":"FeatureCollection","features":[` + feature("S-1", "spots") + "," + feature("G-1", "gates") + `]}`,
		filepath.Join(n.inventory, "devices.csv"): "id,kind,site,profile,eui\nspot-a,spot,S-1,bosch-tps110,70B3D57ED0000001\nspot-b,spot,S-1,example-nps405,70B3D57ED0000002\n" +
			"gate,gate,G-1,example-ncc405,70B3D57ED0000003\nspot-l,spot,S-1,loops,70B3D57ED0000004\nspot-e,spot,S-1,eats,70B3D57ED0000005\n" +
			"spot-t,spot,S-1,throws,70B3D57ED0000006\nspot-y,spot,S-1,lies,70B3D57ED0000007\nways,gate,G-1,example-two-way,70B3D57ED0000008\n",
		filepath.Join(codecs, "codecs.yaml"): string(examples) + strings.TrimPrefix(ownCodecs, "codecs:\n"),
		filepath.Join(codecs, "loops.js"):    "function decodeUplink(input) { for (;;); }",
		filepath.Join(codecs, "eats.js"):     "function decodeUplink(input) { var s = 'x'; for (;;) s += s; }",
		filepath.Join(codecs, "throws.js"):   "function decodeUplink(input) {\n  throw new Error('not today');\n}",
		filepath.Join(codecs, "lies.js"):     "function decodeUplink(input) { Object.prototype.occupied = true; return {data: {occupied: 'perhaps'}} }",
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	for _, name := range []string{"nps405.js", "ncc405.js", "radar.js", "twoway.js"} {
		text, err := os.ReadFile("../../configs/codecs/" + name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(codecs, name), text, 0o600))
	}
	m := sourcetest.NewMosquitto(t, "")
	n.gateway = newGateway(t, n.inventory, fmt.Sprintf("  - {id: ttn, type: mqtt, format: tts, url: \"tcp://%s\"}\ncodecs_file: %s/codecs.yaml\n", m.Addr, codecs))
	n.start()
	n.login()
	n.until("ttn is connected", func() bool { z := n.readyz(); return z.connected("ttn") })
	n.publisher = connect(t, m.Addr, "network", "")
	return n
}

// said waits until all that was published is decided.
func (n *networks) decided() {
	n.t.Helper()
	n.until("all was decided", func() bool { return int(n.metric(`simpang_messages_total{source="ttn"}`)) == n.said })
	n.level()
}

func (n *networks) codecResult(profile, result string) int {
	n.t.Helper()
	return int(n.metric(fmt.Sprintf(`simpang_codec_payloads_total{profile=%q,result=%q}`, profile, result)))
}

// Codecs that loop, eat, throw and lie harm their own devices: those of another
// codec and of a built-in profile on the same line lose nothing.
func TestVendorsCodecs(t *testing.T) {
	n := newCodecNetwork(t)
	const rounds = 100
	begin := time.Now()
	for i := range rounds {
		s := float64(60 * i)
		n.tts(4, s, i, 1, "\x01")
		n.tts(1, s, i, 1, string([]byte{byte(i % 2)}))
		n.tts(5, s, i, 1, "\x01")
		n.tts(2, s, i, 1, string([]byte{byte(2 + i%2)}))
		n.tts(6, s, i, 1, "\x01")
		n.tts(7, s, i, 1, "\x01")
	}
	n.decided()
	took := time.Since(begin)
	for _, device := range []string{"spot-a", "spot-b"} {
		readings := list[framed](n.gateway, "/v1/devices/"+device+"/readings")
		require.Len(t, readings, rounds, device)
		for i, r := range readings {
			require.Equal(t, []any{"spot", uint64(i), i%2 == 1}, []any{r.Kind, r.Seq, r.Occupied})
			require.InDelta(t, -97, *r.RSSI, 0)
		}
	}
	for device, reasons := range map[string][]string{"spot-l": {"codec_slow", "codec_rests"}, "spot-e": {"codec_slow", "codec_failed", "codec_rests"}, "spot-t": {"codec_failed"}, "spot-y": {"wrong_type"}} {
		require.Empty(t, list[framed](n.gateway, "/v1/devices/"+device+"/readings"))
		kept := list[quarantined](n.gateway, "/v1/quarantine?device="+device)
		require.Len(t, kept, rounds, "%s: none is lost", device)
		for _, item := range kept {
			require.Contains(t, reasons, item.Reason)
		}
	}
	tries := n.codecResult("loops", "slow")
	require.LessOrEqual(t, tries, 2+int(took.Seconds()), "a device whose codec loops rests, took %v", took)
	require.Equal(t, rounds, tries+n.codecResult("loops", "rested"))
	require.Equal(t, rounds, n.codecResult("throws", "threw"))
	require.Equal(t, rounds, n.codecResult("lies", "unmapped"))
	require.Equal(t, rounds, n.codecResult("example-nps405", "ok"))

	// A counter's totals become differences, whatever reads them, and a payload may
	// tell two passages.
	n.tts(3, 0, 1, 1, "\xff\xf0")
	n.tts(3, 600, 2, 1, "\xff\xf8")
	n.tts(3, 1200, 3, 1, "\x00\x02")
	n.tts(8, 0, 1, 1, "\x50\x03\x04")
	n.tts(8, 0, 1, 1, "\x50\x03\x04")
	n.decided()
	var counts []int64
	for _, r := range list[framed](n.gateway, "/v1/devices/gate/readings") {
		if r.Kind == "gate" {
			counts = append(counts, *r.Count)
		}
	}
	require.Equal(t, []int64{0, 8, 10}, counts)
	counts = nil
	for _, r := range list[framed](n.gateway, "/v1/devices/ways/readings") {
		if r.Kind == "gate" {
			counts = append(counts, *r.Count)
		}
	}
	require.ElementsMatch(t, []int64{3, 4}, counts, "a copy counts once")

	// What was set aside is read again once the codec is mended, with a restart.
	item := list[quarantined](n.gateway, "/v1/quarantine?device=spot-t")[0]
	out, code := n.run("device", "test", "-config", n.config, "-profile", "throws", "-hex", "01")
	require.Equal(t, []any{"", 1}, []any{out, code})
	config, err := os.ReadFile(n.config)
	require.NoError(t, err)
	folder := string(config)[strings.Index(string(config), "codecs_file: ")+len("codecs_file: "):]
	folder = filepath.Dir(strings.TrimSpace(folder))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "throws.js"), []byte("function decodeUplink(input) { return {data: {occupied: input.bytes[0] === 1}} }"), 0o600))
	out, code = n.run("device", "test", "-config", n.config, "-profile", "throws", "-hex", "01")
	require.Equal(t, []any{`{"kind":"spot","occupied":true}` + "\n", 0}, []any{out, code})
	_, code = n.run("check", "-config", n.config)
	require.Zero(t, code)
	n.kill()
	n.start()
	_, status := n.tryPost(t, fmt.Sprintf("/v1/quarantine/%d/retry", item.ID), "")
	require.Equal(t, http.StatusOK, status)
	n.level()
	require.Len(t, list[framed](n.gateway, "/v1/devices/spot-t/readings"), 1)

	// A reload says what waits for a restart, and takes nothing where a codec has faults.
	restart := func() (names []string) {
		t.Helper()
		resp, err := n.request(http.MethodPost, "/v1/admin/reload", "")
		require.NoError(t, err)
		defer resp.Body.Close()
		require.Equal(t, http.StatusOK, resp.StatusCode)
		var reloaded struct{ Restart []string }
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&reloaded))
		return reloaded.Restart
	}
	require.Empty(t, restart())
	require.NoError(t, os.WriteFile(filepath.Join(folder, "loops.js"), []byte("function decodeUplink() { return {} }"), 0o600))
	require.Equal(t, []string{"codecs_file"}, restart())
	require.NoError(t, os.Remove(filepath.Join(folder, "loops.js")))
	said, status := n.tryPost(t, "/v1/admin/reload", "")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, said.Errors[0].Detail, "loops.js")
}
