package mqtt_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/mqtt"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// BenchmarkSubscribe compares, behind a real Mosquitto, a paho subscriber that
// acknowledges and throws away with ours up to a sink that finishes everything.
// The CPU is that of this process, the publishers' included.
func BenchmarkSubscribe(b *testing.B) {
	for _, window := range []int{20, 0} {
		for name, setup := range map[string]func(b *testing.B, addr string) (got func() uint64){"paho": startPaho, "ours": startOurs} {
			b.Run(fmt.Sprintf("window %d/%s", window, name), func(b *testing.B) {
				m := sourcetest.NewMosquitto(b, fmt.Sprintf("max_inflight_messages %d\nmax_queued_messages 0\npersistence false", window))
				got := setup(b, m.Addr)
				blast := sourcetest.Blast{
					Address: m.Addr, Clients: 4, Window: 250,
					Payload: []byte(`{"kind":"spot","boot":1,"seq":123456,"at":"2026-11-23T10:00:00.000Z","occupied":true,"battery_v":3.6}`),
					User:    func(int) string { return "" },
					Topic:   func(i int) string { return fmt.Sprintf("sg/v1/p%d/up", i) },
				}
				began, cpu := time.Now(), cpuTime(b)
				blast.Run(b, b.N)
				sourcetest.Until(b, func() bool { return got() == uint64(b.N) }, "messages are missing")
				b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "msgs/s")
				b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func startPaho(b *testing.B, addr string) func() uint64 {
	b.Helper()
	var got atomic.Uint64
	client := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("discard"))
	token := client.Connect()
	token.Wait()
	require.NoError(b, token.Error())
	token = client.Subscribe("sg/v1/+/up", 1, func(paho.Client, paho.Message) { got.Add(1) })
	token.Wait()
	require.NoError(b, token.Error())
	b.Cleanup(func() { client.Disconnect(250) })
	return got.Load
}

func startOurs(b *testing.B, addr string) func() uint64 {
	b.Helper()
	sink := sourcetest.NewSink(4096)
	o := options(addr, sink)
	o.Decode = native.Decode
	s, err := mqtt.New(o)
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	go sink.Drain(ctx)
	stop := sourcetest.Run(b, s, true)
	b.Cleanup(func() { stop(); cancel() })
	return s.Stats().Acked.Load
}
