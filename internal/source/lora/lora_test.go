package lora_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/lora"
	"github.com/simpang-id/simpang/internal/source/mqtt"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/wire/lorawan"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The examples of vendors and real uplinks are read where they lie.
const shared = "/work/shared/data/devices/"

func euiOf(i int) string { return fmt.Sprintf("70B3D57ED0%06X", i) }

// city has a device for each profile: its id is the profile's name, its eui
// that of the profile's place among their names.
func cityOf(t *testing.T) *inventory.Version {
	t.Helper()
	feature := func(id, detection string) string {
		return `{"type":"Feature","properties":{"id":"` + id + `","name":"x","kind":"on_street","kecamatan":"k","capacity":{"car":50},"detection":"` + detection + `"},"geometry":{"type":"Point","coordinates":[107.0,-6.24]}}`
	}
	files := map[string][]byte{
		"sites.geojson": []byte(`{"type":"FeatureCollection","features":[` + feature("S-1", "spots") + "," + feature("G-1", "gates") + `]}`),
		"segments.geojson": []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"A-1","name":"Jl. A","road_type":"one_way","lanes":2},
			"geometry":{"type":"LineString","coordinates":[[107.0,-6.24],[107.001,-6.24]]}}]}`),
	}
	var devices strings.Builder
	devices.WriteString("id,kind,site,segment,profile,eui,interval_s\n")
	for i, name := range vendors.Names() {
		profile, _ := vendors.Find(name)
		place := map[city.Kind]string{city.KindSpot: "spot,S-1,", city.KindGate: "gate,G-1,", city.KindTraffic: "traffic,,A-1"}[profile.Kinds[0]]
		fmt.Fprintf(&devices, "%s,%s,%s,%s,600\n", name, place, name, euiOf(i))
	}
	files["devices.csv"] = []byte(devices.String() + "nameless,spot,S-1,,,,\nbare,spot,S-1,,bosch-tps110,,\n")
	v, faults := inventory.Parse(files, time.UTC)
	require.Empty(t, faults)
	return v
}

// network is one of the two: how its messages look and where they go.
type network struct {
	parse  lorawan.Parse
	topics []string
	topic  func(id, eui string) string
	up     func(id, eui string, fcnt int, port uint8, payload []byte) map[string]any
}

const received = "2026-03-02T01:15:00.25Z"

var networks = map[string]network{
	"tts": {
		parse: lorawan.ParseTTS, topics: []string{"v3/+/devices/+/up"},
		topic: func(id, _ string) string { return "v3/parkir@pemkot/devices/" + id + "/up" },
		up: func(id, eui string, fcnt int, port uint8, payload []byte) map[string]any {
			return map[string]any{
				"end_device_ids": map[string]any{"device_id": id, "dev_eui": eui, "dev_addr": "260B1234"}, "received_at": "2026-03-02T01:15:00.9Z",
				"uplink_message": map[string]any{
					"session_key_id": "AY", "f_port": port, "f_cnt": fcnt, "frm_payload": base64.StdEncoding.EncodeToString(payload), "received_at": received,
					"rx_metadata": []any{map[string]any{"rssi": -97, "snr": 6.5}},
				},
			}
		},
	},
	"chirpstack": {
		parse: lorawan.ParseChirpStack, topics: []string{"application/+/device/+/event/+"},
		topic: func(_, eui string) string { return "application/7/device/" + strings.ToLower(eui) + "/event/up" },
		up: func(id, eui string, fcnt int, port uint8, payload []byte) map[string]any {
			return map[string]any{
				"deduplicationId": "3ac7e3c4", "time": received, "deviceInfo": map[string]any{"deviceName": id, "devEui": strings.ToLower(eui)}, "devAddr": "00189440",
				"fCnt": fcnt, "fPort": port, "data": base64.StdEncoding.EncodeToString(payload), "rxInfo": []any{map[string]any{"rssi": -97, "snr": 6.5}},
			}
		},
	},
}

// outside is a real Mosquitto with our source behind it.
func outside(t *testing.T, n network, v *inventory.Version) (publish func(topic string, message any) source.Message) {
	t.Helper()
	m := sourcetest.NewMosquitto(t, "")
	sink := sourcetest.NewSink(16)
	s, err := mqtt.New(mqtt.Options{
		ID: "lora", City: "bekasi", URL: "tcp://" + m.Addr, Topics: n.topics, SelfNamed: true, Sink: sink, Log: slog.New(slog.DiscardHandler),
		Decode: lora.New(n.parse, func() *inventory.Version { return v }, lorawan.BuiltIn).Decode,
	})
	require.NoError(t, err)
	sourcetest.Run(t, s, true)
	c := sourcetest.Dial(t, m.Addr, nil)
	require.Zero(t, c.Hello(sourcetest.Hello{ID: "network"}).ReasonCode)
	id := uint16(0)
	return func(topic string, message any) source.Message {
		t.Helper()
		payload, err := json.Marshal(message)
		require.NoError(t, err)
		id++
		c.Publish(topic, payload, 1, id)
		require.Equal(t, id, c.Expect(packets.Puback).PacketID)
		got := sink.TakeDone(t)
		require.Equal(t, topic, got.Topic)
		require.Equal(t, string(payload), string(got.Payload))
		return got
	}
}

type example struct {
	profile string
	port    uint8
	payload []byte
}

// examples are the cases of the decoders, and the vendors' own.
func examples(t *testing.T) (all []example) {
	t.Helper()
	data, err := os.ReadFile("../../wire/vendors/testdata/cases.txt")
	require.NoError(t, err)
	take := func(profile, port, text string) {
		n, err := strconv.ParseUint(port, 10, 8)
		require.NoError(t, err)
		payload, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		require.NoError(t, err)
		all = append(all, example{profile, uint8(n), payload})
	}
	for line := range strings.Lines(string(data)) {
		if parts := strings.Split(line, " | "); len(parts) == 4 && line[0] != '#' {
			take(parts[0], parts[1], parts[2])
		}
	}
	require.Greater(t, len(all), 20)
	data, err = os.ReadFile(shared + "lorawan-examples.jsonl")
	if os.IsNotExist(err) {
		t.Log("the vendors' examples are not there: " + shared)
		return all
	}
	require.NoError(t, err)
	profiles := map[string]string{
		"tps110-0292": "bosch-tps110", "tps110-0392": "bosch-tps110", "ncc405": "nwave-ncc405", "nps310sm": "nwave-nps310sm", "nps405": "nwave-nps405", "tekzipark": "tekzitel-tekzipark",
	}
	for scanner := bufio.NewScanner(bytes.NewReader(data)); scanner.Scan(); {
		var e struct {
			Codec, Hex string
			FPort      json.Number
		}
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &e))
		if profile := profiles[e.Codec]; profile != "" {
			take(profile, e.FPort.String(), e.Hex)
		}
	}
	return all
}

// Every example comes through both envelopes and a real broker as what its
// decoder says, with the network's time, counter and signal.
func TestEveryExampleThroughBothNetworks(t *testing.T) {
	v := cityOf(t)
	all := examples(t)
	for name, n := range networks {
		t.Run(name, func(t *testing.T) {
			publish := outside(t, n, v)
			for i, e := range all {
				d := v.Device(e.profile)
				got := publish(n.topic("its-name", d.EUI), n.up("its-name", d.EUI, i, e.port, e.payload))
				require.Equal(t, d.ID, got.Device)
				kind := map[inventory.DeviceKind]city.Kind{inventory.DeviceSpot: city.KindSpot, inventory.DeviceGate: city.KindGate, inventory.DeviceTraffic: city.KindTraffic}[d.Kind]
				said, err := vendors.Decode(&vendors.Device{Profile: e.profile, Kind: kind, PeriodS: 600, Lanes: 2}, e.port, e.payload)
				if err != nil {
					require.Len(t, got.Decoded.Refused, 1)
					require.Equal(t, err.Error(), got.Decoded.Refused[0].Detail)
					require.Equal(t, city.SomeInt(int64(i)), got.Decoded.Refused[0].Seq)
					continue
				}
				require.Empty(t, got.Decoded.Refused)
				first := got.Decoded.Readings[0]
				require.Equal(t, d.ID, first.Device)
				require.Equal(t, uint64(i), first.Seq)
				require.Equal(t, int64(1_772_414_100_250), first.At)
				require.False(t, first.HasBoot)
				if said.Spot != nil {
					said.Spot.RSSI, said.Spot.SNR = city.SomeMilli(-97_000), city.SomeMilli(6500)
				}
				require.Equal(t, said.Spot, first.Spot)
				require.Equal(t, said.Gate, first.Gate)
				require.Equal(t, said.Traffic, first.Traffic)
				last := got.Decoded.Readings[len(got.Decoded.Readings)-1]
				if said.Health != nil {
					said.Health.RSSI, said.Health.SNR = city.SomeMilli(-97_000), city.SomeMilli(6500)
					require.Equal(t, said.Health, last.Health)
				}
			}
		})
	}
}

// Every real uplink is accepted as an envelope; of devices that nobody entered
// each is told as unknown, whole, by its eui.
func TestEveryRealUplinkIsListed(t *testing.T) {
	data, err := os.ReadFile(shared + "tts-uplinks.jsonl")
	if os.IsNotExist(err) {
		t.Skip("the real uplinks are not there: " + shared)
	}
	require.NoError(t, err)
	n := networks["tts"]
	publish := outside(t, n, cityOf(t))
	uplinks := 0
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(line)
		var m struct {
			IDs struct {
				ID  string `json:"device_id"`
				EUI string `json:"dev_eui"`
			} `json:"end_device_ids"`
		}
		require.NoError(t, json.Unmarshal(line, &m))
		got := publish(n.topic(m.IDs.ID, ""), json.RawMessage(line))
		require.Empty(t, got.Decoded.Readings)
		require.Len(t, got.Decoded.Refused, 1)
		refused := got.Decoded.Refused[0]
		require.Equal(t, city.ReasonUnknownDevice, refused.Reason, refused.Detail)
		require.Equal(t, m.IDs.EUI, got.Device)
		require.Contains(t, refused.Detail, m.IDs.EUI)
		require.Equal(t, string(got.Payload), string(refused.Raw))
		uplinks++
	}
	require.Positive(t, uplinks)
}

func TestWhoseEventItIs(t *testing.T) {
	v := cityOf(t)
	n := networks["tts"]
	d := lora.New(n.parse, func() *inventory.Version { return v }, lorawan.BuiltIn)
	decode := func(id, eui string, change ...func(m map[string]any)) (string, []city.Reading, []city.Refusal) {
		message := n.up(id, eui, 1, 1, []byte{1})
		for _, c := range change {
			c(message)
		}
		payload, err := json.Marshal(message)
		require.NoError(t, err)
		out := d.Decode("parkir", payload)
		return out.Device, out.Readings, out.Refused
	}
	tps := v.Device("bosch-tps110")
	for _, c := range []struct{ id, eui, device, refused string }{
		{"x", tps.EUI, "bosch-tps110", ""},       // by eui, whatever it is called
		{"bosch-tps110", "", "bosch-tps110", ""}, // by id, where the network names no eui
		{"bare", "70B3D57ED0FFFFFF", "bare", ""}, // by id, where the inventory has no eui
		{"bosch-tps110", "70B3D57ED0FFFFFF", "70B3D57ED0FFFFFF", "in devices.csv it is " + tps.EUI},
		{"stranger", "70B3D57ED0FFFFFF", "70B3D57ED0FFFFFF", "stranger,spot,SITE,PROFILE,70B3D57ED0FFFFFF"},
		{"nameless", "", "nameless", "has no profile"},
	} {
		device, readings, refused := decode(c.id, c.eui)
		require.Equal(t, c.device, device, c.id)
		if c.refused != "" {
			require.Empty(t, readings)
			require.Contains(t, refused[0].Detail, c.refused)
			continue
		}
		require.Empty(t, refused)
		require.Equal(t, c.device, readings[0].Device)
	}
	_, readings, refused := decode("x", tps.EUI, func(m map[string]any) { m["simulated"] = true })
	require.Empty(t, readings)
	require.Equal(t, city.ReasonSimulated, refused[0].Reason)
	require.False(t, refused[0].Seq.OK, "a simulated counter is none of the device's")

	device, readings, refused := decode("x", tps.EUI, func(m map[string]any) { delete(m, "uplink_message"); m["downlink_ack"] = map[string]any{} })
	require.Equal(t, []any{tps.EUI, 0, 0}, []any{device, len(readings), len(refused)}, "what says nothing of a device")

	session := func(name string) func(map[string]any) {
		return func(m map[string]any) { m["uplink_message"].(map[string]any)["session_key_id"] = name }
	}
	for i, c := range []struct {
		session string
		frame   bool
	}{{"A", false}, {"A", true}, {"B", false}, {"B", true}} { // before the first, a session was heard above
		_, readings, _ = decode("x", tps.EUI, session(c.session))
		require.Equal(t, c.frame, readings[0].Frame, "%d", i)
	}
}
