package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/drive"
	"github.com/simpang-id/simpang/firmware-sim/send"
	"github.com/simpang-id/simpang/firmware-sim/truth"
)

// grace is what messages under way get to arrive after a stop.
const grace = 5 * time.Second

// common are the flags of both commands.
type common struct {
	broker      string
	credentials string
	serial      string
	speed       *float64 // nil: not given
	truth       string
	log         *slog.Logger
	stdout      io.Writer
}

// parse parses the flags of a command; set adds its own.
func parse(name string, args []string, c *common, stderr io.Writer, set func(*flag.FlagSet)) error {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&c.broker, "broker", "", "address of the broker")
	f.StringVar(&c.credentials, "credentials", "", "file of device:secret lines")
	f.StringVar(&c.serial, "serial", "", "device file, auto, pty or pty:PATH")
	f.StringVar(&c.truth, "truth", "", "file for what happened and what was delivered")
	f.Func("speed", "times real time, 0 is as fast as acknowledged", func(s string) error {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || !(v >= 0 && v <= 1e6) {
			return errors.New("use a number of 0 to 1000000")
		}
		c.speed = &v
		return nil
	})
	set(f)
	if err := f.Parse(args); err != nil {
		return usageError{err}
	}
	if f.NArg() > 0 {
		return usageError{fmt.Errorf("%q is no flag", f.Arg(0))}
	}
	return nil
}

// outlets are where messages go.
type outlets struct {
	mqtt   *send.MQTT
	serial *send.Serial
	all    []send.Sender
	truth  *truth.Writer
	closes []func() error
}

// open opens the truth file, the connections and the line. Clean-ups that were
// registered are done by close, also after an error.
func (c *common) open(o *outlets, isDevice func(string) bool, told func(device string, payload []byte) []byte) error {
	var file io.Writer
	if c.truth != "" {
		f, err := os.Create(c.truth)
		if err != nil {
			return usageError{fmt.Errorf("truth: %w", err)}
		}
		o.closes = append(o.closes, f.Close)
		file = f
	}
	o.truth = truth.NewWriter(file)
	o.closes = append(o.closes, o.truth.Close)
	if c.serial != "" {
		port, path, err := send.OpenPort(c.serial)
		if err != nil {
			return err
		}
		o.serial = send.NewSerial(send.SerialOptions{Port: port, Report: o.truth.Message, Log: c.log})
		o.closes = append(o.closes, o.serial.Close)
		o.all = append(o.all, o.serial)
		_, _ = fmt.Fprintf(c.stdout, "serial %s\n", path)
	}
	if c.serial != "" && c.broker == "" {
		return nil
	}
	if c.broker == "" {
		c.broker = "tcp://127.0.0.1:1883"
	}
	secrets, err := c.secrets()
	if err != nil {
		return err
	}
	o.mqtt, err = send.NewMQTT(send.MQTTOptions{
		URL: c.broker, Credentials: secrets, Devices: isDevice, Report: o.truth.Message, Log: c.log, Told: told,
	})
	if err != nil {
		return usageError{err}
	}
	o.closes = append(o.closes, o.mqtt.Close)
	o.all = append(o.all, o.mqtt)
	return nil
}

func (c *common) secrets() (send.Credentials, error) {
	if c.credentials == "" {
		return nil, nil //nolint:nilnil // no secrets is a fine answer
	}
	f, err := os.Open(c.credentials)
	if err != nil {
		return nil, usageError{fmt.Errorf("credentials: %w", err)}
	}
	secrets, err := send.ReadCredentials(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", c.credentials, err)}
	}
	return secrets, nil
}

// check tells at once of every device that could not log in.
func (o *outlets) check(devices []string) error {
	if o.mqtt == nil {
		return nil
	}
	var faults []error
	for _, id := range devices {
		if err := o.mqtt.Check(id); err != nil {
			faults = append(faults, err)
		}
	}
	if n := len(faults); n > 10 {
		faults = append(faults[:10], fmt.Errorf("and %d more", n-10))
	}
	if err := errors.Join(faults...); err != nil {
		return usageError{err}
	}
	return nil
}

// close undoes what was opened, the last first.
func (o *outlets) close() error {
	var err error
	for _, undo := range slices.Backward(o.closes) {
		err = errors.Join(err, undo())
	}
	o.closes = nil
	return err
}

// drive sends everything, and prints the totals.
func (c *common) drive(ctx context.Context, src drive.Source, o *outlets, route drive.Route, pace drive.Pace) error {
	flushing, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		drive.Flusher(flushing, o.truth, c.log)
	}()
	err := drive.Run(ctx, src, route, o.all, pace, grace, c.log)
	stop()
	<-done
	return err
}

// tell prints how many messages became what.
func (c *common) tell(o *outlets) {
	t := o.truth.Totals()
	_, _ = fmt.Fprintf(c.stdout, "delivered %d duplicate %d refused %d resent %d unacked %d\n",
		t[truth.Delivered], t[truth.Duplicate], t[truth.Refused], t[truth.Resent], t[truth.Unacked])
}
