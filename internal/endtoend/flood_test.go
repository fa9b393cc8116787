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

// One device floods with readings, another with garbage. The others are
// acknowledged as before, quarantine is bounded and keeps what the others have
// in it, and all of the flood that was acknowledged is there.
func TestDevicesThatFlood(t *testing.T) {
	if testing.Short() {
		t.Skip("a flood")
	}
	g := newGateway(t, writeCity(t, ""), brokerSource)
	devices := []string{"spot-c01", "spot-c02", "spot-c03", "spot-c04", "spot-c05", "spot-c06"}
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
	counts := make([]int, 2)
	readings, garbage := dial("spot-c01"), dial("spot-c02")
	tasks.Go(func() {
		counts[0] = flood(ctx, t, readings, "spot-c01", 1000, func(n int) string { return spotReading(1, n+1, at(0), n%2 == 0) })
	})
	tasks.Go(func() {
		counts[1] = flood(ctx, t, garbage, "spot-c02", 1000, func(n int) string { return fmt.Sprintf("garbage %d", n) })
	})
	waits := make([][]time.Duration, 3)
	for i, device := range devices[2:5] {
		c := dial(device)
		tasks.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				begin := time.Now()
				if c.Write(publishOf(t, device, n+1, spotReading(1, n+1, at(0), n%2 == 0))) != nil {
					return
				}
				if _, err := c.Read(acknowledged); err != nil {
					return
				}
				waits[i] = append(waits[i], time.Since(begin))
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	peak := before.resident
	g.until("both floods have lasted", func() bool {
		peak = max(peak, g.resident())
		return g.metric("simpang_quarantine_evicted_items") > 1000 && g.metric(`simpang_readings_total{kind="spot"}`) > float64(times(20_000, 200_000))
	})
	stop()
	tasks.Wait()
	require.Less(t, peak, before.resident+300, "MiB while it lasts")
	for i, device := range devices[2:5] {
		require.NotEmpty(t, waits[i], "%s got nothing through", device)
		slices.Sort(waits[i])
		require.Less(t, waits[i][len(waits[i])/2], 10*time.Second, "%s: half of its readings", device)
		t.Logf("%s: %d readings beside the floods, PUBACK median %v, worst %v", device, len(waits[i]), waits[i][len(waits[i])/2].Round(time.Microsecond), waits[i][len(waits[i])-1].Round(time.Microsecond))
		eachOnce(t, g.readings(device), len(waits[i]))
	}
	eachOnce(t, g.readings("spot-c01"), counts[0])
	aside := map[string]int{}
	for _, q := range list[quarantined](g, "/v1/quarantine") {
		aside[q.Device]++
	}
	require.Equal(t, map[string]int{"spot-c02": 1000, "spot-c06": 1}, aside, "bounded by device")
	t.Logf("%d readings and %d pieces of garbage acknowledged; %.0f evicted; resident at most %.0f MiB", counts[0], counts[1], g.metric("simpang_quarantine_evicted_items"), peak)
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
