// Package mqtt is an outside MQTT broker as a source, several at once: QoS 1, a
// persistent session, and each message acknowledged only when it is committed.
//
// paho owns the connection: log-in, subscriptions, keep-alive. The publishes are
// taken out of the stream before paho reads it (see link): paho would hand each
// through five goroutines, wait in them while the sink is full, so that its
// keep-alive starves, and write each acknowledgement by itself. A connection
// that is lost is not mended by paho but opened anew, with a new client, by Run.
package mqtt

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/mqttwire"
	"github.com/simpang-id/simpang/internal/wire"
)

// Options configure the source; the zero value of what is not required stands
// for the default.
type Options struct {
	ID           string   // id of the source; required
	City         string   // id of the city, part of the default client id
	URL          string   // tcp://, ssl://, ws:// or wss://host:port[/path]; required
	Topics       []string // topic filters; the level of the first + is the device, unless SelfNamed; required
	SelfNamed    bool     // payloads name their device: a topic need not
	ClientID     string   // default simpang-{city}-{id}; must differ from that of every other client
	Username     string
	PasswordFile string // read anew at each connection; a line end at its end is not part of it
	CAFile       string // PEM; default: the system's authorities
	CertFile     string // PEM chain of the client; needs KeyFile
	KeyFile      string // PEM
	TopicsFile   string // where subscriptions are remembered, so that topics that left are unsubscribed; "": not

	// Decode makes readings of a payload of device. Required. It is called
	// from one goroutine, never with more than source.MaxPayload bytes.
	Decode func(device string, payload []byte) wire.Decoded
	Sink   source.Sink  // required
	Log    *slog.Logger // nil: slog.Default()

	MaxSilence     time.Duration // connects anew after so long without a message; 0: never
	KeepAlive      time.Duration // whole seconds; default 30 s
	ConnectTimeout time.Duration // of one attempt; default 15 s
	WriteTimeout   time.Duration // default 10 s
	MinBackoff     time.Duration // before the second attempt; default 500 ms
	MaxBackoff     time.Duration // between attempts; default 30 s
	Window         int           // messages in flight to the sink; default 4,096, over twice the window of most brokers
	MaxInFlight    int64         // bytes of their payloads; default 16 MiB
}

var schemes = map[string]bool{ // true: TLS
	"tcp": false, "mqtt": false, "ws": false, "ssl": true, "tls": true, "mqtts": true, "wss": true,
}

func (o *Options) validate() error {
	var errs []error
	require := func(ok bool, what string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("source %s: %s", o.ID, fmt.Sprintf(what, args...)))
		}
	}
	require(o.ID != "", "id is missing")
	u, err := url.Parse(o.URL)
	secure, known := false, false
	if err == nil {
		secure, known = schemes[u.Scheme]
	}
	require(known && u.Host != "", "url must be tcp://, ssl://, ws:// or wss://host:port") // not the URL: it could hold a password
	require(!known || u.User == nil, "no user in the url: write username and password_file")
	require(secure || o.CAFile == "" && o.CertFile == "", "ca_file and cert_file need an ssl:// or wss:// url")
	require((o.CertFile == "") == (o.KeyFile == ""), "cert_file and key_file belong together")
	require(o.PasswordFile == "" || o.Username != "", "password_file needs a username")
	require(len(o.Topics) > 0, "topics are missing; sg/v1/+/up are the readings of all devices")
	for _, t := range o.Topics {
		require(validFilter(t), "%q is no topic filter", t)
	}
	require(o.Decode != nil, "no decoder")
	require(o.Sink != nil, "no sink")
	require(o.KeepAlive >= 0 && o.KeepAlive%time.Second == 0, "keep-alive is in whole seconds")
	require(o.Window >= 0 && o.Window <= 1<<16 && o.MaxInFlight >= 0, "the window is 1 to 65536 messages")
	require(min(o.MaxSilence, o.ConnectTimeout, o.WriteTimeout, o.MinBackoff, o.MaxBackoff) >= 0, "a duration is negative")
	return errors.Join(errs...)
}

func (o *Options) fill() {
	wait := func(p *time.Duration, v time.Duration) {
		if *p == 0 {
			*p = v
		}
	}
	wait(&o.KeepAlive, 30*time.Second)
	wait(&o.ConnectTimeout, 15*time.Second)
	wait(&o.WriteTimeout, 10*time.Second)
	wait(&o.MinBackoff, 500*time.Millisecond)
	wait(&o.MaxBackoff, 30*time.Second)
	if o.Window == 0 {
		o.Window = 4096
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 16 << 20
	}
	if o.ClientID == "" {
		o.ClientID = strings.Join(slices.DeleteFunc([]string{"simpang", o.City, o.ID}, func(s string) bool { return s == "" }), "-")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	o.Log = o.Log.With("source", o.ID)
}

// validFilter tells whether filter is a topic filter (MQTT 3.1.1, section 4.7).
func validFilter(filter string) bool {
	if filter == "" || len(filter) > mqttwire.MaxTopic || strings.ContainsRune(filter, 0) {
		return false
	}
	levels := strings.Split(filter, "/")
	for n, level := range levels {
		switch {
		case level == "#" && n != len(levels)-1:
			return false
		case level != "#" && level != "+" && strings.ContainsAny(level, "#+"):
			return false
		}
	}
	return true
}
