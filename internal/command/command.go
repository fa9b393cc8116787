// Package command keeps what devices are told to do, durably, until they have
// acknowledged it or it has expired.
//
// What a device is told, on sg/v1/{device}/down:
//
//	{"v":1,"id":"c-7dl6t3tv6sunvotg","cmd":"time","at":"…","expires_at":"…","sent_at":"…","args":{…}}
//
// and what it answers, on sg/v1/{device}/up as any reading, alone or in an array:
//
//	{"kind":"ack","id":"c-7dl6t3tv6sunvotg","ok":true,"detail":"…"}
//
// A command is sent again with the same id until it is answered, so a device
// remembers the last ids that it has done, and answers those again without doing
// them again. So nothing has to be exactly once but what the device does, and an
// answer that is lost costs one more sending.
package command

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"
)

// Kind is what a device is told to do.
type Kind string

// The kinds of command.
const (
	Time   Kind = "time"   // set the clock to sent_at
	Reboot Kind = "reboot" // answer, then boot
	Tariff Kind = "tariff" // charge by the table in args
)

// Kinds lists every kind.
var Kinds = []Kind{Time, Reboot, Tariff}

// State is what became of a command.
type State string

// The states. Queued and Sent are open.
const (
	Queued       State = "queued"       // not yet taken by a broker
	Sent         State = "sent"         // taken by a broker with a way to the device, and not answered
	Acknowledged State = "acknowledged" // the device did it
	Failed       State = "failed"       // the device said no, or a newer one is in its place
	Expired      State = "expired"      // not answered in time; a late answer still counts
)

// Open tells whether it may still be sent.
func (s State) Open() bool { return s == Queued || s == Sent }

// Command is one thing that one device is told to do. Times are Unix ms.
type Command struct {
	No       int64
	ID       string
	Device   string
	Kind     Kind
	Args     []byte // a JSON object, nil for none
	By       string // id of the token that ordered it
	At       int64
	Expires  int64
	State    State
	Sends    int
	Sent     int64 // last; 0: never
	Answered int64 // 0: not
	Detail   string
	Source   string // over which its device was heard since it was ordered, "" not yet; not kept
}

// Answer is what a device says of a command.
type Answer struct {
	Device string
	ID     string
	OK     bool
	Detail string
}

// Payload is what the device is told at a moment.
func (c *Command) Payload(now int64, zone *time.Location) []byte {
	stamp := func(ms int64) string { return time.UnixMilli(ms).In(zone).Format("2006-01-02T15:04:05.000Z07:00") }
	args := json.RawMessage(c.Args)
	if len(args) == 0 {
		args = nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(struct {
		V       int             `json:"v"`
		ID      string          `json:"id"`
		Cmd     Kind            `json:"cmd"`
		At      string          `json:"at"`
		Expires string          `json:"expires_at"`
		Sent    string          `json:"sent_at"`
		Args    json.RawMessage `json:"args,omitempty"`
	}{1, c.ID, c.Kind, stamp(c.At), stamp(c.Expires), stamp(now), args}) // these types are always encoded
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// QoS is how it is published: a time must not wait in a broker, for then it is
// wrong.
func (c *Command) QoS() byte {
	if c.Kind == Time {
		return 0
	}
	return 1
}

// Waits between two sendings: of one that no device was there for, and of one
// that was sent, twice as long each time.
const (
	retryMs   = 5_000
	firstMs   = 20_000
	longestMs = 10 * 60_000
	heardMs   = 10_000 // a device that speaks is told again after this
)

// maxHurried is how often it is told again so soon: one that speaks and never
// answers is told at the usual waits from then on.
const maxHurried = 4

// due is when it is sent next.
func (c *Command) due(tried int64) int64 {
	if c.Sends == 0 {
		if tried == 0 {
			return c.At
		}
		return tried + retryMs
	}
	wait := int64(longestMs)
	if c.Sends < 6 {
		wait = min(wait, firstMs<<(c.Sends-1))
	}
	return max(c.Sent+wait, tried+retryMs)
}

func newID() string { return "c-" + strings.ToLower(rand.Text()[:16]) }
