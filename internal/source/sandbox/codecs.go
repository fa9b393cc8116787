package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/codec"
	"github.com/simpang-id/simpang/internal/wire/lorawan"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// Codecs reads payloads by the codecs of a configuration. Its methods may be
// called from several goroutines. A nil *Codecs has none.
type Codecs struct {
	list    []codec.Codec
	scripts []Script
	box     *Sandbox
	rests   *rests
	metrics *Metrics
	now     func() time.Time

	// Full has refusals tell all that a script said, which may hold what the
	// payload held: for who has typed the payload.
	Full bool
}

// NewCodecs returns codecs with their scripts, in their order. Close ends them.
func NewCodecs(list []codec.Codec, sources []string, o Options) *Codecs {
	c := &Codecs{list: list, rests: newRests(), metrics: o.Metrics, now: o.Now}
	if c.now == nil {
		c.now = time.Now
	}
	for i := range list {
		c.scripts = append(c.scripts, Script{Source: sources[i], Limit: list[i].Limit})
		o.Metrics.expect(list[i].Profile)
	}
	c.box = New(c.scripts, o)
	return c
}

// Close ends the processes.
func (c *Codecs) Close() error {
	if c == nil {
		return nil
	}
	return c.box.Close()
}

// Cut kills the processes, for whoever cannot wait for what they do; Close is
// still to be called.
func (c *Codecs) Cut() {
	if c != nil {
		c.box.Cut()
	}
}

// Names returns the profiles, in the order of the file.
func (c *Codecs) Names() (names []string) {
	if c == nil {
		return nil
	}
	for i := range c.list {
		names = append(names, c.list[i].Profile)
	}
	return names
}

// Find returns what devices a profile is for.
func (c *Codecs) Find(profile string) (about string, kinds []city.Kind, ok bool) {
	i := c.index(profile)
	if i < 0 {
		return "", nil, false
	}
	return c.list[i].About, c.list[i].Kinds, true
}

func (c *Codecs) index(profile string) int {
	if c == nil {
		return -1
	}
	return slices.IndexFunc(c.list, func(one codec.Codec) bool { return one.Profile == profile })
}

// ErrUnserved says that a script could not be tried, which is not its fault.
var ErrUnserved = errors.New("no process could be started for it: see that processes may be started")

// Check loads a codec's script; the error says what is wrong and what to do, and
// line is that of the script (0: none).
func (c *Codecs) Check(i int) (line int, err error) {
	r := c.box.Check(i)
	if r.Failure == codec.Unserved {
		return 0, fmt.Errorf("%w (%s)", ErrUnserved, r.Text)
	}
	if wrong := c.wrong(i, &r); wrong != "" {
		return r.Line, errors.New(wrong)
	}
	return 0, nil
}

func (c *Codecs) wrong(i int, r *codec.Result) string {
	switch r.Failure {
	case codec.OK:
		return ""
	case codec.Syntax:
		return "not JavaScript (" + r.Text + "): mend the syntax; modules (import, export, require) are not known"
	case codec.NoDecode:
		return "has no function decodeUplink: take the vendor's codec of the LoRa Alliance's TS013, as The Things Stack and ChirpStack v4 use it, or add function decodeUplink(input)"
	case codec.Threw:
		return "throws when it is loaded (" + r.Text + "): mend it; only the language itself is known, no require, no Buffer, no timers"
	case codec.Slow:
		return fmt.Sprintf("takes longer than %s when it is loaded: mend it, or raise time_limit", c.scripts[i].Limit)
	default:
	}
	return "cannot be loaded (" + r.Text + "): mend it"
}

// Read reads the payload of an uplink by its device's codec, or by a decoder
// that is built in where the profile is none of a codec.
func (c *Codecs) Read(id string, d *vendors.Device, e *lorawan.Event) (vendors.Said, error) {
	if c.index(d.Profile) < 0 {
		return lorawan.BuiltIn(id, d, e)
	}
	return c.Decode(id, d, &codec.Call{Payload: e.Payload, Port: e.Port, At: e.At})
}

// Output tells, in JSON, what the codec of a profile returns for an uplink, for
// people who try it; ok is false where the profile is none of a codec.
func (c *Codecs) Output(profile string, e *lorawan.Event) (text string, ok bool) {
	i := c.index(profile)
	if i < 0 {
		return "", false
	}
	r := c.box.Decode(i, codec.Call{Payload: e.Payload, Port: e.Port, At: e.At})
	shown := struct {
		Data     map[string]any `json:"data,omitempty"`
		Warnings []string       `json:"warnings,omitempty"`
		Errors   []string       `json:"errors,omitempty"`
	}{r.Data, r.Warnings, r.Errors}
	b, err := json.Marshal(shown)
	return string(b), err == nil && r.Failure == codec.OK
}

// Decode reads one payload of a device. Errors are *wire.RefusedError.
func (c *Codecs) Decode(device string, d *vendors.Device, call *codec.Call) (vendors.Said, error) {
	said, result, err := c.decode(device, d, call)
	c.metrics.result(d.Profile, result)
	if err != nil {
		return vendors.Said{}, fmt.Errorf("%s: %w", d.Profile, err)
	}
	return said, nil
}

func (c *Codecs) decode(device string, d *vendors.Device, call *codec.Call) (said vendors.Said, result string, err error) {
	i := c.index(d.Profile)
	if i < 0 {
		return said, "refused", refused(city.ReasonNoProfile, "there is no such codec")
	}
	if len(call.Payload) > codec.MaxPayload {
		return said, "refused", refused(city.ReasonBadPayload, "it has %d bytes, and no frame has more than %d", len(call.Payload), codec.MaxPayload)
	}
	begin := c.now()
	if until, times := c.rests.until(d.Profile, device, begin); !until.IsZero() {
		what := "the codec costs too much time over all its devices"
		if times > 0 {
			what = fmt.Sprintf("the codec cost too much time with this device (%d in a row)", times)
		}
		return said, "rested", refused(city.ReasonCodecRests, "%s, so it rests until %s and the others go on: mend %s, restart, and retry this item", what, until.UTC().Format(time.RFC3339), c.list[i].File)
	}
	r := c.box.Decode(i, *call)
	took := c.now().Sub(begin)
	c.metrics.called(d.Profile, took.Seconds())
	switch r.Failure {
	case codec.Slow, codec.Crashed:
		c.rests.cost(d.Profile, device, begin.Add(took), took)
	case codec.Unserved: // nothing is known of it
	default:
		c.rests.good(d.Profile, device, begin.Add(took), r.Used)
	}
	switch {
	case r.Failure == codec.Unserved:
		return said, "unserved", refused(city.ReasonCodecFailed, "its codec was not asked (%s): see that the gateway may start processes, and retry this item", r.Text)
	case r.Failure != codec.OK:
		return said, resultOf[r.Failure], c.failed(i, &r)
	case len(r.Errors) > 0:
		return said, "refused", refused(city.ReasonBadPayload, "its codec refuses it%s: check the profile in devices.csv", c.told(i, r.Errors[0]))
	}
	said, err = c.list[i].Mapping.Apply(d, call, r.Data, r.Warnings)
	if err != nil {
		return said, "unmapped", err
	}
	return said, "ok", nil
}

var resultOf = map[codec.Failure]string{
	codec.Syntax: "crashed", codec.NoDecode: "crashed", codec.Threw: "threw", codec.Slow: "slow", codec.Big: "big", codec.Shape: "shape", codec.Crashed: "crashed",
}

// failed says what a codec did instead of an answer.
func (c *Codecs) failed(i int, r *codec.Result) error {
	file := c.list[i].File
	const then = "mend it or ask the vendor for a newer one, restart, and retry this item"
	switch r.Failure {
	case codec.Threw:
		at := ""
		if r.Line > 0 {
			at = fmt.Sprintf(" at line %d", r.Line)
		}
		return refused(city.ReasonCodecFailed, "its codec %s throws%s%s: %s", file, at, c.told(i, r.Text), then)
	case codec.Slow:
		return refused(city.ReasonCodecSlow, "its codec %s takes longer than %s: raise time_limit if it is right to, else %s", file, c.scripts[i].Limit, then)
	case codec.Big:
		return refused(city.ReasonCodecFailed, "its codec %s returns too much, or an object within itself: %s", file, then)
	case codec.Shape:
		return refused(city.ReasonCodecFailed, "its codec %s returns no output of TS013 (%s): %s", file, r.Text, then)
	default:
	}
	text := r.Text
	if r.Failure == codec.Syntax { // it was checked at the start
		text = "it cannot be compiled"
	}
	return refused(city.ReasonCodecFailed, "its codec %s breaks (%s): %s", file, text, then)
}

var errorNames = []string{"TypeError", "RangeError", "ReferenceError", "SyntaxError", "EvalError", "URIError", "Error"}

// told is what may be told of a script's text: the kind of the error, and as
// much of the text as stands in the script.
func (c *Codecs) told(i int, text string) string {
	if c.Full {
		return " (" + text + ")"
	}
	name, rest, ok := strings.Cut(text, ": ")
	if !ok || !slices.Contains(errorNames, name) {
		name, rest = "", text
	}
	if known := codec.Told(c.scripts[i].Source, rest); known != "" {
		if name != "" {
			name += ": "
		}
		name += known
	}
	if name == "" {
		return ""
	}
	return " (" + name + ")"
}

func refused(reason city.Reason, format string, args ...any) error {
	return &wire.RefusedError{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// Resting returns how many devices rest, and how many whole profiles.
func (c *Codecs) Resting() (devices, profiles int) {
	if c == nil {
		return 0, 0
	}
	return c.rests.resting(c.now())
}
