package broker_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// empty is a hook that lets everybody in and everything pass.
type empty struct{ mochi.HookBase }

func (empty) ID() string { return "empty" }

func (empty) Provides(b byte) bool {
	return b == mochi.OnPublish || b == mochi.OnACLCheck || b == mochi.OnConnectAuthenticate
}

func (empty) OnPublish(_ *mochi.Client, pk packets.Packet) (packets.Packet, error) { return pk, nil }

func (empty) OnACLCheck(*mochi.Client, string, bool) bool { return true }

func (empty) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }

// BenchmarkPublish compares mochi with an empty hook, which acknowledges at
// once, with ours up to a sink that finishes everything in batches.
func BenchmarkPublish(b *testing.B) {
	const publishers, many = 4, 2000
	payload := []byte(`{"kind":"spot","boot":1,"seq":123456,"at":"2026-11-23T10:00:00.000Z","occupied":true,"battery_v":3.6}`)
	blast := sourcetest.Blast{
		Secret: secret, Payload: payload,
		User:  func(i int) string { return fmt.Sprintf("p%d", i) },
		Topic: func(i int) string { return fmt.Sprintf("sg/v1/p%d/up", i) },
	}
	for name, setup := range map[string]func(b *testing.B, users int) string{"empty hook": startEmpty, "ours": startOurs} {
		for _, load := range []struct{ clients, window int }{{publishers, 500}, {many, 1}} {
			b.Run(fmt.Sprintf("%s/%d publishers x %d", name, load.clients, load.window), func(b *testing.B) {
				blast := blast
				blast.Address, blast.Clients, blast.Window = setup(b, load.clients), load.clients, load.window
				took := blast.Run(b, b.N)
				b.ReportMetric(float64(b.N)/took.Seconds(), "msgs/s")
				b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "ns/op")
			})
		}
	}
}

func startEmpty(b *testing.B, _ int) string {
	b.Helper()
	server := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(b, server.AddHook(&empty{}, nil))
	l, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	require.NoError(b, err)
	require.NoError(b, server.AddListener(listeners.NewNet("x", l)))
	require.NoError(b, server.Serve())
	b.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}

func startOurs(b *testing.B, users int) string {
	b.Helper()
	sink := sourcetest.NewSink(4096)
	o := options(b, sink)
	o.Decode = native.Decode
	o.Log = slog.New(slog.DiscardHandler)
	var text strings.Builder
	for i := range users {
		fmt.Fprintf(&text, "p%d:%s\n", i, broker.HashSecret(secret))
	}
	require.NoError(b, os.WriteFile(o.CredentialsFile, []byte(text.String()), 0o600))
	s, err := broker.New(o)
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	go sink.Drain(ctx)
	stop := sourcetest.Run(b, s, true)
	b.Cleanup(func() { stop(); cancel() })
	return s.Addr()
}
