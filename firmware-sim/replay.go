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
	"time"

	"github.com/simpang-id/simpang/firmware-sim/drive"
	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/replay"
	"github.com/simpang-id/simpang/firmware-sim/send"
)

// runReplay is `firmware-sim replay`.
func runReplay(ctx context.Context, args []string, stdout, stderr io.Writer, log *slog.Logger) (err error) {
	c := &common{log: log, stdout: stdout}
	var file, mapping, shift string
	if err := parse("firmware-sim replay", args, c, stderr, func(f *flag.FlagSet) {
		f.StringVar(&file, "csv", "", "file of observations")
		f.StringVar(&mapping, "map", "", "file that maps its columns")
		f.StringVar(&shift, "shift", "", "now: the last row is of now; else the times are kept")
	}); err != nil {
		return err
	}
	switch {
	case file == "" || mapping == "":
		return usageError{errors.New("-csv and -map are needed")}
	case shift != "" && shift != "now":
		return usageError{fmt.Errorf("-shift is %q: use now, or leave it out", shift)}
	case c.serial != "" && c.broker != "":
		return usageError{errors.New("a replay goes to -broker or to -serial, not to both")}
	}
	m, err := replay.LoadMapping(mapping)
	if err != nil {
		return usageError{err}
	}
	format := message.Native
	if c.serial != "" {
		format = message.Frames
	}
	r, err := openCSV(file, m, format)
	if err != nil {
		return usageError{err}
	}
	for i, fault := range r.Faults {
		if i == 10 {
			log.Warn("more rows are left out", "rows", len(r.Faults)-i)
			break
		}
		log.Warn("a row is left out", "file", file, "fault", fault)
	}
	speed := 0.0
	if c.speed != nil {
		speed = *c.speed
	}
	devices := r.Devices()

	var o outlets
	defer func() { err = errors.Join(err, o.close()) }()
	if err := c.open(&o, func(name string) bool {
		_, known := slices.BinarySearch(devices, name)
		return known
	}, nil); err != nil {
		return err
	}
	if err := o.check(devices); err != nil {
		return err
	}
	now := time.Now()
	if shift == "now" {
		r.ShiftTo(now, speed)
	}
	from, to := r.Span()
	log.Info("the replay starts", "devices", len(devices), "from", time.UnixMilli(from).Format(time.RFC3339), "to", time.UnixMilli(to).Format(time.RFC3339))
	err = c.drive(ctx, r, &o, func(string) send.Sender { return o.all[0] }, drive.Pace{Start: from, Wall: now, Speed: speed})
	c.tell(&o)
	return err
}

func openCSV(name string, m *replay.Mapping, f message.Format) (*replay.Replay, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("csv: %w", err)
	}
	r, err := replay.Open(file, m, f)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}
