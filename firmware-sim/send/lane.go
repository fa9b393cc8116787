package send

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/truth"
)

// lane is one connection and what waits for it, in order.
type lane struct {
	m      *MQTT
	user   string
	own    bool // a device's own connection
	window int  // messages under way at once
	wake   chan struct{}

	mu   sync.Mutex
	fifo []*entry // not yet taken by run
}

type entry struct {
	m     message.Message
	tries int
}

func (l *lane) put(e *entry) {
	l.mu.Lock()
	l.fifo = append(l.fifo, e)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lane) take() *entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.fifo) == 0 {
		return nil
	}
	e := l.fifo[0]
	l.fifo[0] = nil
	l.fifo = l.fifo[1:]
	return e
}

// underway is a message with the token of the connection it was sent on.
type underway struct {
	e     *entry
	token mqtt.Token
}

// run connects and sends until Close.
func (l *lane) run() {
	var rest []*entry // sent on a connection that is gone, in order
	for l.m.ctx.Err() == nil {
		lost := make(chan struct{})
		var once sync.Once
		client := l.connect(func(error) { once.Do(func() { close(lost) }) })
		if client == nil {
			break
		}
		rest = l.talk(client, lost, rest)
	}
	for e := range l.left(rest) {
		l.m.o.Report(truth.Unacked, &e.m)
		l.m.slots.give()
	}
}

// left yields what was not acknowledged.
func (l *lane) left(rest []*entry) func(yield func(*entry) bool) {
	return func(yield func(*entry) bool) {
		for _, e := range rest {
			if !yield(e) {
				return
			}
		}
		for e := l.take(); e != nil; e = l.take() {
			if !yield(e) {
				return
			}
		}
	}
}

// talk sends on one connection until it is lost or Close is called, and
// returns what was not acknowledged on it.
func (l *lane) talk(client mqtt.Client, lost <-chan struct{}, again []*entry) (rest []*entry) {
	var way []underway
	gone := func() []*entry {
		out := make([]*entry, 0, len(way)+len(again))
		for _, u := range way {
			out = append(out, u.e)
		}
		return append(out, again...)
	}
	for {
		for len(way) < l.window {
			var e *entry
			if len(again) > 0 {
				e, again = again[0], again[1:]
			} else if e = l.take(); e == nil {
				break
			}
			if e.tries++; e.tries > 1 {
				l.m.o.Report(truth.Resent, &e.m)
			}
			way = append(way, underway{e, client.Publish(upTopic(e.m.Device), 1, false, e.m.Payload)})
		}
		var done <-chan struct{}
		if len(way) > 0 {
			done = way[0].token.Done()
		}
		wake := l.wake
		if len(way) == l.window {
			wake = nil
		}
		select {
		case <-done:
			if err := way[0].token.Error(); err != nil {
				client.Disconnect(0)
				return gone()
			}
			l.m.o.Report.acked(&way[0].e.m)
			l.m.slots.give()
			way[0].e = nil
			way = way[1:]
		case <-wake:
		case <-lost:
			return gone()
		case <-l.m.ctx.Done():
			l.farewell(client)
			return gone()
		}
	}
}

// farewell says that the device is offline, which a broker says only of a
// connection that broke.
func (l *lane) farewell(client mqtt.Client) {
	if l.own {
		client.Publish(statusTopic(l.user), 1, true, `{"online":false}`).WaitTimeout(time.Second)
	}
	client.Disconnect(50)
}

// connect tries until it has a connection, nil after Close or where the log-in
// stays refused.
func (l *lane) connect(lost func(error)) mqtt.Client {
	pause := 100 * time.Millisecond
	var refused time.Time
	for {
		select {
		case l.m.dial <- struct{}{}:
		case <-l.m.ctx.Done():
			return nil
		}
		client := mqtt.NewClient(l.m.options(l, lost))
		token := client.Connect()
		token.Wait()
		<-l.m.dial
		err := token.Error()
		if err == nil {
			l.listen(client)
			if l.own {
				client.Publish(statusTopic(l.user), 1, true, `{"online":true}`)
			}
			return client
		}
		if unwanted(err) {
			if refused.IsZero() {
				refused = time.Now()
			}
			if time.Since(refused) > l.m.o.RefusedFor {
				l.m.fail(errors.New("the broker refuses the log-in of " + l.user + ": correct its line in the credentials"))
				return nil
			}
		} else {
			refused = time.Time{}
		}
		l.m.o.Log.Debug("not connected", "user", l.user, "error", err)
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-timer.C:
		case <-l.m.ctx.Done():
			timer.Stop()
			return nil
		}
		pause = min(2*pause, 5*time.Second)
	}
}

func unwanted(err error) bool {
	return errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword) || errors.Is(err, packets.ErrorRefusedNotAuthorised)
}
