package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/mqtt"
	"github.com/simpang-id/simpang/internal/source/serial"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// codecsLeft is how long codecs may go on once the sources are told to stop.
const codecsLeft = 2 * time.Second

// startSources starts every source of the configuration. They are the first to
// be stopped: nothing new comes in then, and what is on its way can still be
// committed and acknowledged.
func (g *gateway) startSources(ctx context.Context, undo *stack) error {
	g.brokers = map[string]*broker.Source{}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var done sync.WaitGroup
	undo.push("sources", func() error {
		stop()
		timer := time.AfterFunc(codecsLeft, g.codecs.Cut) // a payload in a codec is waited for by its source
		defer timer.Stop()
		done.Wait()
		return nil
	})
	for _, c := range g.cfg.Sources {
		s, err := g.openSource(ctx, c)
		if err != nil {
			return fmt.Errorf("source %s: %w", c.ID, err)
		}
		ended := &ending{}
		if d, ok := s.(downlink); ok {
			g.commands.lead(c.ID, d)
		}
		g.ready.add(startedSource{Source: s, maxSilence: c.MaxSilence.Duration, since: time.Now(), fault: ended.fault})
		done.Go(func() { keepRunning(running, s, ended, g.log.With("source", c.ID)) })
	}
	return nil
}

func (g *gateway) openSource(ctx context.Context, c config.Source) (source.Source, error) {
	switch c.Type {
	case config.TypeBroker:
		o := broker.Options{
			ID: c.ID, Listen: c.Listen, TLSListen: c.TLSListen, CertFile: c.CertFile, KeyFile: c.KeyFile,
			CredentialsFile: c.CredentialsFile, Decode: native.Decode, Sink: g.queue, Log: g.log,
		}
		if c.Format != config.FormatNative {
			o.Network, o.SelfNamed = g.formats[c.ID], c.Format != config.FormatSenML
		}
		b, err := broker.New(o)
		if err != nil {
			return nil, err
		}
		g.brokers[c.ID] = b
		return b, b.Listen(ctx)
	case config.TypeMQTT:
		return mqtt.New(mqtt.Options{
			ID: c.ID, City: g.cfg.City.ID, URL: c.URL, Topics: c.Topics, ClientID: c.ClientID, Username: c.Username,
			PasswordFile: c.PasswordFile, TopicsFile: g.path("mqtt-" + c.ID + ".topics"), CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile, MaxSilence: c.MaxSilence.Duration,
			Decode: g.formats[c.ID], SelfNamed: c.Format == config.FormatTTS || c.Format == config.FormatChirp, Sink: g.queue, Log: g.log,
		})
	case config.TypeSerial:
		o := serial.Options{
			ID: c.ID, Port: c.Port, Baud: c.Baud, DataBits: c.DataBits, Parity: c.Parity, StopBits: c.StopBits,
			MaxSilence: c.MaxSilence.Duration,
			Sink:       g.queue, Log: g.log,
		}
		switch c.Format {
		case config.FormatEscpos:
			o.Tap = &serial.Tap{Device: c.Device, Templates: g.templates[c.ID], Spool: g.spool, Idle: c.Idle.Duration}
		case config.FormatModbus:
			m, faults := config.Map(&c)
			if len(faults) > 0 {
				return nil, &FaultsError{Faults: faults}
			}
			o.Poll = &serial.Poll{Map: m, Encode: native.Encode, Decode: native.Decode}
		}
		return serial.New(o)
	default:
		return nil, fmt.Errorf("unknown type %q", c.Type)
	}
}

// keepRunning runs a source until ctx ends: one that stops is run again, after
// a second and then longer waits up to a minute. Why it stopped is told until it
// has run for as long as the wait was.
func keepRunning(ctx context.Context, s source.Source, ended *ending, log *slog.Logger) {
	const first, longest = time.Second, time.Minute
	for wait := first; ; wait = min(2*wait, longest) {
		steady := time.AfterFunc(wait, func() { ended.set(nil) })
		err := s.Run(ctx)
		if !steady.Stop() {
			wait = first
		}
		if ctx.Err() != nil || err == nil {
			return
		}
		ended.set(err)
		log.Error("a source stopped and is run again; the others go on", "wait", wait, "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// ending holds why a source ended.
type ending struct {
	mu  sync.Mutex
	err error
}

func (e *ending) set(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = err
}

func (e *ending) fault() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}
