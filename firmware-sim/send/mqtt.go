package send

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"sort"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/simpang-id/simpang/firmware-sim/message"
)

// MQTTOptions say how to reach a broker.
type MQTTOptions struct {
	URL         string // tcp://, ssl://, ws://, wss://; may hold user:password
	Credentials Credentials
	Devices     func(name string) bool // whether a user name is a device; the others are bridges
	ClientID    string                 // prefix of the client ids
	Report      Report
	Log         *slog.Logger

	// Told is given what comes down for a device and returns what goes up for
	// it, nil for nothing. It is called from many goroutines. Nil: devices do
	// not listen.
	Told func(device string, payload []byte) []byte

	// RefusedFor is how long a refused log-in is tried again, since a gateway
	// takes some seconds to know new credentials; default 20 s.
	RefusedFor time.Duration
}

// MQTT sends with QoS 1. A device that has a secret has a connection of its
// own, made when it first speaks, on which it also says that it is online. All
// others go over one bridge: the first user name, sorted, that is no device; or
// the user of the URL; or nobody, where the broker takes anybody.
type MQTT struct {
	o       MQTTOptions
	slots   slots
	dial    chan struct{} // bounds log-ins at once
	stop    context.CancelFunc
	ctx     context.Context //nolint:containedctx // the life of the connections, ended by Close
	wg      sync.WaitGroup
	bridge  string
	mark    string // of this process in the client ids of bridges, of which another process may have the same
	mu      sync.Mutex
	lanes   map[string]*lane
	fatal   chan struct{}
	fatalMu sync.Once
	why     error
}

var _ Sender = (*MQTT)(nil)

// NewMQTT checks the options; it does not connect yet.
func NewMQTT(o MQTTOptions) (*MQTT, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("broker %q is no address: use tcp://host:port", o.URL)
	}
	if o.Report == nil {
		o.Report = Discard
	}
	if o.RefusedFor == 0 {
		o.RefusedFor = 20 * time.Second
	}
	m := &MQTT{o: o, slots: newSlots(), dial: make(chan struct{}, 64), lanes: map[string]*lane{}, fatal: make(chan struct{})}
	m.mark = strings.ToLower(rand.Text()[:8])
	m.ctx, m.stop = context.WithCancel(context.Background())
	var bridges []string
	for name := range o.Credentials {
		if !o.Devices(name) {
			bridges = append(bridges, name)
		}
	}
	sort.Strings(bridges)
	if len(bridges) > 0 {
		m.bridge = bridges[0]
	}
	if m.bridge == "" && u.User != nil {
		m.bridge = u.User.Username()
		secret, _ := u.User.Password()
		m.o.Credentials = Credentials{m.bridge: secret}
		maps.Copy(m.o.Credentials, o.Credentials)
	}
	return m, nil
}

// Check tells whether a device can log in somehow.
func (m *MQTT) Check(device string) error {
	if m.o.Credentials[device] == "" && m.bridge == "" && len(m.o.Credentials) > 0 {
		return fmt.Errorf("device %s has no secret, and there is no bridge: add a line %s:secret to the credentials", device, device)
	}
	return nil
}

// Send queues a message on its device's connection.
func (m *MQTT) Send(ctx context.Context, msg message.Message) error {
	if err := m.Check(msg.Device); err != nil {
		return err
	}
	if err := m.slots.take(ctx, m.fatal); err != nil {
		return m.because(err)
	}
	m.lane(msg.Device).put(&entry{m: msg})
	return nil
}

// Idle blocks until everything is acknowledged.
func (m *MQTT) Idle(ctx context.Context) error { return m.because(m.slots.idle(ctx, m.fatal)) }

// Close ends every connection, each with a farewell.
func (m *MQTT) Close() error {
	m.stop()
	m.wg.Wait()
	return nil
}

func (m *MQTT) because(err error) error {
	if errors.Is(err, ErrFatal) {
		return fmt.Errorf("%w: %w", ErrFatal, m.why)
	}
	return err
}

func (m *MQTT) fail(err error) {
	m.fatalMu.Do(func() {
		m.why = err
		close(m.fatal)
	})
}

// lane returns the connection that a device uses.
func (m *MQTT) lane(device string) *lane {
	user, window := device, 20
	if m.o.Credentials[device] == "" {
		user, window = m.bridge, 500
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.lanes[user]
	if l == nil {
		l = &lane{m: m, user: user, own: user == device && user != "", window: window, wake: make(chan struct{}, 1)}
		m.lanes[user] = l
		m.wg.Go(l.run)
	}
	return l
}

// options are those of one connection. It is never mended by paho: whoever
// loses it makes a new one and sends again what was not acknowledged, since a
// token that survives a reconnect proves nothing (pitfalls).
func (m *MQTT) options(l *lane, lost func(error)) *mqtt.ClientOptions {
	id := m.o.ClientID + l.user
	if !l.own {
		id = m.o.ClientID + cmp.Or(l.user, "bridge") + "-" + m.mark
	}
	o := mqtt.NewClientOptions().AddBroker(m.o.URL).SetClientID(id).
		SetUsername(l.user).SetPassword(m.o.Credentials[l.user]).
		SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).
		SetConnectTimeout(10 * time.Second).SetWriteTimeout(10 * time.Second).SetKeepAlive(60 * time.Second).
		SetTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12}).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost(err) })
	if l.own {
		o.SetWill(statusTopic(l.user), `{"online":false}`, 1, true)
	}
	return o
}

func upTopic(device string) string { return "sg/v1/" + device + "/up" }

func statusTopic(device string) string { return "sg/v1/" + device + "/status" }
