package endtoend_test

import (
	"encoding/base64"
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

const networkSources = `  - {id: ttn, type: mqtt, format: tts, url: "tcp://%[1]s"}
  - {id: chirp, type: mqtt, format: chirpstack, url: "tcp://%[1]s"}
  - {id: pack, type: mqtt, format: senml, url: "tcp://%[1]s", topics: [senml/+]}
`

// framed is what the API says of a frame.
type framed struct {
	Kind     string   `json:"kind"`
	Seq      uint64   `json:"seq"`
	Occupied any      `json:"occupied"`
	DwellS   *int64   `json:"dwell_s"`
	RSSI     *float64 `json:"rssi_dbm"`
	SNR      *float64 `json:"snr_db"`
	Firmware string   `json:"firmware"`
	Count    *int64   `json:"count"`
	Total    *int64   `json:"total"`
	Flags    []string `json:"flags"`
}

// networks is a gateway behind a Mosquitto to which two LoRaWAN networks and
// a SenML device publish.
type networks struct {
	*gateway
	inventory string
	began     time.Time
	publisher *publisher
	said      int // messages
}

func newNetworks(t *testing.T) *networks {
	t.Helper()
	n := &networks{inventory: t.TempDir(), began: time.Now().Add(-6 * time.Hour).Truncate(time.Second)}
	feature := func(id, detection string) string {
		return fmt.Sprintf(`{"type":"Feature","properties":{"id":%q,"name":"x","kind":"on_street","kecamatan":"k","capacity":{"car":9},"detection":%q},"geometry":{"type":"Point","coordinates":[107.0,-6.24]}}`, id, detection)
	}
	for name, text := range map[string]string{
		"sites.geojson": `{"type":"FeatureCollection","features":[` + feature("S-1", "spots") + "," + feature("G-1", "gates") + `]}`,
		"devices.csv": "id,kind,site,profile,eui\nspot-a,spot,S-1,bosch-tps110,70B3D57ED0000001\nspot-b,spot,S-1,nwave-nps405,70B3D57ED0000002\n" +
			"spot-c,spot,S-1,,\ngate,gate,G-1,nwave-ncc405,70B3D57ED0000003\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(n.inventory, name), []byte(text), 0o600))
	}
	m := sourcetest.NewMosquitto(t, "")
	n.gateway = newGateway(t, n.inventory, fmt.Sprintf(networkSources, m.Addr))
	n.start()
	n.login()
	for _, source := range []string{"ttn", "chirp", "pack"} {
		n.until(source+" is connected", func() bool { z := n.readyz(); return z.connected(source) })
	}
	n.publisher = connect(t, m.Addr, "network", "")
	return n
}

func (n *networks) at(s float64) string {
	return n.began.Add(time.Duration(s * float64(time.Second))).UTC().Format(time.RFC3339Nano)
}

// tts publishes an uplink that the network received s seconds after the begin.
func (n *networks) tts(eui int, s float64, fcnt, port int, payload string, more ...string) {
	n.t.Helper()
	text := fmt.Sprintf(`{"end_device_ids":{"device_id":"d-%d","dev_eui":"70B3D57ED000000%d","dev_addr":"260B1234"},"uplink_message":{"f_cnt":%d,"f_port":%d,"frm_payload":%q,"received_at":%q,
		"rx_metadata":[{"rssi":-97,"snr":6.5}]}`, eui, eui, fcnt, port, base64.StdEncoding.EncodeToString([]byte(payload)), n.at(s))
	text = strings.Join(append([]string{text}, more...), ",") + "}"
	n.publisher.publish(fmt.Sprintf("v3/parkir@pemkot/devices/d-%d/up", eui), text)
	n.said++
}

func (n *networks) chirp(event, members string) {
	n.t.Helper()
	n.publisher.publish("application/7/device/70b3d57ed0000002/event/"+event, `{"deduplicationId":"x","deviceInfo":{"devEui":"70b3d57ed0000002"},"devAddr":"00189440",`+members+`}`)
	n.said++
}

// heard waits until all that was published is decided, and gives a device's
// readings.
func (n *networks) heard(device string) []framed {
	n.t.Helper()
	n.until("all was heard", func() bool {
		return int(n.metric(`simpang_messages_total{source="ttn"}`)+n.metric(`simpang_messages_total{source="chirp"}`)+n.metric(`simpang_messages_total{source="pack"}`)) == n.said
	})
	n.level()
	return list[framed](n.gateway, "/v1/devices/"+device+"/readings")
}

// What two LoRaWAN networks and a SenML device say, from their messages to what
// the API tells, through a kill.
func TestNetworksOfDevicesAsTheyAreSold(t *testing.T) {
	n := newNetworks(t)
	number := func(v int64) *int64 { return &v }

	n.tts(1, 0, 65535, 1, "\x01")
	n.tts(1, 0.9, 65535, 1, "\x01")                 // a copy that another gateway heard later
	n.tts(1, 300, 0, 2, "\x01\xff")                 // 16 bits have wrapped: a heartbeat of the same state
	n.tts(1, 600, 1, 1, "\x00", `"simulated":true`) // from the console
	n.tts(1, 900, 1, 1, "\x00")                     //
	n.tts(1, 900, 1, 1, "\x00")                     // the broker sends it again
	spot := n.heard("spot-a")
	require.Len(t, spot, 4, "%+v", spot)
	require.Equal(t, []any{"spot", uint64(65535), true, -97.0, 6.5}, []any{spot[0].Kind, spot[0].Seq, spot[0].Occupied, *spot[0].RSSI, *spot[0].SNR})
	require.Equal(t, []any{uint64(0), true, []string{"new_run"}}, []any{spot[1].Seq, spot[1].Occupied, spot[1].Flags})
	require.Equal(t, "health", spot[2].Kind)
	require.Equal(t, []any{uint64(1), false}, []any{spot[3].Seq, spot[3].Occupied})
	require.InDelta(t, 2, n.metric("simpang_duplicates_total"), 0)
	require.Len(t, list[quarantined](n.gateway, "/v1/quarantine?reason=simulated&device=spot-a"), 1)
	var complete struct {
		Expected, Received, Duplicate, Missing int64
	}
	n.get("/v1/devices/spot-a/completeness?date="+n.began.In(time.FixedZone("WIB", 7*3600)).Format(time.DateOnly), &complete)
	require.Zero(t, complete.Missing)

	// Of ChirpStack the state whose begin was lost, and what the network says beside.
	n.chirp("join", `"time":"`+n.at(0)+`"`)
	n.chirp("up", `"time":"`+n.at(600)+`","fCnt":1,"fPort":3,"data":"AgQJAgA=","rxInfo":[{"rssi":-80,"snr":-3.5}]`)
	n.chirp("status", `"time":"`+n.at(601)+`","margin":9,"batteryLevel":83`)
	n.chirp("up", `"time":"`+n.at(900)+`","fCnt":2,"fPort":1,"data":"lA==","rxInfo":[{"rssi":-80}]`)
	n.chirp("log", `"level":"ERROR"`)
	require.Equal(t, 2, func() (frames int) {
		for _, r := range n.heard("spot-b") {
			if r.Kind == "spot" {
				frames++
			}
		}
		return frames
	}())
	var device struct {
		Firmware     string
		Battery      float64 `json:"battery_pct"`
		RSSI         float64 `json:"rssi_dbm"`
		SNR          float64 `json:"snr_db"`
		Seq          int64
		LastReceived string
	}
	n.get("/v1/devices/spot-b", &device)
	require.Equal(t, []any{"2.4.9", 83.0, -80.0, -3.5, int64(2)}, []any{device.Firmware, device.Battery, device.RSSI, device.SNR, device.Seq})

	n.publisher.publish("senml/any", fmt.Sprintf(`[{"bn":"urn:dev:bks:spot-c/","bt":%d,"n":"occupied","vb":true},{"n":"batt","u":"V","v":3.4},{"n":"occupied","vb":false,"t":60}]`, n.began.Unix()))
	n.said++
	require.Len(t, n.heard("spot-c"), 2)

	// A counter's totals become differences, whatever comes between.
	n.tts(3, 0, 1, 1, "\xff\xf0")
	n.tts(3, 600, 2, 1, "\xff\xf8")
	n.heard("gate")
	n.kill()
	n.said = 0
	n.tts(3, 1200, 3, 1, "\x00\x02") // wrapped while we were away
	n.start()
	n.tts(3, 600, 2, 1, "\xff\xf8") // sent again
	n.tts(3, 1800, 4, 1, "\x00\x01")
	var counts, totals []*int64
	var flags [][]string
	for _, r := range n.heard("gate") {
		if r.Kind == "gate" {
			counts, totals, flags = append(counts, r.Count), append(totals, r.Total), append(flags, r.Flags)
		}
	}
	require.Equal(t, []*int64{number(0), number(8), number(10), number(1)}, counts)
	require.Equal(t, []*int64{number(65520), number(65528), number(2), number(1)}, totals)
	require.Equal(t, [][]string{{}, {}, {}, {"reset"}}, flags)

	// A device that nobody entered is listed with what it said, and taken once it is.
	n.tts(9, 0, 7, 1, "\x01")
	n.heard("gate")
	unknown := list[quarantined](n.gateway, "/v1/quarantine?device=70B3D57ED0000009")
	require.Len(t, unknown, 1)
	edit(t, n.inventory, "devices.csv", "gate,gate", "spot-d,spot,S-1,bosch-tps110,70B3D57ED0000009\ngate,gate")
	_, status := n.tryPost(t, "/v1/admin/reload", "")
	require.Equal(t, http.StatusOK, status)
	_, status = n.tryPost(t, fmt.Sprintf("/v1/quarantine/%d/retry", unknown[0].ID), "")
	require.Equal(t, http.StatusOK, status)
	n.level()
	require.Len(t, list[framed](n.gateway, "/v1/devices/spot-d/readings"), 1)
}
