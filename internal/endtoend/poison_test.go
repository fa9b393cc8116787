package endtoend_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/wire/frames"
)

// corpora are the inputs that the fuzzers of the parsers have kept: each broke
// something once, or led somewhere new.
func corpora(t *testing.T) (all [][]byte) {
	t.Helper()
	var files []string
	for _, pattern := range []string{"../*/testdata/fuzz/*/*", "../*/*/testdata/fuzz/*/*", "../../firmware-sim/*/testdata/fuzz/*/*"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		files = append(files, found...)
	}
	require.NotEmpty(t, files)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			_, quoted, ok := strings.Cut(strings.TrimSuffix(strings.TrimSpace(line), ")"), "(")
			if !ok {
				continue
			}
			if value, err := strconv.Unquote(quoted); err == nil {
				all = append(all, []byte(value))
			}
		}
	}
	return all
}

// Payloads that once broke a parser, over MQTT and as sentences on the line:
// each is answered or set aside, the program lives, and so does everything
// beside.
func TestPoisonForDecoders(t *testing.T) {
	tty := filepath.Join(t.TempDir(), "tty")
	w := openWire(t, tty)
	g := newGateway(t, writeCity(t, ""), brokerSource+`  - {id: line, type: serial, port: "`+tty+`"}
`)
	secret := g.bridgeSecret()
	g.start()
	g.login()
	before := g.vitals()
	c := sourcetest.Dial(t, g.mqtt, nil)
	require.Zero(t, c.Hello(sourcetest.Hello{User: "bridge", Secret: secret}).ReasonCode)
	poison := corpora(t)
	for n := range 64 { // cut and spoilt readings of each kind
		for _, good := range []string{
			spotReading(n, n, at(0), true), countReading(n, at(0)),
			fmt.Sprintf(`[{"kind":"traffic","boot":1,"seq":%d,"at":%q,"period_s":60,"lanes":[{"lane":1,"counts":{"SM":1}}]}]`, n, at(0)),
			fmt.Sprintf("PSGTM,meter-s-count-1,1,%d,%d,K-1,car,2000,cash,0,,", n, time.Now().UnixMilli()),
		} {
			cut := n * len(good) / 64
			poison = append(poison, []byte(good[:cut]), []byte(good[:cut]+"\xff"+good[cut:]), []byte(good[cut:]+good[:cut]))
		}
	}
	id, seq := uint16(0), 0
	for _, p := range poison {
		if len(p) > 256<<10 {
			continue
		}
		id++
		c.Publish("sg/v1/spot-c02/up", p, 1, id)
		require.Equal(t, id, c.Expect(packets.Puback).PacketID, "%q", p)
		w.write(string(frames.Seal(strings.Map(printable, string(p[:min(len(p), 240)])))))
	}
	for range 3 {
		seq++
		id++
		c.Publish("sg/v1/spot-c01/up", []byte(spotReading(1, seq, at(0), seq%2 == 0)), 1, id)
		require.Equal(t, id, c.Expect(packets.Puback).PacketID)
	}
	for len(w.acks) > 0 { // of what was good by chance
		<-w.acks
	}
	g.until("the line has answered a good sentence", func() bool {
		w.write(string(frames.Seal(fmt.Sprintf("PSGSP,spot-c03,7,1,%d,1", time.Now().UnixMilli()))))
		select {
		case a := <-w.acks:
			return a.Device == "spot-c03"
		case <-time.After(500 * time.Millisecond):
			return false
		}
	})
	g.lives()
	eachOnce(t, g.readings("spot-c01"), seq)
	t.Logf("%d payloads; quarantine has %d", len(poison), len(list[quarantined](g, "/v1/quarantine")))
	c.Close()
	g.recovers(t, before, 64)
	g.verified(t)
}

// printable keeps a sentence one line.
func printable(r rune) rune {
	if r < ' ' || r > '~' || r == '*' || r == '$' {
		return '?'
	}
	return r
}

// Readings at the end of every limit, which the gate has to take: no follower
// may stumble over any, and what is concluded can be asked.
func TestPoisonForFollowers(t *testing.T) {
	g := newGateway(t, writeCity(t, ""), brokerSource)
	secret := g.bridgeSecret()
	g.start()
	g.login()
	before := g.vitals()
	p := connect(t, g.mqtt, "bridge", secret)
	stamp := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339Nano) }
	oldest, newest := stamp(-7*24*time.Hour+time.Minute), stamp(4*time.Minute)
	seq := 0
	say := func(device, kind, when, members string) {
		t.Helper()
		seq++
		p.up(device, fmt.Sprintf(`{"kind":%q,"boot":%d,"seq":%d,"at":%q,%s}`, kind, seq%3, seq, when, members))
	}
	for _, when := range []string{newest, oldest, at(0)} { // the newest first
		for _, members := range []string{
			`"occupied":true,"dwell_s":316224000,"battery_v":100,"temperature_c":-90,"rssi_dbm":-250`,
			`"occupied":false,"dwell_s":0,"battery_v":0,"temperature_c":150,"rssi_dbm":50`,
		} {
			for _, d := range []string{"spot-c01", "share-01", "spot-m01"} {
				say(d, "spot", when, members)
			}
		}
		for _, direction := range []string{"in", "out", "out"} {
			for _, class := range []string{"car", "truck", "bicycle", "unknown"} {
				say("gate-c-in", "gate", when, fmt.Sprintf(`"direction":%q,"class":%q,"count":1000000`, direction, class))
				say("open-b-1", "gate", when, fmt.Sprintf(`"direction":%q,"class":%q,"count":0`, direction, class))
			}
		}
		for _, n := range []string{"1000000", "0"} {
			say("count-1", "count", when, `"class":"bus","occupied":`+n)
			say("count-2", "count", when, `"class":"car","occupied":`+n)
		}
		for _, period := range []string{"1", "3600"} {
			for _, lane := range []string{"1", "64"} {
				say("tc-1", "traffic", when, `"period_s":`+period+`,"lanes":[{"lane":`+lane+`,"direction":"backward","counts":{"SM":1000000,"KR":1000000,"KB":1000000,"KTB":1000000,"unknown":1000000},"speed_kmh":400,"occupancy_pct":100},{"lane":2,"counts":{},"speed_kmh":0}]`)
			}
		}
		say("spot-c02", "health", when, `"uptime_s":3162240000,"battery_v":0,"firmware":"`+strings.Repeat("é", 100)+`","errors":["","\u0000","`+strings.Repeat("x", 200)+`"]`)
	}
	for i, r := range []struct{ when, members string }{
		{stamp(-10*365*24*time.Hour + time.Hour), `"amount":1000000000000`},
		{newest, `"amount":0,"total_count":1000000000000,"total_amount":100000000000000`},
		{at(0), `"amount":7,"entered_at":"9999-12-31T23:59:59Z","left_at":"0001-01-01T00:00:00Z","total_count":0,"total_amount":0`},
		{oldest, `"amount":1,"entered_at":"0001-01-01T00:00:00Z","left_at":"9999-12-31T23:59:59+14:00","plate":"` + strings.Repeat("é", 32) + `"`},
	} {
		say("meter-s-spot-1", "receipt", r.when, fmt.Sprintf(`"receipt":"%d-%s","method":"cash",%s`, i, strings.Repeat("ø", 60), r.members))
	}
	say("meter-s-spot-2", "receipt", at(0), `"receipt":"nobody's","amount":1000000000000,"method":"qris","void":true`)
	for _, n := range []uint64{math.MaxInt64, math.MaxInt64 - 1, 0} {
		p.up("spot-c03", fmt.Sprintf(`{"kind":"spot","boot":%d,"seq":%d,"at":%q,"occupied":true}`, n, n, at(0)))
		p.up("spot-c04", fmt.Sprintf(`{"kind":"spot","seq":%d,"at":%q,"occupied":true}`, n, at(0)))
	}
	g.level()
	z := g.readyz()
	for _, f := range z.Followers {
		require.Nil(t, f.Detail, "%s failed", f.Name)
	}
	require.True(t, z.Ready, "%+v", z)
	refused := list[quarantined](g, "/v1/quarantine")
	reasons := map[string]int{}
	for _, q := range refused {
		reasons[q.Reason+" "+q.Detail]++
	}
	t.Logf("%d readings at the limits, %d of them refused: %v", seq+6, len(refused), reasons)
	require.Less(t, len(refused), seq/4, "most must pass the gate, or nothing is tried")
	from, to := time.Now().Add(-8*24*time.Hour), time.Now().Add(time.Hour)
	for _, path := range []string{
		"/v1/parking/sites", "/v1/parking/sites/S-SPOT", "/v1/parking/sites/S-SPOT/history?step=1h&" + span(from, to), "/v1/parking/sites/S-GATE/history?step=1h&" + span(from, to),
		"/v1/traffic/segments", "/v1/traffic/congestion", "/v1/traffic/segments/r-1-t/history?step=1h&" + span(from, to), "/v1/devices", "/v1/revenue/summary",
	} {
		require.Equal(t, 200, g.status(path), path)
	}
	t.Logf("recorded: Rp %d", g.recorded())
	p.c.Disconnect(50)
	g.recovers(t, before, 64)
	g.verified(t)
}
