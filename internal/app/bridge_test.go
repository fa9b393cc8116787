package app_test

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

	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

// TestANetworkServerFeedsTheBuiltInBroker: a bridge with a filter publishes a
// network's events, devices go on in format native, each only where it may, and
// what was set aside is read by its own format again.
func TestANetworkServerFeedsTheBuiltInBroker(t *testing.T) {
	dir := newDir(t)
	path := filepath.Join(dir, "simpang.yaml")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), "format: native", "format: chirpstack", 1)), 0o600))
	writeFiles(t, dir, map[string]string{
		"inventory/devices.csv": "id,kind,site,spot,interval_s,profile,eui\nd1,spot,s1,1,60,,\nl1,spot,s1,2,3600,nwave-nps405,70B3D57ED0000017\n",
	})
	run := start(t, dir)
	defer func() { require.NoError(t, run.stop()) }()
	credentials := run.cfg.Sources[0].CredentialsFile
	bridge, err := broker.IssueBridge(credentials, "chirp", []string{"application/7/#"})
	require.NoError(t, err)
	run.publish("d1", reading(1, true))

	uplink := func(fcnt int) []byte {
		return fmt.Appendf(nil, `{"deduplicationId":"id-%d","time":%q,"deviceInfo":{"deviceName":"l1","devEui":"70b3d57ed0000017"},"devAddr":"00189440",
"fCnt":%d,"fPort":1,"data":%q,"rxInfo":[{"rssi":-97,"snr":6.5}]}`, fcnt, time.Now().UTC().Format(time.RFC3339Nano), fcnt, base64.StdEncoding.EncodeToString([]byte{0x95}))
	}
	c := sourcetest.Dial(t, run.at.Brokers["b"], nil)
	defer c.Close()
	run.until("the broker knows the bridge", func() bool {
		c.Close()
		c = sourcetest.Dial(t, run.at.Brokers["b"], nil)
		return c.Hello(sourcetest.Hello{ID: "chirp", User: "chirp", Secret: bridge.Secret}).ReasonCode == 0
	})
	for i, topic := range []string{"application/7/device/70b3d57ed0000017/event/up", "application/8/device/70b3d57ed0000017/event/up", "sg/v1/l1/up"} {
		c.Publish(topic, uplink(i+1), 1, uint16(i+1))
		c.Expect(4)
	}
	admin := run.admin()
	items := func(path string) int {
		var page struct{ Items []any }
		run.get(path, admin, &page)
		return len(page.Items)
	}
	run.until("the uplink is a reading", func() bool { return items("/v1/devices/l1/readings") == 1 })
	run.until("the device's own is one too", func() bool { return items("/v1/devices/d1/readings") == 1 })
	require.Equal(t, 2, items("/v1/quarantine?reason=device_mismatch"), "outside of the bridge's filter")

	d := sourcetest.Dial(t, run.at.Brokers["b"], nil)
	defer d.Close()
	issued, err := broker.Issue(credentials, "d2")
	require.NoError(t, err)
	run.until("the broker knows the other device", func() bool {
		d.Close()
		d = sourcetest.Dial(t, run.at.Brokers["b"], nil)
		return d.Hello(sourcetest.Hello{ID: "d2", User: "d2", Secret: issued[0].Secret}).ReasonCode == 0
	})
	d.Publish("application/7/device/70b3d57ed0000017/event/up", uplink(9), 1, 1)
	d.Expect(4)
	require.Equal(t, 1, items("/v1/quarantine?reason=bad_topic"), "a device is no bridge")
	d.Publish("sg/v1/d2/up", []byte(reading(1, true)), 1, 2)
	d.Expect(4)
	run.until("a stranger's reading is set aside", func() bool { return items("/v1/quarantine?reason=unknown_device") == 1 })
	writeFiles(t, dir, map[string]string{
		"inventory/devices.csv": "id,kind,site,spot,interval_s,profile,eui\nd1,spot,s1,1,60,,\nd2,spot,s1,2,60,,\n",
	})
	require.Equal(t, http.StatusOK, run.do(http.MethodPost, "/v1/admin/reload", admin, nil))
	var aside struct {
		Items []struct{ ID int }
	}
	require.Equal(t, http.StatusOK, run.get("/v1/quarantine?reason=unknown_device", admin, &aside))
	require.Equal(t, http.StatusOK, run.do(http.MethodPost, fmt.Sprintf("/v1/quarantine/%d/retry", aside.Items[0].ID), admin, nil))
	run.until("it is read by its own format", func() bool { return items("/v1/devices/d2/readings") == 1 })
}
