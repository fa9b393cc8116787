// Package send delivers messages of simulated devices: over MQTT with QoS 1,
// or as sentences over a serial line. Each is sent again until it is
// acknowledged, those of one device in their order, and what waits is bounded.
package send

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/truth"
)

// Sender takes messages. Send blocks while MaxWaiting messages are not yet
// acknowledged; its error is that ctx ended or that the sender can never
// deliver (ErrFatal). Idle blocks until all are acknowledged, or ctx ends.
// Close gives up what is not acknowledged and tells the Report of it.
type Sender interface {
	Send(ctx context.Context, m message.Message) error
	Idle(ctx context.Context) error
	Close() error
}

// Report is told what became of a message: truth.Delivered, Duplicate or
// Refused as it was expected, once; truth.Resent each time that it is sent
// again; truth.Unacked when it is given up. It is called from any goroutine.
type Report func(what string, m *message.Message)

// MaxWaiting bounds the messages that are not acknowledged, of all devices.
const MaxWaiting = 4096

// ErrFatal is the error of a sender that cannot go on, such as one whose
// secret is refused.
var ErrFatal = errors.New("cannot deliver")

// acked reports that a message was acknowledged.
func (r Report) acked(m *message.Message) { r(string(m.Expect), m) }

// Discard reports nothing.
func Discard(string, *message.Message) {}

var _ Report = (*truth.Writer)(nil).Message

// Credentials are the secrets of devices and bridges, by user name.
type Credentials map[string]string

// ReadCredentials reads `device:secret` lines; empty ones and those that begin
// with # are skipped.
func ReadCredentials(r io.Reader) (Credentials, error) {
	c := Credentials{}
	scanner := bufio.NewScanner(r)
	for n := 1; scanner.Scan(); n++ {
		line := strings.TrimSpace(scanner.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, secret, ok := strings.Cut(line, ":")
		if !ok || name == "" || secret == "" {
			return nil, fmt.Errorf("line %d: use device:secret", n)
		}
		if _, twice := c[name]; twice {
			return nil, fmt.Errorf("line %d: %s is there twice", n, name)
		}
		c[name] = secret
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	return c, nil
}

// slots bounds what waits, and tells when nothing does.
type slots struct{ free chan struct{} }

func newSlots() slots { return slots{make(chan struct{}, MaxWaiting)} }

func (s slots) take(ctx context.Context, fatal <-chan struct{}) error {
	select {
	case s.free <- struct{}{}:
		return nil
	case <-fatal:
		return ErrFatal
	case <-ctx.Done():
		return fmt.Errorf("sending: %w", context.Cause(ctx))
	}
}

func (s slots) give() { <-s.free }

// idle blocks until no slot is taken: it takes all of them, and gives them
// back.
func (s slots) idle(ctx context.Context, fatal <-chan struct{}) error {
	taken := 0
	defer func() {
		for range taken {
			s.give()
		}
	}()
	for taken < cap(s.free) {
		if err := s.take(ctx, fatal); err != nil {
			return err
		}
		taken++
	}
	return nil
}
