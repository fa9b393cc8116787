package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/go-chi/chi/v5"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// The children are what a user would pick instead: each runs in a process of
// its own, so that its CPU can be told apart.

// discard subscribes with paho at QoS 1, acknowledges and throws away. It
// prints "ready", then "done" whenever n more messages have come.
func discard(ctx context.Context, addr string, n int) error {
	var seen atomic.Int64
	done := make(chan struct{}, 1)
	opts := paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("discard").SetCleanSession(true)
	opts.SetDefaultPublishHandler(func(paho.Client, paho.Message) {
		if seen.Add(1)%int64(n) == 0 {
			done <- struct{}{}
		}
	})
	client := paho.NewClient(opts)
	if t := client.Connect(); t.Wait() && t.Error() != nil {
		return t.Error()
	}
	defer client.Disconnect(100)
	if t := client.Subscribe("sg/v1/+/up", 1, nil); t.Wait() && t.Error() != nil {
		return t.Error()
	}
	fmt.Println("ready") //nolint:forbidigo // the parent reads it
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-done:
			fmt.Println("done") //nolint:forbidigo // the parent reads it
		}
	}
}

// emptyHook takes every publish and does nothing with it.
type emptyHook struct{ mochi.HookBase }

func (*emptyHook) ID() string { return "empty" }
func (*emptyHook) Provides(b byte) bool {
	return b == mochi.OnPublish || b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}
func (*emptyHook) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (*emptyHook) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

// emptyBroker is the library of the built-in broker with an empty hook.
func emptyBroker(ctx context.Context, addr string) error {
	server := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := server.AddHook(new(emptyHook), nil); err != nil {
		return err
	}
	if err := server.AddListener(listeners.NewTCP(listeners.Config{ID: "tcp", Address: addr})); err != nil {
		return err
	}
	if err := server.Serve(); err != nil {
		return err
	}
	fmt.Println("ready") //nolint:forbidigo // the parent reads it
	<-ctx.Done()
	return server.Close()
}

// bareChi answers each path of a JSON file (path -> body) with its bytes.
func bareChi(ctx context.Context, addr, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	bodies := map[string]string{}
	if err := json.Unmarshal(data, &bodies); err != nil {
		return err
	}
	r := chi.NewRouter()
	for path, body := range bodies {
		bytes := []byte(body)
		r.Get(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(bytes)
		})
	}
	server := &http.Server{Addr: addr, Handler: r, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
