// Package broker is the built-in MQTT broker as a source: devices and bridges
// connect to it directly, and a reading is acknowledged (PUBACK, PUBREC) only
// when it is committed.
//
// mochi-mqtt, which nothing outside this package sees, knows the protocol:
// packets, subscriptions, retained messages, QoS towards the devices. Each
// connection is ours: mochi is handed one packet after the other (see serve),
// but what a client publishes is taken out of its stream before (see conn), its
// rights are checked, and it goes to the sink; the acknowledgements are written later, in
// the order of the publishes, many in one write. So a client's reading goroutine
// never waits for a commit, only for room in its window.
//
// Where the contract is silent:
//   - A publish that the client has no right to is set aside under the client's
//     own name (bad_topic, device_mismatch) and acknowledged: with reason 0x87 to
//     MQTT 5, plainly to MQTT 3.1.1, which has no word for it, as Mosquitto does.
//   - A will may stand on the client's own status topic only. One on a topic of
//     readings was written before the fact and measures nothing: it is dropped
//     when the client logs in, and counted.
//   - What the sink does not take is not acknowledged and the client is cut: only
//     on a new connection may it send again.
//   - The client id is a name within the user: two users with the same one do
//     not meet. A second connection of one ends the first, whose will is out
//     before the second is answered.
//   - A bridge may do what its filters say and nothing as itself; nobody but the
//     gateway writes to down topics. A device subscribes to its own down topic and
//     to no wildcard; a bridge to down topics that its filters cover, also with +.
//   - Sessions and retained statuses live in memory: after a restart devices
//     subscribe and tell their status again, as after any lost session.
//   - Topic aliases and shared subscriptions are not served, and CONNACK says so.
package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/mqttwire"
	"github.com/simpang-id/simpang/internal/wire"
)

// Options configure the broker; the zero value of what is not required stands
// for the default.
type Options struct {
	ID              string // id of the source; required
	Listen          string // host:port of plain MQTT; this or TLSListen is required
	TLSListen       string // host:port of MQTT over TLS (1.2 at least)
	CertFile        string // PEM chain, required with TLSListen; read again when it changes
	KeyFile         string // PEM key, required with TLSListen
	CredentialsFile string // required; may be missing yet

	// Decode makes readings of a payload that device published. Required. It is
	// called from many goroutines, never with more than source.MaxPayload bytes.
	Decode func(device string, payload []byte) wire.Decoded
	// Network makes readings of what a bridge publishes to topics that are none of
	// devices, sg/v1/..., and that its filters cover: a LoRaWAN network server, say.
	// The topic's last level is the device that it is called with. Nil: there are no
	// such topics. It is called like Decode.
	Network   func(device string, payload []byte) wire.Decoded
	SelfNamed bool         // payloads that Network reads name their device: a topic does not
	Sink      source.Sink  // required
	Log       *slog.Logger // nil: slog.Default()

	MaxClients     int           // connections that are logged in; default what the limit of open files leaves room for, 100,000 at most
	MaxPending     int           // connections that are not logged in yet; default 512
	MaxSessions    int           // sessions kept, connected or not; default 60,000, or a quarter more than MaxClients
	MaxRetained    int           // status topics kept; default as MaxSessions
	MaxPerUser     int           // sessions of one user; default 8, of a bridge 64
	SessionExpiry  time.Duration // longest life of a session without connection; default 24 h
	Window         int           // messages of one client in flight to the sink (receive maximum); default 1,024
	MaxInFlight    int64         // bytes of all payloads in flight to the sink; default 64 MiB. One client has a sixteenth
	ConnectTimeout time.Duration // from accept to log-in; default 10 s
	WriteTimeout   time.Duration // of one write to a client; default 10 s
	CheckEvery     time.Duration // how often files are looked at for changes; default 1 s
}

const (
	maxStatus  = 1 << 10  // bytes of a status payload
	maxConnect = 16 << 10 // bytes of a CONNECT packet
	maxControl = 64 << 10 // bytes of any other packet that is no PUBLISH
	maxDown    = 64       // messages kept for a device that does not take them
)

func (o *Options) validate() error {
	var errs []error
	require := func(ok bool, what string) {
		if !ok {
			errs = append(errs, fmt.Errorf("source %s: %s", o.ID, what))
		}
	}
	require(o.ID != "", "id is missing")
	require(o.Listen != "" || o.TLSListen != "", "listen or tls_listen is needed")
	require(o.TLSListen == "" || o.CertFile != "" && o.KeyFile != "", "tls_listen needs cert_file and key_file")
	require(o.CredentialsFile != "", "credentials_file is missing; simpang device credentials writes it")
	require(o.Decode != nil, "no decoder")
	require(o.Sink != nil, "no sink")
	require(o.Window >= 0 && o.Window <= 1<<15, "the window is 1 to 32768")
	require(min(o.MaxClients, o.MaxPending, o.MaxSessions, o.MaxRetained, o.MaxPerUser) >= 0 && o.MaxInFlight >= 0, "a limit is negative")
	require(min(o.SessionExpiry, o.ConnectTimeout, o.WriteTimeout, o.CheckEvery) >= 0, "a duration is negative")
	require(o.MaxInFlight == 0 || o.MaxInFlight >= source.MaxRead+mqttwire.MaxOverhead, "max in flight is smaller than one message")
	return errors.Join(errs...)
}

func (o *Options) fill() {
	set := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	wait := func(p *time.Duration, v time.Duration) {
		if *p == 0 {
			*p = v
		}
	}
	set(&o.MaxClients, clientsFor(OpenFiles()))
	set(&o.MaxPending, 512)
	set(&o.MaxSessions, max(60_000, o.MaxClients+o.MaxClients/4))
	set(&o.MaxRetained, o.MaxSessions)
	set(&o.Window, 1024)
	wait(&o.SessionExpiry, 24*time.Hour)
	wait(&o.ConnectTimeout, 10*time.Second)
	wait(&o.WriteTimeout, 10*time.Second)
	wait(&o.CheckEvery, time.Second)
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 64 << 20
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	o.Log = o.Log.With("source", o.ID)
}

// OpenFiles is how many files this process may have open.
func OpenFiles() int {
	const usual = 1024
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return usual
	}
	return int(min(l.Cur, 1<<30))
}

// clientsFor is how many clients a limit of open files serves: the API and the
// store need some too, so that a storm of log-ins never takes the last.
func clientsFor(files int) int {
	const others, most = 2000, 100_000
	return min(max(files-others, files/2), most)
}

// share is how much of MaxInFlight one client has: of sixteen, or of one message
// at least, so that one that floods with large messages leaves room to others.
func (o *Options) share() int64 {
	return min(max(o.MaxInFlight/16, source.MaxRead+mqttwire.MaxOverhead+messageCost), o.MaxInFlight)
}

// perUser is how many sessions the holder of c may have.
func (o *Options) perUser(c *credential) int {
	switch {
	case o.MaxPerUser > 0:
		return o.MaxPerUser
	case c.bridge():
		return 64
	}
	return 8
}
