// Package serial is a serial line as a source. Format frames: each sentence is
// a message, and is answered with an ACK sentence only when it is committed.
// Format escpos (Options.Tap): what a till prints is kept, cut into receipts and
// handed on; nothing is ever written to the line. Format modbus (Options.Poll):
// the units on the line are asked for their registers, one after the other.
//
// tarm/serial sets the line up and reads it. Answers are written through a file
// of our own, which has deadlines and an exclusive lock, neither of which tarm
// has. The line survives unplug and replug: it is opened again by its name.
package serial

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	tarm "github.com/tarm/serial"

	"github.com/simpang-id/simpang/internal/source"
)

// Options configure the source; the zero value of what is not required stands
// for the default.
type Options struct {
	ID       string // id of the source; required
	Port     string // device file, better a stable name: /dev/serial/by-id/...; required
	Baud     int    // bit/s; default 9600
	DataBits int    // 5..8; default 8
	Parity   string // none, even, odd; default none
	StopBits int    // 1, 2; default 1

	Tap  *Tap         // format escpos
	Poll *Poll        // format modbus; neither: format frames
	Sink source.Sink  // required
	Log  *slog.Logger // nil: slog.Default()

	MaxSilence   time.Duration // opens the line anew after so long without a sentence; 0: never
	WriteTimeout time.Duration // of an answer; default 5 s
	MinBackoff   time.Duration // before the line is opened again; default 100 ms
	MaxBackoff   time.Duration // between attempts; default 3 s
	Window       int           // sentences in flight to the sink; default 256
	NoiseRate    int           // refusals of noise offered a second, the others are counted only; default 50
}

// bauds are the rates that tarm knows on Linux.
var bauds = []int{
	50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800,
	500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000,
}

var parities = map[string]tarm.Parity{"": tarm.ParityNone, "none": tarm.ParityNone, "even": tarm.ParityEven, "odd": tarm.ParityOdd}

func (o *Options) validate() error {
	var errs []error
	require := func(ok bool, what string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("source %s: %s", o.ID, fmt.Sprintf(what, args...)))
		}
	}
	require(o.ID != "", "id is missing")
	require(o.Port != "", "port is missing; give a stable name such as /dev/serial/by-id/...")
	require(o.Baud == 0 || slices.Contains(bauds, o.Baud), "baud %d is none of %s", o.Baud, strings.Trim(fmt.Sprint(bauds), "[]"))
	require(o.DataBits == 0 || o.DataBits >= 5 && o.DataBits <= 8, "data_bits is 5 to 8")
	_, known := parities[o.Parity]
	require(known, "parity is none, even or odd")
	require(o.StopBits >= 0 && o.StopBits <= 2, "stop_bits is 1 or 2")
	require(o.Sink != nil, "no sink")
	require(o.Tap == nil || o.Tap.Device != "" && o.Tap.Templates != nil && o.Tap.Spool != nil, "a tapped line needs device, templates and spool")
	require(o.Poll == nil || o.Poll.Map != nil && o.Poll.Encode != nil && o.Poll.Decode != nil, "a polled line needs map, encode and decode")
	require(o.Tap == nil || o.Poll == nil, "a line is tapped or polled, not both")
	require(o.Tap == nil || o.Tap.Idle >= 0, "idle is negative")
	require(min(o.Window, o.NoiseRate) >= 0, "a limit is negative")
	require(min(o.MaxSilence, o.WriteTimeout, o.MinBackoff, o.MaxBackoff) >= 0, "a duration is negative")
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
	set(&o.Baud, 9600)
	set(&o.DataBits, 8)
	set(&o.StopBits, 1)
	set(&o.Window, 256)
	set(&o.NoiseRate, 50)
	wait(&o.WriteTimeout, 5*time.Second)
	wait(&o.MinBackoff, 100*time.Millisecond)
	wait(&o.MaxBackoff, 3*time.Second)
	if o.Tap != nil {
		wait(&o.Tap.Idle, 2*time.Second)
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	o.Log = o.Log.With("source", o.ID)
}
