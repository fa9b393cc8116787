package endtoend_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	simulated "github.com/simpang-id/simpang/firmware-sim/fleet"
	planned "github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/outbox/peertest"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// TestFromASkimToTheAgencysAnswer: at a street two of five who pay get no
// receipt for a day. Their stays and receipts come in as readings; the gateway
// finds the leak, makes a complaint of it that nobody but Bapenda sees, and an
// officer confirms it. Only then it goes to the city's own system, another
// process, without amount or operator. The agency answers there, its answer
// comes back, a person closes it here, theirs hears of that, and E-Monev counts
// it.
func TestFromASkimToTheAgencysAnswer(t *testing.T) {
	p := peertest.Start(t)
	inventory := writeCity(t, "")
	edit(t, inventory, "sites.geojson", `"opening_hours":"Mo-Su 06:00-22:00","operator":"dishub"`, `"opening_hours":"Mo-Su 06:00-22:00","operator":"op-01"`)
	g := withPeer(t, inventory, p, "confidential: true, codes: {money_records: CATATAN}")
	skimmed := g.playSkim(t)
	g.start()
	g.login()
	g.level()
	p.Set(t, peertest.OK, time.Now())

	bapenda := g.as(t, "bapenda")
	leaks := func() (found []complaintTold) {
		for _, c := range list[complaintTold](bapenda, "/v1/complaints?service=money_records&site=S-SPOT") {
			if c.Rule != nil && *c.Rule == "leak" {
				found = append(found, c)
			}
		}
		return found
	}
	g.until("the skim is a complaint at Bapenda", func() bool { return len(leaks()) > 0 })
	all := leaks()
	require.Len(t, all, 1, "one leak was planted there")
	c := all[0]
	require.Equal(t, []string{"S-SPOT"}, c.Sites)
	require.Equal(t, "received", c.Status, "what is about money waits for an officer")
	require.Nil(t, c.Delivery)
	require.Equal(t, http.StatusNotFound, g.as(t, "dishub").status("/v1/complaints/"+c.ID))
	require.Equal(t, http.StatusNotFound, g.status("/open311/v2/requests/"+c.ID+".json"))
	require.Empty(t, filedAs(t, p, c.ID), "nothing leaves before an officer confirmed it")

	var anomaly struct {
		Evidence struct {
			Ranges []struct{ From string } `json:"ranges"`
			Sums   map[string]int64        `json:"sums"`
			Links  []string                `json:"links"`
		} `json:"evidence"`
	}
	bapenda.get("/v1/anomalies/"+*c.Anomaly, &anomaly)
	require.Equal(t, skimmed, anomaly.Evidence.Ranges[0].From, "the day on which it was")
	require.Greater(t, anomaly.Evidence.Sums["expected_low_rp"], anomaly.Evidence.Sums["recorded_rp"])
	require.NotEmpty(t, anomaly.Evidence.Links)

	bapenda.act(t, c.ID, `{"status":"verified"}`)
	g.until("the city's system has it", func() bool { return deref(bapenda.complaint(c.ID).Delivery) == "sent" })
	there := filedAs(t, p, c.ID)
	require.Len(t, there, 1)
	require.Equal(t, there[0].ID, deref(bapenda.complaint(c.ID).Theirs))
	require.Equal(t, "CATATAN", there[0].Form.Get("service_code"))
	told := there[0].Form.Encode() + there[0].Form.Get("description")
	for name, sum := range anomaly.Evidence.Sums {
		if strings.HasSuffix(name, "_rp") && sum >= 1000 {
			require.NotContains(t, told, strconv.FormatInt(sum, 10), name)
		}
	}
	for _, operator := range []string{"op-01", "Operator Contoh", "Operator+Contoh", "0000001"} {
		require.NotContains(t, told, operator)
	}

	p.Set(t, peertest.OK, time.Now().Add(2*time.Second))
	p.Answer(t, there[0].ID, "in_progress", "Petugas ke lokasi")
	p.Answer(t, there[0].ID, "fixed", "Juru parkir diganti, karcis diperiksa")
	g.until("their answer is here", func() bool { return bapenda.complaint(c.ID).Status == "answered" })
	answered := bapenda.complaint(c.ID)
	require.Equal(t, 1, answered.count("in_progress"), g.body("/v1/complaints/"+c.ID))
	require.Equal(t, 1, answered.count("answered"))
	require.Zero(t, answered.count("reopened"))
	statuses := g.metric(`simpang_outbox_calls_total{call="status",outcome="ok"}`)
	g.until("their status was read again", func() bool { return g.metric(`simpang_outbox_calls_total{call="status",outcome="ok"}`) > statuses+1 })
	require.Nil(t, bapenda.complaint(c.ID).ClosedAt, "only a person closes it")
	bapenda.act(t, c.ID, `{"status":"closed","text":"Setoran Rp 41000 diterima"}`)

	g.until("the city's system hears that it is closed", func() bool { return len(saidOf(t, p, there[0].ID)) == 1 })
	pulls := g.pulls()
	g.until("what was told came back and changed nothing", func() bool { return g.pulls() > pulls+2 })
	said := saidOf(t, p, there[0].ID)
	require.Len(t, said, 1, "what came from there is not sent back")
	require.Equal(t, "closed", said[0].Status)
	require.NotContains(t, said[0].Text, "41000", "an officer's words about money stay here")
	closed := bapenda.complaint(c.ID)
	require.Equal(t, "closed", closed.Status)
	require.Equal(t, 1, closed.count("closed"))
	require.Len(t, filedAs(t, p, c.ID), 1)

	var monev struct {
		Items []struct {
			Agency             string
			Received, Answered int
			AnswerInTime       int `json:"answered_in_time"`
			Closed             int
		}
	}
	g.get("/v1/monev?month="+c.ReceivedAt[:7], &monev)
	for _, row := range monev.Items {
		if row.Agency == "bapenda" {
			require.Equal(t, [3]int{1, 1, 1}, [3]int{row.Answered, row.AnswerInTime, row.Closed})
			require.Len(t, list[complaintTold](bapenda, "/v1/complaints"), row.Received)
			g.stop()
			out, code := g.run("verify", "-config", g.config)
			require.Zero(t, code, out)
			return
		}
	}
	require.Fail(t, "E-Monev has no row of Bapenda")
}

// playSkim fills the store with three days that end at midnight, through the
// gate, the journal and the followers, and returns the day that is skimmed.
func (g *gateway) playSkim(t *testing.T) string {
	t.Helper()
	cfg, faults := config.Load(g.config, nil, nil)
	require.Empty(t, faults)
	now := time.Now().In(cfg.City.Zone)
	until := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, cfg.City.Zone)
	from, day := until.AddDate(0, 0, -3), until.AddDate(0, 0, -2)
	plan, err := planned.Parse(fmt.Appendf(nil, `timezone: Asia/Jakarta
seed: 4
devices: {health: 0s}
payments: {unpaid: 0, void: 0, reprint: 0, subscription: 0, lost_ticket: 0, plate: 0}
planted: [{kind: skim, site: S-SPOT, share: 0.4, from: %q, until: %q}]
`, day.Format(time.RFC3339), day.AddDate(0, 0, 1).Format(time.RFC3339)))
	require.NoError(t, err)
	r, err := app.OpenReplay(t.Context(), app.Options{Config: cfg, Log: slog.New(slog.DiscardHandler)}, 1024)
	require.NoError(t, err)
	require.NoError(t, r.Step(t.Context(), from))
	sim, err := simulated.New(simulated.Options{Version: r.Inventory(), Scenario: plan, Seed: 4, Start: from.UnixMilli(), End: until.UnixMilli()})
	require.NoError(t, err)
	last := from
	for {
		m, ok := sim.Next()
		at := time.UnixMilli(m.SendAt)
		if !ok || !at.Before(until) {
			break
		}
		if at.After(last) {
			last = at
		}
		require.NoError(t, r.Take(t.Context(), last, source.Message{Source: "broker", Device: m.Device, Payload: m.Payload, Decoded: native.Decode(m.Device, m.Payload)}))
	}
	require.NoError(t, r.Step(t.Context(), until))
	require.NoError(t, r.Close(t.Context()))
	return day.Format(time.DateOnly)
}

// withPeer is a gateway whose city has a system of its own.
func withPeer(t *testing.T, inventory string, p *peertest.Process, more string) *gateway {
	t.Helper()
	g := newGateway(t, inventory, brokerSource)
	g.patience = time.Minute // incidents, complaints and the two systems each have their own pace
	require.NoError(t, os.WriteFile(g.dir+"/peer.key", []byte(peertest.Key), 0o600))
	f, err := os.OpenFile(g.config, os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = fmt.Fprintf(f, "complaints: {endpoint: %q, key_file: peer.key, gather: 1s, interval: 1s, rate: 600, timeout: 2s, %s}\n", p.URL(), more)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return g
}

// complaintTold is a complaint as the API tells it.
type complaintTold struct {
	ID          string   `json:"id"`
	Status      string   `json:"status"`
	Description string   `json:"description"`
	Sites       []string `json:"sites"`
	Rule        *string  `json:"rule"`
	Anomaly     *string  `json:"anomaly"`
	Delivery    *string  `json:"delivery"`
	Theirs      *string  `json:"their_id"`
	ReceivedAt  string   `json:"received_at"`
	ClosedAt    *string  `json:"closed_at"`
	Photos      []string `json:"photos"`
	Updates     []struct {
		What string  `json:"what"`
		Text *string `json:"text"`
	} `json:"updates"`
}

func (c *complaintTold) count(what string) (n int) {
	for _, u := range c.Updates {
		if u.What == what {
			n++
		}
	}
	return n
}

func (g *gateway) complaint(id string) (c complaintTold) {
	g.t.Helper()
	g.get("/v1/complaints/"+id, &c)
	return c
}

func (g *gateway) act(t *testing.T, id, what string) {
	t.Helper()
	resp, err := g.request(http.MethodPost, "/v1/complaints/"+id+"/updates", what)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode, what)
}

// as is the same gateway asked with a token of a role.
func (g *gateway) as(t *testing.T, role string, more ...string) *gateway {
	t.Helper()
	out, code := g.run(append([]string{"token", "-config", g.config, "-role", role, "-name", "test " + role}, more...)...)
	require.Zero(t, code)
	return &gateway{t: t, http: g.http, token: strings.TrimSpace(out), patience: g.patience}
}

// pulls counts the rounds in which what they did was asked for.
func (g *gateway) pulls() float64 {
	return g.metric(`simpang_outbox_calls_total{call="updates",outcome="ok"}`)
}

// filedAs returns the reports with our id that the peer has on its disk.
func filedAs(t *testing.T, p *peertest.Process, id string) (found []peertest.Record) {
	t.Helper()
	all, err := peertest.Read(p.Dir)
	require.NoError(t, err)
	for _, r := range all {
		if strings.Contains(r.Form.Get("description"), "["+id+"]") {
			found = append(found, r)
		}
	}
	return found
}

// saidOf returns what was posted to the peer of one of its reports.
func saidOf(t *testing.T, p *peertest.Process, theirs string) (found []peertest.Said) {
	t.Helper()
	all, err := peertest.ReadSaid(p.Dir)
	require.NoError(t, err)
	for _, u := range all {
		if u.Request == theirs && u.Posted != "" {
			found = append(found, u)
		}
	}
	return found
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
