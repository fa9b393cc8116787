package outbox

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/simpang-id/simpang/internal/open311"
)

// Options are what a Worker is made of. What has no note is required.
type Options struct {
	Desk Desk
	URL  string // of their service, up to and with /v2
	Key  Key    // their api_key for us
	Zone *time.Location
	Log  *slog.Logger

	Jurisdiction string                // jurisdiction_id, where they serve several; optional
	Format       open311.Format        // asked for; either is read. Default JSON
	Codes        map[string]string     // our service code -> theirs; one that is not in it stays
	PlainHTTP    bool                  // allow http:// to a host that is not this machine
	Transport    http.RoundTripper     // default one of this package's own
	Rand         *rand.Rand            // of jitter; default seeded by chance
	Registerer   prometheus.Registerer // optional: takes the metrics

	Timeout  time.Duration   // of one call; default 30 s
	Pace     time.Duration   // between two calls; default 1 s
	Interval time.Duration   // between two rounds of pulling; default 5 min
	Backoff  time.Duration   // after a first failure, doubled up to 64 times that; default 30 s
	Looks    []time.Duration // before each look-up; after the last one unseen it is unsure. Default 30 s, 5 min, 30 min, 2 h
	Tokens   time.Duration   // how long a token may have no id; default 7 days
	MaxBytes int64           // of one answer; default 8 MiB
}

// Key is a secret that no log shows.
type Key string

// String hides it.
func (Key) String() string { return "<secret>" }

// GoString hides it.
func (Key) GoString() string { return "<secret>" }

// LogValue hides it.
func (Key) LogValue() slog.Value { return slog.StringValue("<secret>") }

func (o *Options) setDefaults() {
	setDuration(&o.Timeout, 30*time.Second)
	setDuration(&o.Pace, time.Second)
	setDuration(&o.Interval, 5*time.Minute)
	setDuration(&o.Backoff, 30*time.Second)
	setDuration(&o.Tokens, 7*24*time.Hour)
	if len(o.Looks) == 0 {
		o.Looks = []time.Duration{30 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour}
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 8 << 20
	}
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.Transport == nil {
		o.Transport = newTransport(o.Timeout)
	}
}

func setDuration(d *time.Duration, to time.Duration) {
	if *d == 0 {
		*d = to
	}
}

func (o *Options) validate() error {
	if o.Desk == nil || o.Zone == nil || o.Log == nil || o.Key == "" {
		return errors.New("outbox: Options.Desk, Zone, Log and Key are required")
	}
	if o.Pace < 0 || o.Timeout < 0 || o.Interval < 0 || o.Backoff < 0 || o.MaxBytes < 0 || o.Tokens < 0 {
		return errors.New("outbox: durations and bounds must not be negative")
	}
	return CheckURL(o.URL, o.PlainHTTP)
}

// CheckURL says what is wrong with the address of a destination, nil where
// nothing is. The key goes over https only, but on this machine, or where plain
// allows it.
func CheckURL(address string, plain bool) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return fmt.Errorf("%q is no address: write it like https://pengaduan.example.go.id/open311/v2", address)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("the address holds more than scheme, host and path: the key belongs in key_file")
	case u.Scheme == "https", u.Scheme == "http" && (plain || loopback(u.Hostname())):
		return nil
	case u.Scheme == "http":
		return errors.New("the address is http://, which would send the key in the clear: use https://, or allow it with plain_http: true")
	}
	return fmt.Errorf("scheme %q is not spoken: use https://", u.Scheme)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// newTransport makes each call on a connection of its own: no call is ever
// repeated by the transport, and none waits in a pool.
func newTransport(timeout time.Duration) *http.Transport {
	return &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: min(timeout, 10*time.Second)}).DialContext,

		TLSHandshakeTimeout: min(timeout, 10*time.Second), DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
	}
}

// base returns the address without a slash at its end.
func (o *Options) base() string { return strings.TrimRight(o.URL, "/") }
