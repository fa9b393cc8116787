package endtoend_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

// flood publishes without a pause, up to window messages ahead of
// its acknowledgements, until ctx ends; it returns how many were acknowledged.
func flood(ctx context.Context, t *testing.T, c *sourcetest.Client, device string, window int, payload func(n int) string) (acked int) {
	t.Helper()
	sent := 0
	for ctx.Err() == nil || acked < sent {
		for ctx.Err() == nil && sent-acked < window {
			if c.Write(publishOf(t, device, sent+1, payload(sent))) != nil {
				return acked
			}
			sent++
		}
		pk, err := c.Read(acknowledged)
		if err != nil {
			return acked
		}
		if pk.FixedHeader.Type == packets.Puback {
			acked++
		}
	}
	return acked
}

// beside publishes one reading after the other until ctx ends, n times at most,
// from number first on; it returns how long each PUBACK took.
func beside(ctx context.Context, t *testing.T, c *sourcetest.Client, device string, first, n int) (waits []time.Duration) {
	t.Helper()
	for seq := first; seq < first+n && ctx.Err() == nil; seq++ {
		begin := time.Now()
		if c.Write(publishOf(t, device, seq, spotReading(1, seq, at(0), seq%2 == 0))) != nil {
			return waits
		}
		if _, err := c.Read(acknowledged); err != nil {
			return waits
		}
		waits = append(waits, time.Since(begin))
		time.Sleep(20 * time.Millisecond)
	}
	return waits
}

func median(waits []time.Duration) time.Duration {
	waits = slices.Sorted(slices.Values(waits))
	return waits[len(waits)/2]
}

// One device floods with readings, one with garbage, one begins a run with each
// reading, and one's clock stands still. The others wait for their
// acknowledgements no worse than fifty times as long as before, garbage costs
// the commits no more than its rate, quarantine is bounded and keeps what the
// others have in it, and all of the floods that was acknowledged is there.
func TestDevicesThatFlood(t *testing.T) {
	if testing.Short() {
		t.Skip("a flood")
	}
	g := newGateway(t, writeCity(t, ""), brokerSource)
	devices := []string{"spot-c01", "spot-c02", "spot-c03", "spot-c04", "spot-c05", "spot-c06", "spot-c07", "spot-c08"}
	secrets := map[string]string{}
	for _, d := range devices {
		secrets[d] = g.secretOf(d)
	}
	g.start()
	g.login()
	before := g.vitals()
	var open []*sourcetest.Client
	dial := func(device string) *sourcetest.Client {
		c := sourcetest.Dial(t, g.mqtt, nil)
		require.Zero(t, c.Hello(sourcetest.Hello{User: device, Secret: secrets[device], KeepAlive: 600}).ReasonCode)
		open = append(open, c)
		return c
	}
	quiet := connect(t, g.mqtt, "spot-c06", secrets["spot-c06"])
	quiet.up("spot-c06", "no JSON") // stays in quarantine, whatever the others do

	ctx, stop := context.WithCancel(t.Context())
	var tasks sync.WaitGroup
	others := map[string]*sourcetest.Client{}
	calm, waits := make([]time.Duration, 3), make([][]time.Duration, 3)
	const first = 20
	for i, device := range devices[2:5] {
		others[device] = dial(device)
		tasks.Go(func() { calm[i] = median(beside(ctx, t, others[device], device, 1, first)) })
	}
	tasks.Wait()
	still := at(0)
	floods := []struct {
		device  string
		window  int
		payload func(n int) string
	}{
		{"spot-c01", 1000, func(n int) string { return spotReading(1, n+1, at(0), n%2 == 0) }},
		{"spot-c02", 1000, func(n int) string { return fmt.Sprintf("garbage %d", n) }},
		{"spot-c07", 100, func(n int) string { return spotReading(n+1, 1, at(0), n%2 == 0) }},
		{"spot-c08", 100, func(n int) string { return spotReading(1, n+1, still, n%2 == 0) }},
	}
	counts := make([]int, len(floods))
	began := time.Now()
	for i, f := range floods {
		c := dial(f.device)
		tasks.Go(func() { counts[i] = flood(ctx, t, c, f.device, f.window, f.payload) })
	}
	for i, device := range devices[2:5] {
		tasks.Go(func() { waits[i] = beside(ctx, t, others[device], device, first+1, 1_000_000) })
	}
	peak := before.resident
	g.until("both floods have lasted", func() bool {
		peak = max(peak, g.resident())
		return g.metric("simpang_quarantine_not_kept_total") > 1000 && g.metric("simpang_quarantine_evicted_items") > 50 && g.metric(`simpang_readings_total{kind="spot"}`) > float64(times(20_000, 200_000))
	})
	stop()
	tasks.Wait()
	require.Less(t, peak, before.resident+300, "MiB while it lasts")
	for i, device := range devices[2:5] {
		require.NotEmpty(t, waits[i], "%s got nothing through", device)
		half := median(waits[i])
		t.Logf("%s: PUBACK median %v before, %v beside the floods, worst of %d: %v", device, calm[i].Round(time.Microsecond), half.Round(time.Microsecond), len(waits[i]), slices.Max(waits[i]).Round(time.Microsecond))
		require.Less(t, half, 50*max(calm[i], 20*time.Millisecond), "%s: half of its readings", device)
		eachOnce(t, g.readings(device), first+len(waits[i]))
	}
	for i, f := range floods {
		require.Positive(t, counts[i], f.device)
		if f.device == "spot-c01" || f.device == "spot-c08" {
			eachOnce(t, g.readings(f.device), counts[i])
		}
	}
	require.Len(t, g.readings("spot-c07"), counts[2])
	var day struct {
		Expected, Received, Missing int
		OlderRuns                   int `json:"older_runs"`
	}
	g.get("/v1/devices/spot-c07/completeness?date="+began.In(zone).Format(time.DateOnly), &day)
	if began.In(zone).Day() == time.Now().In(zone).Day() {
		require.Equal(t, [3]int{counts[2], counts[2], 0}, [3]int{day.Expected, day.Received, day.Missing})
		require.Equal(t, max(counts[2]-64, 0), day.OlderRuns)
	}
	// Of the garbage a thousand at once and fifty a second were put aside.
	put := 1000 + g.metric("simpang_quarantine_evicted_items")
	require.LessOrEqual(t, put, 1000+50*time.Since(began).Seconds()+1)
	aside := map[string]int{}
	for _, q := range list[quarantined](g, "/v1/quarantine") {
		aside[q.Device]++
	}
	require.Equal(t, map[string]int{"spot-c02": 1000, "spot-c06": 1}, aside, "bounded by device")
	t.Logf("acknowledged: %d readings, %d pieces of garbage, %d runs, %d readings of one time; %.0f evicted; resident at most %.0f MiB", counts[0], counts[1], counts[2], counts[3], g.metric("simpang_quarantine_evicted_items"), peak)
	for _, c := range open {
		c.Close()
	}
	quiet.c.Disconnect(50)
	g.recovers(t, before, 64)
	g.verified(t)
}

// publishOf is the n-th publish of a device, from 1 on.
func publishOf(t *testing.T, device string, n int, payload string) []byte {
	t.Helper()
	return sourcetest.Encode(t, packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, ProtocolVersion: 4,
		TopicName: "sg/v1/" + device + "/up", Payload: []byte(payload), PacketID: uint16((n-1)%0xffff + 1),
	})
}
