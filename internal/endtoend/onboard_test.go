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

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

// ordered is what the API says of a command.
type ordered struct{ ID, State, Detail string }

// order orders a command and returns its id.
func (g *gateway) order(device, cmd string) ordered {
	g.t.Helper()
	res, err := g.request(http.MethodPost, "/v1/devices/"+device+"/commands", `{"cmd":"`+cmd+`"}`)
	require.NoError(g.t, err)
	defer res.Body.Close()
	require.Equal(g.t, http.StatusCreated, res.StatusCode)
	var c ordered
	require.NoError(g.t, json.NewDecoder(res.Body).Decode(&c))
	return c
}

// acknowledged waits until a command is, and returns it.
func (g *gateway) acknowledged(device string, c ordered) (found ordered) {
	g.t.Helper()
	g.until("the command "+c.ID+" is acknowledged", func() bool {
		for _, found = range list[ordered](g, "/v1/devices/"+device+"/commands") {
			if found.ID == c.ID {
				return found.State == "acknowledged"
			}
		}
		return false
	})
	return found
}

// A device that nobody knows speaks, is listed, taken in, and told the time.
func TestADeviceIsTakenIn(t *testing.T) {
	const device = "spot-fresh"
	dir := writeCity(t, "")
	g := newGateway(t, dir, brokerSource)
	g.start()
	g.login()
	link := connect(t, g.mqtt, "bridge", g.bridgeSecret())
	first := time.Now().Add(-30 * time.Minute)
	for i := range 6 {
		link.up(device, fmt.Sprintf(`{"kind":"spot","boot":1,"seq":%d,"at":%q,"occupied":true,"battery_v":3.6}`, i, first.Add(time.Duration(i)*5*time.Minute).Format(time.RFC3339)))
	}
	type unknown struct {
		Device   string
		Items    int
		Proposed struct {
			ID, Kind, Line string
			IntervalS      int `json:"interval_s"`
			Missing        []string
		}
	}
	found := list[unknown](g, "/v1/unknown-devices")
	require.Len(t, found, 1)
	require.Equal(t, device, found[0].Device)
	require.Equal(t, 6, found[0].Items)
	require.Equal(t, 300, found[0].Proposed.IntervalS)
	require.Equal(t, []string{"site"}, found[0].Proposed.Missing)
	require.Equal(t, device+",spot,,,,,,,300,heard over broker", found[0].Proposed.Line)

	// A person fills in the site, in place of a sensor that was there.
	_, code := g.run("device", "-config", g.config, "credentials", device)
	require.Zero(t, code, "credentials may come ahead of the line")
	path := filepath.Join(dir, "devices.csv")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), "spot-c01,spot,")
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), "spot-c01,spot,", device+",spot,", 1)), 0o600))
	secret := g.secretOf(device)
	reload, status := g.tryPost(t, "/v1/admin/reload", "")
	require.Equal(t, http.StatusOK, status, reload)
	require.Empty(t, list[unknown](g, "/v1/unknown-devices"), "it is known now")

	own := connect(t, g.mqtt, device, secret)
	told := make(chan []byte, 8)
	require.True(t, own.c.Subscribe("sg/v1/"+device+"/down", 1, func(_ mqtt.Client, m mqtt.Message) { told <- m.Payload() }).WaitTimeout(acknowledged))
	own.up(device, fmt.Sprintf(`{"kind":"spot","boot":2,"seq":1,"at":%q,"occupied":true}`, time.Now().Format(time.RFC3339)))
	g.until("its reading is there", func() bool { return len(list[framed](g, "/v1/devices/"+device+"/readings")) == 1 })

	c := g.order(device, "time")
	var what struct {
		V        int
		ID, Cmd  string
		SentAt   time.Time `json:"sent_at"`
		ExpireAt time.Time `json:"expires_at"`
	}
	select {
	case payload := <-told:
		require.NoError(t, json.Unmarshal(payload, &what))
	case <-time.After(acknowledged):
		t.Fatal("nothing came down")
	}
	require.Equal(t, 1, what.V)
	require.Equal(t, c.ID, what.ID)
	require.Equal(t, "time", what.Cmd)
	require.WithinDuration(t, time.Now(), what.SentAt, time.Minute)
	own.up(device, `[{"kind":"ack","id":"`+c.ID+`","ok":true,"detail":"set"}]`)
	require.Equal(t, "set", g.acknowledged(device, c).Detail)

	// One that is killed knows what was ordered, and what was not answered is
	// sent again under its own id.
	again := g.order(device, "reboot")
	own.c.Disconnect(50)
	g.kill()
	g.start()
	own = connect(t, g.mqtt, device, secret)
	require.True(t, own.c.Subscribe("sg/v1/"+device+"/down", 1, func(_ mqtt.Client, m mqtt.Message) {
		if strings.Contains(string(m.Payload()), again.ID) {
			own.c.Publish("sg/v1/"+device+"/up", 1, false, `{"kind":"ack","id":"`+again.ID+`","ok":true}`)
		}
	}).WaitTimeout(acknowledged))
	g.acknowledged(device, again)
	g.stop()
}

// The simulated fleet does what it is told, over the built-in broker and over
// Mosquitto.
func TestTheFleetDoesWhatItIsTold(t *testing.T) {
	for name, outside := range map[string]bool{"built-in": false, "mosquitto": true} {
		t.Run(name, func(t *testing.T) {
			dir := writeCity(t, "")
			edit(t, dir, "devices.csv", "spot-c01,spot,S-SPOT,C01,,car,300", "spot-c01,spot,S-SPOT,C01,,car,2")
			sources := brokerSource
			if outside {
				sources = "  - {id: m, type: mqtt, format: native, url: \"tcp://" + sourcetest.NewMosquitto(t, "").Addr + "\", topics: [sg/v1/+/up]}\n"
			}
			g := newGateway(t, dir, sources)
			file := filepath.Join(t.TempDir(), "scenario.yaml")
			require.NoError(t, os.WriteFile(file, []byte("inventory: "+dir+"\ntimezone: Asia/Jakarta\nspeed: 1\nfaults: {clock_drift: 20s}\n"), 0o600))
			args := []string{"run", "-scenario", file, "-broker", "tcp://" + g.mqtt}
			if outside {
				_, rest, _ := strings.Cut(sources, "tcp://")
				addr, _, _ := strings.Cut(rest, `"`)
				args[len(args)-1] = "tcp://" + addr
			} else {
				out, code := g.run("device", "-config", g.config, "credentials", "spot-c01")
				require.Zero(t, code)
				credentials := filepath.Join(g.dir, "credentials")
				bridge, err := os.ReadFile(g.bridge())
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(credentials, []byte(out+string(bridge)), 0o600))
				args = append(args, "-credentials", credentials)
			}
			g.start()
			g.login()
			simulate(t, args...)
			g.until("the sensor spoke", func() bool { return strings.Contains(g.body("/v1/devices/spot-c01"), `"last_seen":"2`) })
			require.Contains(t, g.acknowledged("spot-c01", g.order("spot-c01", "time")).Detail, "the clock was off by")
			require.Equal(t, "boots now", g.acknowledged("spot-c01", g.order("spot-c01", "reboot")).Detail)
			g.stop()
		})
	}
}
