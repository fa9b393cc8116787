package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/simpang-id/simpang/internal/source"
)

// errSilent ends a connection on which nothing came for too long.
var errSilent = errors.New("no message for longer than max_silence")

const (
	flushTime      = time.Second            // for the last commits and acknowledgements
	disconnectTime = 250 * time.Millisecond // for the DISCONNECT
)

// refused is the return code of a subscription that the broker does not grant
// (MQTT 3.1.1, section 3.9.3).
const refused = 0x80

// session is one connection, from dialling to its end. subscribed tells whether
// it came as far as that.
func (s *Source) session(ctx context.Context) (subscribed bool, err error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	password, err := s.password()
	if err != nil {
		return false, err
	}
	links := make(chan *link, 1)
	client := paho.NewClient(s.pahoOptions(ctx, fail, password, links))
	token := client.Connect()
	err = wait(ctx, token, s.o.ConnectTimeout+time.Second)
	if err != nil {
		fail(err) // ends what is still being dialled
	}
	<-token.Done() // soon: the context of what it waits for has ended
	var l *link
	select {
	case l = <-links:
		l.unhook()
	default:
	}
	defer end(client, l)
	if err != nil {
		return false, err
	}
	detail, err := s.subscribe(ctx, client)
	if err != nil {
		return false, err
	}
	s.stats.Connects.Add(1)
	s.setState(true, detail)
	s.setClient(client)
	defer s.setClient(nil)
	s.o.Log.Info("connected to the broker", "client_id", s.o.ClientID, "topics", len(s.o.Topics))
	return true, s.watch(ctx, l)
}

func (s *Source) pahoOptions(ctx context.Context, fail context.CancelCauseFunc, password string, links chan<- *link) *paho.ClientOptions {
	o := paho.NewClientOptions()
	o.AddBroker(s.url.String()).SetClientID(s.o.ClientID).SetUsername(s.o.Username).SetPassword(password)
	o.SetProtocolVersion(4)                          // MQTT 3.1.1, and nothing older when that is refused
	o.SetCleanSession(false)                         // what comes while we are away waits for us
	o.SetOrderMatters(true).SetAutoAckDisabled(true) // though publishes do not come as far as paho
	o.SetAutoReconnect(false).SetConnectRetry(false) // Run does, each time with a new client
	o.SetKeepAlive(s.o.KeepAlive).SetPingTimeout(max(s.o.KeepAlive/2, time.Second))
	o.SetConnectTimeout(s.o.ConnectTimeout).SetWriteTimeout(s.o.WriteTimeout).SetMaxReconnectInterval(s.o.MaxBackoff)
	o.SetConnectionLostHandler(func(_ paho.Client, err error) { fail(err) })
	o.SetCustomOpenConnectionFn(func(u *url.URL, _ paho.ClientOptions) (net.Conn, error) {
		conn, err := s.dial(ctx, u)
		if err != nil {
			return nil, err
		}
		l := newLink(ctx, fail, s, conn)
		links <- l
		return l, nil
	})
	return o
}

// wait waits for a token of paho.
func wait(ctx context.Context, token paho.Token, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return fmt.Errorf("the broker does not answer for %s", limit)
	}
}

// subscribe unsubscribes what left the configuration and subscribes what is in
// it; detail names what the broker does not grant.
func (s *Source) subscribe(ctx context.Context, client paho.Client) (detail string, err error) {
	left, err := s.left()
	if err != nil {
		s.o.Log.Error("topics that left the configuration stay subscribed", "error", err)
	}
	if len(left) > 0 {
		if err := wait(ctx, client.Unsubscribe(left...), s.o.ConnectTimeout); err != nil {
			return "", fmt.Errorf("unsubscribe: %w", err)
		}
		s.o.Log.Info("unsubscribed what left the configuration", "topics", left)
	}
	filters := make(map[string]byte, len(s.o.Topics))
	for _, t := range s.o.Topics {
		filters[t] = 1
	}
	token := client.SubscribeMultiple(filters, nil)
	if err := wait(ctx, token, s.o.ConnectTimeout); err != nil {
		return "", fmt.Errorf("subscribe: %w", err)
	}
	var denied []string
	if granted, ok := token.(*paho.SubscribeToken); ok {
		for filter, code := range granted.Result() {
			if code == refused {
				denied = append(denied, filter)
			}
		}
	}
	slices.Sort(denied)
	switch {
	case len(denied) == len(filters):
		return "", fmt.Errorf("the broker grants user %q none of the topics %s; check its access rules", s.o.Username, strings.Join(denied, ", "))
	case len(denied) > 0:
		detail = "the broker does not grant " + strings.Join(denied, ", ") + "; check its access rules"
	}
	if err := s.remember(); err != nil {
		s.o.Log.Error("topics", "error", err)
	}
	return detail, nil
}

// watch waits for the end of the session, which silence brings too: to connect
// anew helps where the connection looks alive and is not. While messages wait
// for their commit the silence is ours.
func (s *Source) watch(ctx context.Context, l *link) error {
	if s.o.MaxSilence == 0 {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	heard, limit := time.Now(), source.Patience(s.o.MaxSilence, s.restarts)
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		}
		if last := s.lastMessage.Time(); last.After(heard) {
			heard, limit, s.restarts = last, s.o.MaxSilence, 0
		}
		if l.messages.Load() > 0 {
			heard = time.Now()
		}
		rest := limit - time.Since(heard)
		if rest <= 0 {
			s.restarts++
			s.stats.Silences.Add(1)
			return errSilent
		}
		timer.Reset(rest)
	}
}

// end closes the connection and waits for what served it. Where the connection
// still stands, what is in flight is acknowledged first, and DISCONNECT sent;
// the session stays with the broker.
func end(client paho.Client, l *link) {
	if l != nil {
		l.stopping.Store(true)
		l.acks.Flush(flushTime)
	}
	client.Disconnect(uint(disconnectTime / time.Millisecond))
	if l != nil {
		_ = l.Close()
		l.tasks.Wait()
	}
}
