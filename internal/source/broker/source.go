package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/sync/semaphore"

	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/mqttwire"
)

// Stats are counters since the start; they only grow, but for Connections and
// Unacked.
type Stats struct {
	Received         atomic.Uint64 // publishes handed to the sink, refused ones too
	Acked            atomic.Uint64 // PUBACK and PUBREC after a commit
	NotTaken         atomic.Uint64 // connections ended because the sink did not take a message
	Redelivered      atomic.Uint64 // QoS 2 publishes that were here already
	Denied           atomic.Uint64 // publishes to topics that are not the client's
	TooLarge         atomic.Uint64 // payloads over source.MaxPayload
	Statuses         atomic.Uint64 // publishes to status topics
	WillsRefused     atomic.Uint64 // wills on topics that may have none
	LoginsRefused    atomic.Uint64 // wrong user or secret
	HandshakesFailed atomic.Uint64 // TLS
	Revoked          atomic.Uint64 // connections ended because their credentials went or changed
	Evicted          atomic.Uint64 // sessions of absent clients ended to make room
	Connections      atomic.Int64  // clients logged in
	Unacked          atomic.Int64  // publishes handed on that wait for their commit
}

// Source is the built-in broker.
type Source struct {
	o       Options
	server  *mqtt.Server
	mqttLog gate
	stats   Stats
	memory  *semaphore.Weighted

	ctx     context.Context // of Run
	stop    context.CancelFunc
	tasks   sync.WaitGroup
	pending chan struct{} // places for connections that are not logged in

	listening   atomic.Bool
	stopping    atomic.Bool
	lastMessage source.Moment
	lastRefused atomic.Int64 // Unix ns, as the next two: when it was last logged
	lastFull    atomic.Int64
	lastAccept  atomic.Int64
	turnedAway  turnedAway

	reload           sync.Mutex // one reload at a time
	credentials      atomic.Pointer[users]
	credentialsStamp stamp
	certificate      atomic.Pointer[tls.Certificate]
	certificateFault atomic.Pointer[error]
	certificateStamp [2]stamp

	mu       sync.Mutex
	plain    net.Listener
	secure   net.Listener
	closed   bool
	conns    map[*conn]struct{}
	sessions map[string]*session
	byUser   map[string][]*session
}

var _ source.Source = (*Source)(nil)

// New checks the options; it opens nothing.
func New(o Options) (*Source, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o.fill()
	s := &Source{
		o:        o,
		memory:   semaphore.NewWeighted(o.MaxInFlight),
		pending:  make(chan struct{}, o.MaxPending),
		conns:    make(map[*conn]struct{}),
		sessions: make(map[string]*session),
		byUser:   make(map[string][]*session),
	}
	s.credentials.Store(&users{})
	return s, nil
}

// Listen opens the addresses, so that a port in use is seen before anything
// else starts; Run does it where it was not called. Clients are served by Run.
func (s *Source) Listen(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	open := func(address string, l *net.Listener) {
		if address == "" || *l != nil {
			return
		}
		var config net.ListenConfig
		var err error
		if *l, err = config.Listen(ctx, "tcp", address); err != nil {
			errs = append(errs, fmt.Errorf("source %s cannot listen on %s: %w", s.o.ID, address, explain(err)))
		}
	}
	open(s.o.Listen, &s.plain)
	open(s.o.TLSListen, &s.secure)
	return errors.Join(errs...)
}

func explain(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w; another program uses it: stop that one or change the address", err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w; ports under 1024 need a right: choose one above", err)
	}
	return err
}

// Addr and TLSAddr are the addresses that were opened, "" where none is.
func (s *Source) Addr() string { return address(&s.mu, &s.plain) }

// TLSAddr is the address of MQTT over TLS, "" where there is none.
func (s *Source) TLSAddr() string { return address(&s.mu, &s.secure) }

func address(mu *sync.Mutex, l *net.Listener) string {
	mu.Lock()
	defer mu.Unlock()
	if *l == nil {
		return ""
	}
	return (*l).Addr().String()
}

// Run serves clients until ctx ends. An error is an address that cannot be
// opened; after one Run may be called again. A certificate that cannot be read
// is none: plain clients are served, and it is looked at again each second.
func (s *Source) Run(ctx context.Context) error {
	s.ctx, s.stop = context.WithCancel(ctx)
	defer s.stop()
	s.server = s.newServer()
	err := s.Listen(ctx)
	if err == nil {
		s.firstLook()
		err = s.serve()
	}
	if err != nil {
		s.closeListeners()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.plain, s.secure = nil, nil // to be opened again
		return err
	}
	s.listening.Store(true)
	<-s.ctx.Done()
	s.listening.Store(false)
	s.shutDown()
	return nil
}

func (s *Source) newServer() *mqtt.Server {
	c := mqtt.NewDefaultServerCapabilities()
	c.MaximumClients = int64(s.o.MaxClients)
	c.MaximumMessageExpiryInterval = 0 // a status is kept until the next
	c.MaximumClientWritesPending = maxDown
	c.MaximumSessionExpiryInterval = forever
	c.MaximumPacketSize = source.MaxRead + mqttwire.MaxOverhead
	c.ReceiveMaximum = uint16(s.o.Window)
	c.MaximumInflight = maxDown
	c.TopicAliasMaximum = 0 // mochi asks for rights before it looks the alias up
	c.SharedSubAvailable = 0
	return mqtt.New(&mqtt.Options{
		Capabilities:             c,
		Logger:                   slog.New(quiet{s.o.Log.Handler(), &s.mqttLog}),
		ClientNetReadBufferSize:  16, // our own stands before it
		ClientNetWriteBufferSize: 1024,
		SysTopicResendInterval:   1 << 31, // nobody may read them, and they stop the world
		InlineClient:             true,    // for Publish
	})
}

func (s *Source) serve() error {
	if err := s.server.AddHook(&hook{src: s}, nil); err != nil {
		return fmt.Errorf("source %s: %w", s.o.ID, err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return s.certificate.Load(), nil
	}}
	for _, l := range []*listener{{id: "mqtt", net: s.plain}, {id: "mqtts", net: s.secure, tls: config}} {
		if l.net == nil {
			continue
		}
		l.src = s
		if err := s.server.AddListener(l); err != nil {
			return fmt.Errorf("source %s: %w", s.o.ID, err)
		}
		s.tasks.Add(1) // its Serve
		s.o.Log.Info("broker listens", "address", l.Address(), "tls", l.tls != nil)
	}
	s.tasks.Add(1)
	go s.watch()
	if err := s.server.Serve(); err != nil {
		return fmt.Errorf("source %s: %w", s.o.ID, err)
	}
	return nil
}

// flushTime is how long the last commits and acknowledgements may take.
const flushTime = time.Second

// shutDown takes nothing more, acknowledges what is in flight, ends the clients
// and waits for every goroutine.
func (s *Source) shutDown() {
	s.mu.Lock()
	s.closed = true
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	s.closeListeners()
	s.stopping.Store(true)
	var kicks sync.WaitGroup
	for _, c := range conns {
		kicks.Go(func() {
			c.acks.Flush(flushTime)
			s.kick(c, packets.ErrServerShuttingDown)
		})
	}
	kicks.Wait()
	s.tasks.Wait()
	_ = s.server.Close()
	s.mqttLog.close()
}

func (s *Source) closeListeners() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range []net.Listener{s.plain, s.secure} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// kick ends a connection with a word to the client where it is logged in.
func (s *Source) kick(c *conn, code packets.Code) {
	if l := c.login.Load(); l != nil {
		_ = s.server.DisconnectClient(l.client, code)
	}
	_ = c.Close()
}

// spawnKick is kick for callers that may not wait for the network.
func (s *Source) spawnKick(c *conn, code packets.Code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.conns[c]; ok {
		s.tasks.Go(func() { s.kick(c, code) })
	}
}

func (s *Source) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.conns[c] = struct{}{}
	}
	return !s.closed
}

// remove is the end of a connection: what it held is free again.
func (s *Source) remove(c *conn) {
	_ = c.Close()
	s.leave(c)
	if c.pending {
		<-s.pending
	} else {
		s.stats.Connections.Add(-1)
	}
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	close(c.done)
}

// loggedIn gives the place of c among those not logged in to the next.
func (s *Source) loggedIn(c *conn) {
	c.pending = false
	<-s.pending
	s.stats.Connections.Add(1)
}

// ErrNotSubscribed means that no session takes what is sent to the device.
var ErrNotSubscribed = errors.New("the device has not subscribed to its down topic")

// Publish sends payload to the device's down topic (QoS 1). A client that is
// away gets it when it comes back within its session; nil does not mean that
// the device has it.
func (s *Source) Publish(device string, payload []byte) error {
	topic, err := s.downTopic(device)
	if err != nil {
		return err
	}
	if len(s.server.Topics.Subscribers(topic).Subscriptions) == 0 {
		return fmt.Errorf("%s: %w", device, ErrNotSubscribed)
	}
	return s.send(topic, payload, 1)
}

// Down sends payload to the device's down topic, but only where a client that is
// connected has subscribed to it: reached tells. That the device has it is not
// said.
func (s *Source) Down(_ context.Context, device string, payload []byte, qos byte) (reached bool, err error) {
	topic, err := s.downTopic(device)
	if err != nil || !s.takes(topic) {
		return false, err
	}
	err = s.send(topic, payload, qos)
	return err == nil, err
}

func (s *Source) downTopic(device string) (string, error) {
	if !s.listening.Load() {
		return "", fmt.Errorf("source %s is not running", s.o.ID)
	}
	if !validDevice(device) {
		return "", fmt.Errorf("%q cannot be a device id", device)
	}
	return topicOf(device, leafDown), nil
}

func (s *Source) send(topic string, payload []byte, qos byte) error {
	if err := s.server.Publish(topic, payload, false, qos); err != nil {
		return fmt.Errorf("publish to %s: %w", topic, err)
	}
	return nil
}

// takes tells whether a connected client has subscribed to a topic.
func (s *Source) takes(topic string) bool {
	for id := range s.server.Topics.Subscribers(topic).Subscriptions {
		if c, ok := s.server.Clients.Get(id); ok && !c.Closed() {
			return true
		}
	}
	return false
}

// Stats returns the counters, which keep counting.
func (s *Source) Stats() *Stats { return &s.stats }

// Status tells whether the broker listens and what a person should know.
func (s *Source) Status() source.Status {
	status := source.Status{
		ID: s.o.ID, Type: "broker", Connected: s.listening.Load(),
		Received: s.stats.Received.Load(), Connections: int(s.stats.Connections.Load()),
		Detail: s.credentials.Load().fault, Unacked: int(s.stats.Unacked.Load()),
	}
	if !status.Connected {
		status.Detail = "the broker is not running"
	} else if fault := s.certificateFault.Load(); fault != nil && s.certificate.Load() == nil {
		status.Fault = (*fault).Error() + "; nobody can connect over TLS until it can be read"
		status.Detail = status.Fault
	} else if fault != nil {
		status.Detail = (*fault).Error() + "; the certificate before is still in use"
	}
	status.LastMessage = s.lastMessage.Time()
	return status
}

// Retained returns the status that the device last published with the retain
// flag, "" where there is none.
func (s *Source) Retained(device string) string {
	if !s.listening.Load() {
		return ""
	}
	pk, _ := s.server.Topics.Retained.Get(topicOf(device, leafStatus))
	return string(pk.Payload)
}
