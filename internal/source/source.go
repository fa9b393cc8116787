// Package source holds what the sources share. Each kind of source is a
// package below it: raw bytes in, acknowledgement out. A source never decides
// about a reading and never acknowledges before Done was called.
package source

import (
	"context"
	"time"

	"github.com/simpang-id/simpang/internal/wire"
)

// Message is what a source received, decoded, and not yet acknowledged.
type Message struct {
	Source  string       // id of the source in the configuration
	Device  string       // device of the topic or sentence, "" where it could not be told
	Topic   string       // MQTT topic, "" for serial
	Payload []byte       // as received (cut at 256 KiB); owned by the receiver of the message
	Decoded wire.Decoded // what wire made of it
	Silent  bool         // nothing may be acknowledged (a bad checksum): Done is not called with true

	// Done is called exactly once, from any goroutine, and never blocks for
	// long. True: everything in the message is committed, known already, or in
	// quarantine: acknowledge. False: it was not taken; do not acknowledge.
	Done func(committed bool)
}

// Sink takes messages. Offer blocks while the queue is full: that is the
// back-pressure to the source. An error means that the message was not taken
// (ctx ended or the gateway stops) and Done will not be called.
type Sink interface {
	Offer(ctx context.Context, m Message) error
}

// Limits are the clock rules of one source (contract, section 2).
type Limits struct {
	MaxAge   time.Duration // how far behind `at` may be; default 7 days
	MaxAhead time.Duration // how far ahead `at` may be; default 5 minutes
}

// Status is what /readyz and the metrics tell of a source. Implementations
// return a copy and may be asked from any goroutine.
type Status struct {
	ID          string
	Type        string // broker, mqtt, serial
	Connected   bool
	Detail      string    // why not connected, or what a person should know
	Fault       string    // what a person must mend for all of it to work; part of Detail
	LastMessage time.Time // zero: none yet; on the monotonic clock (see Moment)
	Received    uint64    // messages
	Unacked     int       // messages that were handed on and wait for their commit
	Connects    uint64    // connections to the broker, or times that the line was opened
	Failures    uint64    // attempts at that which failed
	Restarts    uint64    // of Connects: because nothing came for longer than max_silence
	Connections int       // clients of the built-in broker
	Counts      []Count   // what else was counted, by a closed set of words
}

// Count is a number of a source that only grows.
type Count struct {
	What string
	N    uint64
}

// Patience is how long a source that can be restarted waits for a message
// before it is, after restarts that brought none: twice as long each time, and
// no longer than an hour where the first wait is shorter. A silence that a
// restart does not end is the devices', and restarts cost them their line.
func Patience(maxSilence time.Duration, restarts int) time.Duration {
	const longest = time.Hour
	for range restarts {
		if maxSilence >= longest {
			break
		}
		maxSilence = min(2*maxSilence, longest)
	}
	return maxSilence
}

// Source is one configured source. Run blocks until ctx ends and releases
// everything it took; a fault of the network is not an error of Run. After an
// error it may be called again.
type Source interface {
	Run(ctx context.Context) error
	Status() Status
}

// MaxPayload is the largest payload that is decoded, bytes; larger ones are
// refused as too_large.
const MaxPayload = wire.MaxPayload

// MaxRead is the largest payload that is read at all, bytes.
const MaxRead = 256 << 10
