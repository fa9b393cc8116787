package mosquitto_test

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/mqtt"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/wire/native"
)

const secret = "a-secret-of-the-tests"

// server is Mosquitto with our files; only their places and the ports differ.
type server struct {
	*sourcetest.Mosquitto
	pki    *sourcetest.PKI
	secure string // address of TLS
}

func start(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	s := &server{pki: sourcetest.NewPKI(t)}
	cert, key := s.pki.Issue(t, "mqtt.example.id")
	plain, secure := sourcetest.FreePort(t), sourcetest.FreePort(t)
	s.secure = fmt.Sprintf("127.0.0.1:%d", secure)
	conf := read(t, "simpang.conf")
	for from, to := range map[string]string{
		"listener 8883\n":                          fmt.Sprintf("user root\nlistener %d 127.0.0.1\n", secure),
		"listener 1883 ":                           fmt.Sprintf("listener %d ", plain),
		"/etc/mosquitto/simpang/server.crt":        cert,
		"/etc/mosquitto/simpang/server.key":        key,
		"/etc/mosquitto/simpang/passwd":            filepath.Join(dir, "passwd"),
		"/etc/mosquitto/simpang/acl":               filepath.Join(dir, "acl"),
		"persistence_location /var/lib/mosquitto/": "persistence_location " + dir + "/",
	} {
		require.Equal(t, 1, strings.Count(conf, from), from)
		conf = strings.Replace(conf, from, to, 1)
	}
	rules := read(t, "acl") + "\nuser b1\ntopic write sg/v1/+/up\ntopic read sg/v1/+/down\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "acl"), []byte(rules), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mosquitto.conf"), []byte(conf), 0o600))
	for _, user := range []string{"simpang", "d1", "d2", "b1"} {
		sourcetest.MosquittoPassword(t, filepath.Join(dir, "passwd"), user, secret)
	}
	s.Mosquitto = sourcetest.StartMosquitto(t, filepath.Join(dir, "mosquitto.conf"), fmt.Sprintf("127.0.0.1:%d", plain))
	return s
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

func (s *server) tls() *tls.Config {
	return &tls.Config{RootCAs: s.pki.Pool, ServerName: "mqtt.example.id", MinVersion: tls.VersionTLS12}
}

// client is logged in over TLS.
func (s *server) client(t *testing.T, user string) *sourcetest.Client {
	t.Helper()
	c := sourcetest.Dial(t, s.secure, s.tls())
	require.Zero(t, c.Hello(sourcetest.Hello{User: user, Secret: secret}).ReasonCode)
	return c
}

// gateway is a source with this broker, as the README configures it.
func (s *server) gateway(t *testing.T, url string) (*sourcetest.Sink, func()) {
	t.Helper()
	password := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte(secret+"\n"), 0o600))
	sink := sourcetest.NewSink(10_000)
	o := mqtt.Options{
		ID: "mosquitto", City: "bekasi", URL: url, Topics: []string{"sg/v1/+/up"}, Username: "simpang", PasswordFile: password,
		Decode: native.Decode, Sink: sink, Log: slog.New(slog.DiscardHandler),
	}
	if strings.HasPrefix(url, "ssl") {
		o.CAFile = s.pki.CAFile
	}
	src, err := mqtt.New(o)
	require.NoError(t, err)
	return sink, sourcetest.Run(t, src, true)
}

func spot(seq int) []byte {
	return fmt.Appendf(nil, `{"kind":"spot","seq":%d,"at":"2026-11-23T10:00:00+07:00","occupied":true}`, seq)
}

func TestRights(t *testing.T) {
	s := start(t)
	sink, _ := s.gateway(t, "tcp://"+s.Addr)
	d1, d2, b1 := s.client(t, "d1"), s.client(t, "d2"), s.client(t, "b1")
	for _, c := range []*sourcetest.Client{d1, d2} {
		c.Subscribe("sg/v1/d1/down", "sg/v1/+/up", "sg/v1/+/status", "#") // whatever is granted, only its own arrives
	}
	publish := func(c *sourcetest.Client, topic string, seq int) {
		t.Helper()
		c.Publish(topic, spot(seq), 1, uint16(seq))
		require.Equal(t, uint16(seq), c.Expect(packets.Puback).PacketID)
	}
	publish(d1, "sg/v1/d2/up", 1)   // not its own
	publish(d1, "sg/v1/d1/down", 2) // not to be written by devices
	publish(d1, "elsewhere", 3)
	publish(b1, "sg/v1/d1/down", 4)
	publish(d1, "sg/v1/d1/up", 5)
	publish(b1, "sg/v1/d9/up", 6)
	for _, want := range []struct {
		device string
		seq    uint64
	}{{"d1", 5}, {"d9", 6}} {
		m := sink.TakeDone(t)
		require.Equal(t, want.device, m.Device)
		require.Equal(t, want.seq, m.Decoded.Readings[0].Seq)
	}
	sink.None(t)

	// The gateway writes to d1, and sees the status that is kept.
	publish(d1, "sg/v1/d1/status", 7)
	d1.Publish("sg/v1/d1/status", []byte(`{"online":true}`), 1, 8, func(pk *packets.Packet) { pk.FixedHeader.Retain = true })
	require.Equal(t, uint16(8), d1.Expect(packets.Puback).PacketID)
	gateway := s.client(t, "simpang")
	gateway.Subscribe("sg/v1/+/status")
	require.JSONEq(t, `{"online":true}`, string(gateway.Expect(packets.Publish).Payload))
	gateway.Publish("sg/v1/d1/down", []byte("for d1"), 1, 9)
	gateway.Expect(packets.Puback)
	require.Equal(t, "for d1", string(d1.Expect(packets.Publish).Payload))
	d2.Silent()
}

func TestLogIn(t *testing.T) {
	s := start(t)
	for name, hello := range map[string]sourcetest.Hello{
		"nobody":         {ID: "x"},
		"wrong password": {User: "d1", Secret: "wrong"},
		"unknown":        {User: "d3", Secret: secret},
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []*sourcetest.Client{sourcetest.Dial(t, s.secure, s.tls()), sourcetest.Dial(t, s.Addr, nil)} {
				require.Equal(t, byte(5), c.Hello(hello).ReasonCode)
			}
		})
	}
	_, err := (&tls.Dialer{Config: &tls.Config{
		RootCAs: s.pki.Pool, ServerName: "mqtt.example.id", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11,
	}}).DialContext(t.Context(), "tcp", s.secure)
	require.Error(t, err, "TLS 1.1")
}

func TestABurstWaitsForTheGateway(t *testing.T) {
	const all = 5000 // Mosquitto's own default keeps 1,000
	s := start(t)
	_, stop := s.gateway(t, "ssl://"+s.secure)
	stop()
	sourcetest.Blast{
		Address: s.Addr, Clients: 1, Window: 100, Secret: secret, Payload: spot(1),
		User: func(int) string { return "b1" }, Topic: func(int) string { return "sg/v1/d1/up" },
	}.Run(t, all)
	s.Stop(t) // and it survives a restart
	s.Start(t)
	sink, _ := s.gateway(t, "ssl://"+s.secure)
	for range all {
		sink.TakeDone(t)
	}
	sink.None(t)
}

func TestSizeLimit(t *testing.T) {
	s := start(t)
	sink, _ := s.gateway(t, "tcp://"+s.Addr)
	d1 := s.client(t, "d1")
	d1.Publish("sg/v1/d1/up", make([]byte, source.MaxRead), 1, 1)
	d1.Expect(packets.Puback)
	require.Len(t, sink.TakeDone(t).Payload, source.MaxRead)
	d1.Publish("sg/v1/d1/up", make([]byte, source.MaxRead+1), 1, 2)
	sink.None(t)
}
