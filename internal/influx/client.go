package influx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	ihttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// Server is how a server is reached.
type Server struct {
	URL     string                 // http or https
	Org     string                 // "" where the server has none
	Bucket  string                 // of InfluxDB 1.8: database/retention policy
	Token   func() (string, error) // read before each try after a refusal; nil: none
	CAFile  string                 // PEM; "": the system's
	Timeout time.Duration          // of one request
	Gzip    bool
}

// client sends lines and asks Flux. It follows no redirect, so that a token goes
// nowhere else.
type client struct {
	o         Server
	transport *transport
	influx    influxdb2.Client
	write     api.WriteAPIBlocking
	query     api.QueryAPI
}

func newClient(o Server) (*client, error) {
	t, err := newTransport(o)
	if err != nil {
		return nil, err
	}
	c := &client{o: o, transport: t}
	options := influxdb2.DefaultOptions().SetUseGZip(o.Gzip).SetPrecision(time.Nanosecond).SetLogLevel(0).
		SetHTTPClient(&http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("the server redirects: name the address it redirects to as url")
		}})
	c.influx = influxdb2.NewClientWithOptions(o.URL, "", options)
	c.write = c.influx.WriteAPIBlocking(o.Org, o.Bucket)
	c.query = c.influx.QueryAPI(o.Org)
	_ = t.renew() // a token that is not there is told when the server refuses, and asked for again
	return c, nil
}

func (c *client) close() error {
	c.influx.Close()
	c.transport.base.CloseIdleConnections()
	return nil
}

// send writes lines; nil says that the server has them.
func (c *client) send(ctx context.Context, lines []byte) error {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	return c.write.WriteRecord(ctx, string(lines))
}

// transport adds the token, and bounds what a server answers.
type transport struct {
	base  *http.Transport
	token func() (string, error)
	value atomic.Pointer[string]
	most  int64

	dialed atomic.Uint64 // connections made
}

// mostAnswer bounds an answer, bytes as they are read: some 50,000 readings.
const mostAnswer = 16 << 20

func newTransport(o Server) (*transport, error) {
	t := &transport{token: o.Token, most: mostAnswer}
	dialer := &net.Dialer{Timeout: o.Timeout}
	base := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: o.Timeout,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err == nil {
				t.dialed.Add(1)
			}
			return c, err
		},
		MaxIdleConnsPerHost: 4, MaxConnsPerHost: 8, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("influx: ca_file: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("influx: ca_file %s holds no certificate: write PEM into it", o.CAFile)
		}
		base.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	t.base = base
	return t, nil
}

// renew reads the token again.
func (t *transport) renew() error {
	if t.token == nil {
		return nil
	}
	token, err := t.token()
	if err != nil {
		return err
	}
	t.value.Store(&token)
	return nil
}

// RoundTrip sends one request.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if token := t.value.Load(); token != nil {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Token "+*token)
	}
	if r.Header.Get("Accept-Encoding") != "" { // net/http unpacks what it has asked for itself: what is bounded is what is read
		r = r.Clone(r.Context())
		r.Header.Del("Accept-Encoding")
	}
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &bounded{ReadCloser: resp.Body, left: t.most}
	return resp, nil
}

// errTooMuch says that a server answered more than is read.
var errTooMuch = errors.New("it answers too much at once")

// bounded is a body of which so much is read; more is an error, for what is cut
// off must not look like the end.
type bounded struct {
	io.ReadCloser

	left int64
}

// Read reads what is left, and fails where there is more.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooMuch
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, errTooMuch
	}
	return n, err
}

// outcome is what is to be done after a request.
type outcome uint8

const (
	accepted outcome = iota
	refused          // these points, for themselves
	tooLarge         // the request
	again            // not now
	person           // not before somebody mends something
	expired          // older than what the bucket keeps: the rest was taken
)

// judge sorts the error of a request, with a reason for people.
func judge(err error) (outcome, string, time.Duration) {
	if err == nil {
		return accepted, "", 0
	}
	e, ok := errors.AsType[*ihttp.Error](err)
	if !ok || e.StatusCode == 0 {
		if _, bad := errors.AsType[*tls.CertificateVerificationError](err); bad {
			return person, "its certificate is not trusted (" + plainError(err) + "): name the authority as ca_file", 0
		}
		return again, "it does not answer: " + plainError(err), 0
	}
	wait := time.Duration(min(e.RetryAfter, 3600)) * time.Second
	said := fmt.Sprintf("%d %s", e.StatusCode, brief(e.Message))
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		if strings.Contains(e.Message, "retention policy") && !strings.Contains(e.Message, "type conflict") {
			return expired, said, 0
		}
		if limited(e.Message) {
			return person, "it takes no more series (" + said + "): raise max-series-per-database or max-values-per-tag there, or find who writes so many", 0
		}
		return refused, said, 0
	case http.StatusRequestEntityTooLarge:
		return tooLarge, said, 0
	case http.StatusUnauthorized, http.StatusForbidden:
		return person, "it refuses our token (" + said + "): give token_file a token that may write to the bucket", 0
	case http.StatusNotFound:
		return person, "it does not know the organisation or bucket (" + said + "): make them there, or mend org and bucket", 0
	case http.StatusTooManyRequests, http.StatusRequestTimeout:
		return again, "it is busy: " + said, wait
	}
	if e.StatusCode >= 500 {
		return again, "it fails: " + said, wait
	}
	if e.StatusCode/100 == 3 {
		return person, fmt.Sprintf("it redirects (%d): name the address it redirects to as url", e.StatusCode), 0
	}
	return person, "it answers " + said + ": look at url and at what stands between", wait
}

// limited tells of InfluxDB 1's limits, which no point has exceeded by itself.
func limited(said string) bool {
	return strings.Contains(said, "limit exceeded") && (strings.Contains(said, "max-series-per-database") || strings.Contains(said, "max-values-per-tag"))
}

// plainError is an error without the address that net/http writes before it.
func plainError(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return brief(err.Error())
}

// brief is a server's words, short enough for a line.
func brief(s string) string {
	const most = 200
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
