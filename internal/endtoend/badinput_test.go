package endtoend_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/wire/frames"
)

// at is a time as devices write it.
func at(back time.Duration) string {
	return time.Now().Add(-back).UTC().Format("2006-01-02T15:04:05.000Z")
}

// spotReading is a good reading of a spot.
func spotReading(boot, seq int, when string, occupied bool) string {
	return fmt.Sprintf(`{"kind":"spot","boot":%d,"seq":%d,"at":%q,"occupied":%v}`, boot, seq, when, occupied)
}

func countReading(seq int, when string) string {
	return fmt.Sprintf(`{"kind":"count","boot":1,"seq":%d,"at":%q,"class":"car","occupied":3}`, seq, when)
}

// Everything that can be wrong with a message is refused by name, counted, kept
// in quarantine and acknowledged, and the good ones beside it are taken.
func TestBadInputOverMQTT(t *testing.T) {
	dir := writeCity(t, "")
	g := newGateway(t, dir, brokerSource)
	secret := g.bridgeSecret()
	own := g.secretOf("spot-c02")
	g.start()
	g.login()
	p := connect(t, g.mqtt, "bridge", secret)
	good := 0
	for i, c := range []struct {
		name    string
		device  string
		payload string
		reason  string
		seq     bool // the number could be read
	}{
		{"too large", "spot-c01", `{"kind":"spot","x":"` + strings.Repeat("x", 70_000) + `"}`, "too_large", false},
		{"not JSON", "spot-c01", `kind=spot`, "not_json", false},
		{"cut off", "spot-c01", `{"kind":"spot","seq":3,"at":"2026-0`, "not_json", false},
		{"binary", "spot-c01", "\x00\xff\xfe\x80", "not_json", false},
		{"empty array", "spot-c01", `[]`, "not_json", false},
		{"wrong type", "spot-c01", fmt.Sprintf(`{"kind":"spot","boot":1,"seq":900,"at":%q,"occupied":"yes"}`, at(0)), "wrong_type", true},
		{"no seq", "spot-c01", fmt.Sprintf(`{"kind":"spot","boot":1,"at":%q,"occupied":true}`, at(0)), "missing_member", false},
		{"no occupied", "spot-c01", fmt.Sprintf(`{"kind":"spot","boot":1,"seq":901,"at":%q}`, at(0)), "missing_member", true},
		{"negative count", "count-1", fmt.Sprintf(`{"kind":"count","boot":1,"seq":902,"at":%q,"class":"car","occupied":-1}`, at(0)), "impossible_value", true},
		{"period of none", "tc-1", fmt.Sprintf(`{"kind":"traffic","boot":1,"seq":903,"at":%q,"period_s":0,"lanes":[]}`, at(0)), "impossible_value", true},
		{"unknown kind", "spot-c01", fmt.Sprintf(`{"kind":"weather","boot":1,"seq":904,"at":%q}`, at(0)), "unknown_kind", true},
		{"another kind than the inventory's", "spot-c01", fmt.Sprintf(`{"kind":"count","boot":1,"seq":905,"at":%q,"class":"car","occupied":1}`, at(0)), "wrong_kind", true},
		{"unknown device", "count-new", countReading(1, at(time.Minute)), "unknown_device", true},
		{"clock in 1970", "spot-c01", spotReading(1, 906, "1970-01-01T00:00:00Z", true), "too_old", true},
		{"clock in 2099", "spot-c01", spotReading(1, 907, "2099-01-01T00:00:00Z", true), "too_far_ahead", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := g.refused(c.reason)
			id := lastID(g)
			p.up(c.device, c.payload)
			good++
			p.up("spot-c03", spotReading(1, good, at(0), i%2 == 0))
			require.InDelta(t, before+1, g.refused(c.reason), 0, "counted by name")
			items := list[quarantined](g, "/v1/quarantine?reason="+c.reason+"&device="+c.device)
			require.NotEmpty(t, items)
			item := items[len(items)-1]
			require.Greater(t, item.ID, id, "kept")
			require.Equal(t, "sg/v1/"+c.device+"/up", item.Topic)
			require.Equal(t, "broker", item.Source)
			require.NotEmpty(t, item.Detail, "it says what is wrong")
			require.Equal(t, c.seq, item.Seq != nil)
		})
	}
	t.Run("elements stand alone", func(t *testing.T) {
		wrong := g.refused("wrong_type")
		p.up("spot-c04", "["+spotReading(1, 1, at(2*time.Second), true)+`,{"kind":"spot","boot":1,"seq":2,"at":"x","occupied":true},`+spotReading(1, 3, at(0), false)+"]")
		require.InDelta(t, wrong+1, g.refused("wrong_type"), 0)
		require.Len(t, g.readings("spot-c04"), 2)
	})
	t.Run("the topic of another device", func(t *testing.T) {
		q := connect(t, g.mqtt, "spot-c02", own)
		q.up("spot-c02", spotReading(1, 1, at(0), true))
		before := g.refused("device_mismatch")
		q.up("spot-c05", spotReading(1, 1, at(0), true))
		require.InDelta(t, before+1, g.refused("device_mismatch"), 0)
		require.Len(t, g.readings("spot-c02"), 1)
		require.Empty(t, g.readings("spot-c05"))
	})
	t.Run("duplicate and conflict", func(t *testing.T) {
		when := at(0)
		before, conflicts := g.metric("simpang_duplicates_total"), g.refused("sequence_conflict")
		for range 3 {
			p.up("spot-c06", spotReading(1, 1, when, true))
		}
		p.up("spot-c06", spotReading(1, 1, when, false))
		require.InDelta(t, before+2, g.metric("simpang_duplicates_total"), 0)
		require.InDelta(t, conflicts+1, g.refused("sequence_conflict"), 0)
		got := g.readings("spot-c06")
		require.Len(t, got, 1)
		require.Equal(t, true, got[0].Occupied)
	})
	t.Run("reboot without boot, and a replay after a restart", func(t *testing.T) {
		said := []string{}
		for i, seq := range []int{41, 42, 43, 1, 2} {
			said = append(said, fmt.Sprintf(`{"kind":"spot","seq":%d,"at":%q,"occupied":%v}`, seq, at(time.Duration(60-i)*time.Second), i%2 == 0))
		}
		for _, s := range said {
			p.up("spot-c07", s)
		}
		got := g.readings("spot-c07")
		require.Len(t, got, 5)
		require.Equal(t, []string{"new_run"}, got[3].Flags)
		g.stop()
		g.start()
		for _, s := range said {
			p.up("spot-c07", s)
		}
		require.Len(t, g.readings("spot-c07"), 5)
		require.InDelta(t, 5, g.metric("simpang_duplicates_total"), 0)
	})
	t.Run("a device that joins the inventory later", func(t *testing.T) {
		items := list[quarantined](g, "/v1/quarantine?device=count-new&pending=true")
		require.Len(t, items, 1)
		path := fmt.Sprintf("/v1/quarantine/%d/retry", items[0].ID)
		require.Equal(t, "refused", g.post(t, path).Verdict, "not yet in the inventory")
		edit(t, dir, "devices.csv", "spot-c02,spot", "count-new,count,S-COUNT,,,car,300\nspot-c02,spot")
		g.post(t, "/v1/admin/reload")
		require.Equal(t, "accepted", g.post(t, path).Verdict)
		require.Equal(t, "duplicate", g.post(t, path).Verdict, "twice is once")
		got := g.readings("count-new")
		require.Len(t, got, 1)
		require.Equal(t, []string{"retried"}, got[0].Flags)
		require.WithinDuration(t, items[0].ReceivedAt, got[0].ReceivedAt, 0, "the first receive time is kept")
		require.Empty(t, list[quarantined](g, "/v1/quarantine?device=count-new&pending=true"))
		p.up("count-new", countReading(2, at(0)))
		require.Len(t, g.readings("count-new"), 2)
	})
	require.Len(t, g.readings("spot-c03"), good, "nothing else suffered")
	g.stop()
	_, code := g.run("verify", "-config", g.config)
	require.Zero(t, code)
}

// lastID is the newest item's in quarantine.
func lastID(g *gateway) (id int64) {
	for _, q := range list[quarantined](g, "/v1/quarantine") {
		id = max(id, q.ID)
	}
	return id
}

// readings waits for the followers and returns what a device said of late.
func (g *gateway) readings(device string) []reading {
	g.t.Helper()
	g.level()
	return list[reading](g, "/v1/devices/"+device+"/readings?"+span(time.Now().Add(-48*time.Hour), time.Now().Add(time.Hour)))
}

// answer is what a POST of staff says.
type answer struct {
	Verdict string `json:"verdict"`
	Reason  string `json:"reason"`
	Changed bool   `json:"changed"`
	Hash    string `json:"hash"`
	Title   string `json:"title"`
	Detail  string `json:"detail"`
	Errors  []struct {
		Field  string `json:"field"`
		Detail string `json:"detail"`
	} `json:"errors"`
}

// post expects 200.
func (g *gateway) post(t *testing.T, path string) answer {
	t.Helper()
	a, status := g.tryPost(t, path, "{}")
	require.Equal(t, http.StatusOK, status, "%+v", a)
	return a
}

// Everything that can be wrong on a serial line: nothing of it is answered
// where it cannot be told whose it is, and the next good sentence is.
func TestBadInputOverSerial(t *testing.T) {
	tty := filepath.Join(t.TempDir(), "tty")
	w := openWire(t, tty)
	g := newGateway(t, writeCity(t, ""), `  - {id: line, type: serial, port: "`+tty+`"}
`)
	g.start()
	g.login()
	seq := 0
	good := func() {
		t.Helper()
		seq++
		w.say(fmt.Sprintf("PSGSP,spot-c01,1,%d,%d,1", seq, time.Now().UnixMilli()))
	}
	good()
	bad := string(frames.Seal(fmt.Sprintf("PSGSP,spot-c02,1,1,%d,1", time.Now().UnixMilli())))
	noise := make([]byte, 4000)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		if noise[i] = byte(random.IntN(256)); noise[i] == '$' {
			noise[i] = 0
		}
	}
	for _, c := range []struct{ name, text, reason string }{
		{"wrong checksum", strings.Replace(bad, ",1*", ",0*", 1), "bad_checksum"},
		{"line too long", "$PSGSP," + strings.Repeat("x", 600) + "\r\n", "line_too_long"},
		{"binary noise", string(noise) + "\r\n", "not_frame"},
		{"cut off", bad[:20], "not_frame"},
		{"somebody else's sentence", string(frames.Seal("GPGGA,1,2,3")), "not_frame"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := g.refused(c.reason)
			w.write(c.text)
			good() // the line works on, and only this one is answered
			require.Empty(t, w.acks)
			g.until("it is counted by name", func() bool { return g.refused(c.reason) >= before+1 })
			require.NotEmpty(t, list[quarantined](g, "/v1/quarantine?reason="+c.reason))
		})
	}
	for _, c := range []struct{ name, body, reason string }{
		{"unknown sentence", "PSGXX,spot-c02,1,901,%d,1", "unknown_kind"},
		{"missing field", "PSGSP,spot-c02,1,902,%d,", "missing_member"},
		{"wrong type", "PSGSP,spot-c02,1,903,%d,x", "wrong_type"},
		{"negative count", "PSGCT,count-1,1,904,%d,car,-4", "impossible_value"},
		{"unknown device", "PSGSP,nobody,1,905,%d,1", "unknown_device"},
		{"another kind", "PSGSP,count-1,1,906,%d,1", "wrong_kind"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := g.refused(c.reason)
			w.say(fmt.Sprintf(c.body, time.Now().UnixMilli()))
			require.InDelta(t, before+1, g.refused(c.reason), 0)
			good()
		})
	}
	t.Run("clocks", func(t *testing.T) {
		w.say("PSGSP,spot-c02,1,907,0,1")
		w.say("PSGSP,spot-c02,1,908,4070908800000,1")
		require.InDelta(t, 1, g.refused("too_old"), 0)
		require.InDelta(t, 1, g.refused("too_far_ahead"), 0)
	})
	t.Run("duplicate and conflict", func(t *testing.T) {
		now := time.Now().UnixMilli()
		for range 3 {
			w.say(fmt.Sprintf("PSGSP,spot-c03,1,1,%d,1", now))
		}
		w.say(fmt.Sprintf("PSGSP,spot-c03,1,1,%d,0", now))
		require.InDelta(t, 2, g.metric("simpang_duplicates_total"), 0)
		require.InDelta(t, 1, g.refused("sequence_conflict"), 0)
	})
	require.Len(t, g.readings("spot-c01"), seq, "nothing else suffered")
	require.Empty(t, g.readings("spot-c02"))
	require.Len(t, g.readings("spot-c03"), 1)
}

// Our own clock far behind what the journal already holds, as after a dead
// battery: nothing is taken until a person has accepted it.
func TestOwnClockBehind(t *testing.T) {
	g := newGateway(t, writeCity(t, ""), brokerSource)
	secret := g.bridgeSecret()
	g.start()
	g.login()
	first := connect(t, g.mqtt, "bridge", secret)
	first.up("spot-c01", spotReading(1, 1, at(0), true))
	first.c.Disconnect(50)
	g.stop()
	j, err := journal.Open(t.Context(), filepath.Join(g.dir, "data/journal"), journal.Options{Zone: zone})
	require.NoError(t, err)
	_, err = j.Append(t.Context(), []journal.Entry{{Type: journal.TypeTick, Recv: time.Now().Add(time.Hour).UnixMilli()}})
	require.NoError(t, err)
	require.NoError(t, j.Close())

	g.launch()
	g.until("it answers", func() bool { return g.status("/healthz") == http.StatusOK })
	p := connect(t, g.mqtt, "bridge", secret)
	token := p.c.Publish("sg/v1/spot-c01/up", 1, false, spotReading(1, 2, at(0), false))
	g.until("readyz says clock", func() bool { return strings.Contains(g.body("/readyz"), `"clock"`) })
	require.Equal(t, http.StatusServiceUnavailable, g.status("/readyz"))
	require.False(t, token.WaitTimeout(2*time.Second), "nothing is acknowledged: %v", token.Error())
	g.post(t, "/v1/admin/clock")
	require.True(t, token.WaitTimeout(acknowledged), "taken once the clock is accepted")
	g.until("ready", func() bool { return g.status("/readyz") == http.StatusOK })
	require.Len(t, g.readings("spot-c01"), 2)
}
