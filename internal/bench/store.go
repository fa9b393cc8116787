package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/source"
)

// received is a message and when it came.
type received struct {
	at time.Time
	m  source.Message
}

// How many readings a prepared store has a commit: a gateway under full load has
// some hundred, an idle one has one. More are quicker to prepare.
const entriesACommit, manyACommit = 256, 1024

// prepare fills the store of a laid gateway as if it had run: what make gives,
// in the order of its times, goes through the real gate, journal, followers and
// archive, under a clock that follows it.
func prepare(ctx context.Context, g *gateway, entries int, from, until time.Time, make func(r *app.Replay, give func(received) error) error) (err error) {
	const rarely = 400 // garbage is plenty and short-lived, memory is there
	defer debug.SetGCPercent(debug.SetGCPercent(rarely))
	cfg, err := g.load()
	if err != nil {
		return err
	}
	r, err := app.OpenReplay(ctx, app.Options{Config: cfg, Log: slog.New(slog.DiscardHandler)}, entries)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close(context.WithoutCancel(ctx))) }()
	if err := r.Step(ctx, from); err != nil {
		return err
	}
	if err := produce(ctx, r, make); err != nil {
		return err
	}
	return r.Step(ctx, until)
}

// produce makes messages beside their taking.
func produce(ctx context.Context, r *app.Replay, make func(r *app.Replay, give func(received) error) error) error {
	const portion, ahead = 1024, 8
	portions := newPortions(ahead)
	making, stop := context.WithCancel(ctx)
	defer stop()
	failed := newFuture(func() error {
		defer close(portions)
		var p []received
		err := make(r, func(m received) error {
			if p = append(p, m); len(p) < portion {
				return nil
			}
			full := p
			p = nil
			select {
			case portions <- full:
				return nil
			case <-making.Done():
				return making.Err()
			}
		})
		if err == nil {
			portions <- p
		}
		return err
	})
	for p := range portions {
		for i := range p {
			if err := r.Take(ctx, p[i].at, p[i].m); err != nil {
				stop()
				for range portions {
				}
				return errors.Join(err, ignoreCanceled(failed()))
			}
		}
	}
	return failed()
}

func newPortions(n int) chan []received { return make(chan []received, n) }

// newFuture runs f in a goroutine; what it returns waits for it.
func newFuture(f func() error) func() error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return func() error { return <-done }
}

func ignoreCanceled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// forget takes a folder's files out of the kernel's cache, as after a boot.
func forget(dir string) error {
	unix.Sync()
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
	})
}

// sizeOf adds up the files below dir whose path, relative to it, begins with
// prefix.
func sizeOf(dir, prefix string) (int64, error) {
	sum := int64(0)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || !strings.HasPrefix(rel, prefix) {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}

// starts stops and starts a gateway some times, and returns the median of the
// seconds from its start until it is ready, with its files in the kernel's
// cache and without. It runs again at the end.
func (b *bench) starts(ctx context.Context, g *gateway) (warm, cold float64, err error) {
	var times [2][]float64
	data := filepath.Join(filepath.Dir(g.config), "data")
	for range b.rounds {
		for i := range times {
			if err := g.stop(); err != nil {
				return 0, 0, err
			}
			if i == 1 {
				if err := forget(data); err != nil {
					return 0, 0, err
				}
			}
			begin := time.Now()
			if err := g.serve(ctx, b.bin); err != nil {
				return 0, 0, err
			}
			took := time.Since(begin).Seconds()
			fmt.Fprintf(os.Stderr, "ready after %.2f s\n", took)
			times[i] = append(times[i], took)
			if took > 20 && len(times[1]) > 0 { // far over any bar: the others tell no more
				return median(times[0]), median(times[1]), nil
			}
		}
	}
	return median(times[0]), median(times[1]), nil
}

// midnight is the begin of a time's day in the city.
func midnight(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
}
