package broker_test

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

func TestTLS(t *testing.T) {
	pki := sourcetest.NewPKI(t)
	f := start(t, func(o *broker.Options) {
		o.Listen, o.TLSListen = "", "127.0.0.1:0"
		o.CertFile, o.KeyFile = pki.Issue(t, "localhost")
	})
	require.Empty(t, f.Addr())
	config := &tls.Config{RootCAs: pki.Pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	c := sourcetest.Dial(t, f.TLSAddr(), config)
	require.Zero(t, c.Hello(sourcetest.Hello{User: "d1", Secret: secret}).ReasonCode)
	c.Publish("sg/v1/d1/up", []byte("{}"), 1, 1)
	f.sink.TakeDone(t)
	c.Expect(packets.Puback)

	_, err := (&tls.Dialer{Config: &tls.Config{RootCAs: pki.Pool, ServerName: "localhost", MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}}).
		DialContext(t.Context(), "tcp", f.TLSAddr())
	require.Error(t, err)
	plain := sourcetest.Dial(t, f.TLSAddr(), nil)
	require.NoError(t, plain.Write([]byte("\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04name")))
	plain.Ended()
	sourcetest.Until(t, func() bool { return f.Stats().HandshakesFailed.Load() == 2 }, "two handshakes fail")
}

func TestCertificateChanges(t *testing.T) {
	first, second := sourcetest.NewPKI(t), sourcetest.NewPKI(t)
	cert, key := first.Issue(t, "localhost")
	f := start(t, func(o *broker.Options) {
		o.TLSListen, o.CertFile, o.KeyFile = "127.0.0.1:0", cert, key
	})
	newCert, newKey := second.Issue(t, "localhost")
	require.NoError(t, os.Rename(newKey, key))
	sourcetest.Until(t, func() bool { return f.Status().Detail != "" }, "half of a pair is a fault")
	sourcetest.Dial(t, f.TLSAddr(), &tls.Config{RootCAs: first.Pool, ServerName: "localhost", MinVersion: tls.VersionTLS12})
	require.NoError(t, os.Rename(newCert, cert))
	sourcetest.Until(t, func() bool { return f.Status().Detail == "" }, "the new pair is not taken")
	sourcetest.Dial(t, f.TLSAddr(), &tls.Config{RootCAs: second.Pool, ServerName: "localhost", MinVersion: tls.VersionTLS12})
}

// A certificate that cannot be read at the start keeps nobody off the plain
// listener, readyz says it, and it is taken once it is there.
func TestNoCertificate(t *testing.T) {
	pki := sourcetest.NewPKI(t)
	cert, key := pki.Issue(t, "localhost")
	late := filepath.Join(t.TempDir(), "cert.pem")
	f := start(t, func(o *broker.Options) {
		o.TLSListen, o.CertFile, o.KeyFile = "127.0.0.1:0", late, key
	})
	c := f.client(t, "d1")
	c.Publish("sg/v1/d1/up", []byte("{}"), 1, 1)
	f.sink.TakeDone(t)
	c.Expect(packets.Puback)
	require.Contains(t, f.Status().Fault, "certificate")
	config := &tls.Config{RootCAs: pki.Pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	_, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", f.TLSAddr())
	require.Error(t, err)

	require.NoError(t, os.Rename(cert, late))
	sourcetest.Until(t, func() bool { return f.Status().Fault == "" }, "the certificate is not taken")
	require.Zero(t, sourcetest.Dial(t, f.TLSAddr(), config).Hello(sourcetest.Hello{User: "d2", Secret: secret}).ReasonCode)
}

// An address that was taken when Run came to it may be free the next time.
func TestRunAgainAfterAnError(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	o := options(t, sourcetest.NewSink(1))
	o.Listen = taken.Addr().String()
	s, err := broker.New(o)
	require.NoError(t, err)
	require.ErrorContains(t, s.Run(t.Context()), "cannot listen")
	require.NoError(t, taken.Close())
	stop := sourcetest.Run(t, s, true)
	require.Equal(t, o.Listen, s.Addr())
	stop()
}
