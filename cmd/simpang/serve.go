package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/config"
)

// serve runs the gateway until it is told to stop.
func serve(ctx context.Context, args []string, _, stderr io.Writer) error {
	fs, flags := flagSet("serve", stderr)
	check := fs.String("check", "quick", "what is checked before the start: `quick`, or deep (all that simpang verify checks)")
	if err := parseAll(fs, args); err != nil {
		return err
	}
	if *check != "quick" && *check != "deep" {
		return usagef("-check is quick or deep, not %q", *check)
	}
	cfg, err := flags.load()
	if err != nil {
		return err
	}
	log := newLogger(cfg.Log, stderr)
	for _, w := range cfg.Warnings {
		log.WarnContext(ctx, "configuration", "warning", w.String())
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	reload := make(chan struct{}, 1)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hup:
				select {
				case reload <- struct{}{}:
				default:
				}
			}
		}
	}()
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.WarnContext(ctx, "the service manager's watchdog is not served", "error", err)
	}
	defer spreadThreads()()
	err = app.Run(ctx, app.Options{
		Config: cfg, Version: version, Built: built, Log: log, Reload: reload, Watchdog: watchdog, CheckDeep: *check == "deep",
		Notify: func(state string) {
			if _, err := daemon.SdNotify(false, state); err != nil {
				log.DebugContext(ctx, "the service manager cannot be told", "error", err)
			}
		},
		Reread: func() (*config.Config, []config.Fault) { return config.Load(flags.file, os.Environ(), flags.set) },
	})
	return asUsage(err)
}

func newLogger(c config.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	// The configuration was checked: the level is one that slog knows.
	_ = level.UnmarshalText([]byte(c.Level))
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
