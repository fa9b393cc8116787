package lorawan_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/lorawan"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// The two messages of the facts (section 5.1 and 5.2).
const (
	ttsUp = `{"end_device_ids":{"device_id":"spot-a017","application_ids":{"application_id":"parkir"},"dev_eui":"70B3D57ED0000017","join_eui":"0000000000000000","dev_addr":"260B1234"},
 "correlation_ids":["as:up:01J..."],"received_at":"2026-03-02T01:15:00.123456789Z",
 "uplink_message":{"session_key_id":"AY...","f_port":1,"f_cnt":42,"frm_payload":"AQ==","decoded_payload":{"type":"parking status","occupied":true},
  "rx_metadata":[{"gateway_ids":{"gateway_id":"gw-pemkot","eui":"B827EBFFFE000001"},"rssi":-97,"snr":6.5,"time":"2026-03-02T01:15:00Z"}],
  "settings":{"data_rate":{"lora":{"bandwidth":125000,"spreading_factor":7}},"frequency":"923200000"},
  "received_at":"2026-03-02T01:15:00.1Z","consumed_airtime":"0.051s","version_ids":{"brand_id":"bosch","model_id":"tps110"}}}`
	chirpUp = `{"deduplicationId":"3ac7e3c4-...","time":"2026-03-02T01:15:00.123+00:00",
 "deviceInfo":{"tenantId":"...","tenantName":"Pemkot","applicationId":"...","applicationName":"parkir","deviceProfileId":"...","deviceProfileName":"TPS110","deviceName":"spot-a017","devEui":"70b3d57ed0000017","tags":{"lokasi":"JUANDA-1"}},
 "devAddr":"00189440","adr":true,"dr":5,"fCnt":42,"fPort":1,"confirmed":false,"data":"AQ==","object":{"occupied":true},
 "rxInfo":[{"gatewayId":"0016c001f153a14c","rssi":-97,"snr":6.5}],"txInfo":{"frequency":923200000,"modulation":{"lora":{"bandwidth":125000,"spreadingFactor":7,"codeRate":"CR_4_5"}}}}`
)

const at = int64(1_772_414_100_000) // 2026-03-02T01:15:00Z

var frame = lorawan.Event{
	Kind: lorawan.Uplink, EUI: "70B3D57ED0000017", ID: "spot-a017", FCnt: 42, Port: 1, Payload: []byte{1},
	RSSI: city.SomeMilli(-97_000), SNR: city.SomeMilli(6500),
}

func TestTheFactsMessages(t *testing.T) {
	e, err := lorawan.ParseTTS([]byte(ttsUp))
	require.NoError(t, err)
	want := frame
	want.At, want.Session, want.Model = at+100, "AY.../260B1234", "bosch tps110"
	require.Equal(t, want, e)

	e, err = lorawan.ParseChirpStack([]byte(chirpUp))
	require.NoError(t, err)
	want.At, want.Session, want.Dedup, want.Model = at+123, "00189440", "3ac7e3c4-...", "TPS110"
	require.Equal(t, want, e)
}

const (
	ttsDevice   = `"end_device_ids":{"device_id":"a","dev_eui":"70b3d57ed0000017","dev_addr":"260B1234"}`
	chirpDevice = `"time":"2026-03-02T01:15:00Z","deviceInfo":{"deviceName":"a","devEui":"70b3d57ed0000017"}`
)

func TestEvents(t *testing.T) {
	base := lorawan.Event{EUI: "70B3D57ED0000017", ID: "a", At: at}
	for name, c := range map[string]struct {
		parse lorawan.Parse
		text  string
		want  func(*lorawan.Event)
	}{
		"what is zero is left out": {lorawan.ParseTTS, `{` + ttsDevice + `,"uplink_message":{"received_at":"2026-03-02T01:15:00Z"}}`, func(e *lorawan.Event) {
			e.Kind, e.Session = lorawan.Uplink, "/260B1234"
		}},
		"the best gateway, the earliest time": {lorawan.ParseTTS, `{` + ttsDevice + `,"received_at":"2026-03-02T01:15:09Z","uplink_message":{"f_port":255,"f_cnt":4294967295,"frm_payload":"//8=","rx_metadata":[
			{"rssi":-110,"snr":-3,"time":"2026-03-02T01:15:01Z"},{"rssi":-90.5,"snr":1.25},{"rssi":-120,"snr":9,"time":"2026-03-02T01:15:00Z"},{"snr":3}]}}`, func(e *lorawan.Event) {
			e.Kind, e.Session, e.Port, e.FCnt, e.Payload = lorawan.Uplink, "/260B1234", 255, 4294967295, []byte{255, 255}
			e.RSSI, e.SNR = city.SomeMilli(-90_500), city.SomeMilli(1250)
		}},
		"simulated": {lorawan.ParseTTS, `{` + ttsDevice + `,"received_at":"2026-03-02T01:15:00Z","simulated":true,"uplink_message":{"f_port":1}}`, func(e *lorawan.Event) {
			e.Kind, e.Session, e.Port, e.Simulated = lorawan.Uplink, "/260B1234", 1, true
		}},
		"a join": {lorawan.ParseTTS, `{` + ttsDevice + `,"received_at":"2026-03-02T01:15:00Z","join_accept":{"session_key_id":"AZ"}}`, func(e *lorawan.Event) {
			e.Kind, e.Session = lorawan.Join, "AZ/260B1234"
		}},
		"a downlink": {lorawan.ParseTTS, `{` + ttsDevice + `,"downlink_queued":{"f_port":1}}`, func(e *lorawan.Event) { e.Session, e.At = "260B1234", 0 }},
		"chirpstack: what is zero is left out": {lorawan.ParseChirpStack, `{` + chirpDevice + `,"devAddr":"00189440","rxInfo":[{}],"txInfo":{}}`, func(e *lorawan.Event) {
			e.Kind, e.Session = lorawan.Uplink, "00189440"
		}},
		"chirpstack: a join":      {lorawan.ParseChirpStack, `{` + chirpDevice + `,"devAddr":"00189440"}`, func(e *lorawan.Event) { e.Kind, e.Session = lorawan.Join, "00189440" }},
		"chirpstack: a status":    {lorawan.ParseChirpStack, `{` + chirpDevice + `,"margin":10,"batteryLevel":83.5}`, func(e *lorawan.Event) { e.Kind, e.BatteryPct = lorawan.Status, city.SomeMilli(83_500) }},
		"chirpstack: no battery":  {lorawan.ParseChirpStack, `{` + chirpDevice + `,"margin":10,"externalPowerSource":true,"batteryLevel":50}`, func(e *lorawan.Event) { e.Kind = lorawan.Status }},
		"chirpstack: not known":   {lorawan.ParseChirpStack, `{` + chirpDevice + `,"batteryLevelUnavailable":true}`, func(e *lorawan.Event) { e.Kind = lorawan.Status }},
		"chirpstack: a log":       {lorawan.ParseChirpStack, `{` + chirpDevice + `,"level":"ERROR","code":"UPLINK_MIC"}`, func(e *lorawan.Event) { e.At = 0 }},
		"chirpstack: a downlink":  {lorawan.ParseChirpStack, `{` + chirpDevice + `,"queueItemId":"q","txInfo":{}}`, func(e *lorawan.Event) { e.At = 0 }},
		"chirpstack: a gateway's": {lorawan.ParseChirpStack, `{"deviceInfo":{"deviceName":"a","devEui":"70b3d57ed0000017"},"fPort":2,"rxInfo":[{"nsTime":"2026-03-02T01:15:00.000+00:00","gwTime":"2026-03-02T01:15:01Z"}]}`, func(e *lorawan.Event) { e.Kind, e.Port = lorawan.Uplink, 2 }},
	} {
		want := base
		c.want(&want)
		got, err := c.parse([]byte(c.text))
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
}

func TestRefusedEvents(t *testing.T) {
	for name, c := range map[string]struct {
		parse  lorawan.Parse
		text   string
		reason city.Reason
	}{
		"no JSON":            {lorawan.ParseTTS, `{"end_device_ids":`, city.ReasonNotJSON},
		"something behind":   {lorawan.ParseTTS, ttsUp + "x", city.ReasonNotJSON},
		"an array":           {lorawan.ParseChirpStack, `[]`, city.ReasonNotJSON},
		"the other network":  {lorawan.ParseTTS, chirpUp, city.ReasonMissingMember},
		"and the other way":  {lorawan.ParseChirpStack, ttsUp, city.ReasonMissingMember},
		"no time":            {lorawan.ParseTTS, `{` + ttsDevice + `,"uplink_message":{}}`, city.ReasonMissingMember},
		"a time that is not": {lorawan.ParseTTS, `{` + ttsDevice + `,"uplink_message":{"received_at":"yesterday"}}`, city.ReasonWrongType},
		"a port that is not": {lorawan.ParseTTS, `{` + ttsDevice + `,"uplink_message":{"f_port":300}}`, city.ReasonWrongType},
		"no base64":          {lorawan.ParseChirpStack, `{` + chirpDevice + `,"fPort":1,"data":"*"}`, city.ReasonWrongType},
		"a text for a count": {lorawan.ParseChirpStack, `{` + chirpDevice + `,"fCnt":"42"}`, city.ReasonWrongType},
	} {
		_, err := c.parse([]byte(c.text))
		var refused *wire.RefusedError
		require.ErrorAs(t, err, &refused, name)
		require.Equal(t, c.reason, refused.Reason, "%s: %s", name, refused.Detail)
		require.NotEmpty(t, refused.Detail)
	}
}

func TestReadings(t *testing.T) {
	bosch := &vendors.Device{Profile: "bosch-tps110"}
	e := frame
	e.At = at
	signal := city.Health{RSSI: e.RSSI, SNR: e.SNR}
	state := city.Reading{Device: "d", Kind: city.KindSpot, Seq: 42, Frame: true, At: at, Spot: &city.Spot{Occupied: true, RSSI: e.RSSI, SNR: e.SNR}}
	beside := func(no uint64, h city.Health) city.Reading {
		return city.Reading{Device: "d", Kind: city.KindHealth, HasBoot: true, Boot: city.BesideBoot, Seq: uint64(at)*16 + no, At: at, Health: &h}
	}
	check := func(e lorawan.Event, d *vendors.Device, want ...city.Reading) {
		t.Helper()
		got, err := lorawan.Readings(&e, "d", d, lorawan.BuiltIn)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	check(e, bosch, state)

	beat := e
	beat.Port = 2
	check(beat, bosch, state, beside(0, signal)) // it also clears the errors that were told before

	network := e
	network.Port, network.Payload = 0, nil
	check(network, bosch, city.Reading{Device: "d", Kind: city.KindHealth, Seq: 42, Frame: true, At: at, Health: &signal})

	info := e
	info.Port = 4
	check(info, bosch, city.Reading{Device: "d", Kind: city.KindHealth, Seq: 42, Frame: true, At: at, Health: &signal})

	counter := e
	counter.Payload = []byte{0, 9}
	check(counter, &vendors.Device{Profile: "nwave-ncc405"}, city.Reading{
		Device: "d", Kind: city.KindGate, Seq: 42, Frame: true, At: at, Gate: &city.Gate{Class: city.ClassUnknown, Total: city.SomeInt(9), End: 65_536},
	}, beside(0, signal))

	check(lorawan.Event{Kind: lorawan.Join, At: at}, bosch, beside(1, city.Health{}))
	check(lorawan.Event{Kind: lorawan.Status, At: at, BatteryPct: city.SomeMilli(50_000)}, bosch, beside(2, city.Health{BatteryPct: city.SomeMilli(50_000)}))
	check(lorawan.Event{Kind: lorawan.Other, At: at}, bosch)

	simulated := e
	simulated.Simulated = true
	_, err := lorawan.Readings(&simulated, "d", bosch, lorawan.BuiltIn)
	var refused *wire.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, city.ReasonSimulated, refused.Reason)
}

func fuzz(f *testing.F, parse lorawan.Parse, seeds ...string) {
	f.Helper()
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		e, err := parse(payload)
		if err != nil {
			var refused *wire.RefusedError
			require.ErrorAs(t, err, &refused)
			require.NotEmpty(t, refused.Detail)
			return
		}
		require.True(t, json.Valid(payload))
		require.False(t, e.EUI == "" && e.ID == "", "an event of nobody")
		require.GreaterOrEqual(t, e.At, int64(0))
		readings, err := lorawan.Readings(&e, "d", &vendors.Device{Profile: "bosch-tps110"}, lorawan.BuiltIn)
		require.False(t, err == nil && len(readings) == 0 && e.Kind != lorawan.Other, "an event that says nothing")
		for _, r := range readings {
			require.Equal(t, e.At, r.At)
			require.Equal(t, "d", r.Device)
		}
	})
}

func FuzzTTS(f *testing.F) {
	fuzz(f, lorawan.ParseTTS, ttsUp, `{`+ttsDevice+`,"received_at":"2026-03-02T01:15:00Z","join_accept":{}}`)
}

func FuzzChirpStack(f *testing.F) {
	fuzz(f, lorawan.ParseChirpStack, chirpUp, `{`+chirpDevice+`,"margin":10,"batteryLevel":83.5}`, `{`+chirpDevice+`,"devAddr":"00189440"}`)
}

func BenchmarkParse(b *testing.B) {
	for name, c := range map[string]struct {
		parse lorawan.Parse
		text  string
	}{"tts": {lorawan.ParseTTS, ttsUp}, "chirpstack": {lorawan.ParseChirpStack, chirpUp}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.parse([]byte(c.text)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
