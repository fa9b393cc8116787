// Command eval is `make eval`: how good the conclusions are, against a truth
// that is known because it was simulated. It prints rows
// "name | figure | bar | ok" (or "short") and exits 0 when it ran.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/simpang-id/simpang/internal/watch/baseline/labelled"
)

func main() {
	only := flag.String("only", "", "baseline (labelled series), money, faults or boxes (tapping boxes that are dead); all where it is left out")
	days := flag.Int("days", 0, "days that are simulated, 365 of money and 30 of faults where it is left out; fewer are quicker and say less")
	sites := flag.Int("sites", 0, "parking places, 60 of money and 100 of faults where it is left out")
	seed := flag.Uint64("seed", 1, "of all random numbers")
	blind := flag.Bool("blind", false, "nothing but outages of sensors, at every place: judges the intervals of what is expected")
	keep := flag.String("keep", "", "keep the simulated store in this folder, which must not be there yet")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := runAll(ctx, *only, *days, *sites, *seed, *blind, *keep)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "eval:", err)
		os.Exit(1)
	}
}

// runAll runs the parts that are asked for.
func runAll(ctx context.Context, only string, days, sites int, seed uint64, blind bool, keep string) error {
	if !slices.Contains([]string{"", "baseline", "money", "faults", "boxes"}, only) {
		return fmt.Errorf("-only %s is no part: use baseline, money, faults or boxes", only)
	}
	if only == "" || only == "baseline" {
		if err := baselines(labelled.Folder(".")); err != nil {
			return err
		}
	}
	if only == "" || only == "money" {
		if err := run(ctx, cmp.Or(days, 365), cmp.Or(sites, 60), seed, blind, keep); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		name string
		run  func(dir string) error
	}{
		{"faults", func(dir string) error { return faults(ctx, dir, cmp.Or(days, 30), cmp.Or(sites, 100), seed) }},
		{"boxes", func(dir string) error { return boxes(ctx, dir, seed) }},
	} {
		if only != "" && only != part.name || only == "" && days != 0 {
			continue // -days and -sites of a quick run are of money
		}
		dir, err := os.MkdirTemp("", "simpang-eval-")
		if err != nil {
			return err
		}
		if err := errors.Join(part.run(dir), os.RemoveAll(dir)); err != nil {
			return err
		}
	}
	return nil
}

func run(ctx context.Context, days, sites int, seed uint64, blind bool, keep string) (err error) {
	if days < 40 || sites < 20 {
		return errors.New("-days is 40 at least, -sites 20: a month has to end, and each fault needs a place")
	}
	dir := keep
	if keep == "" {
		if dir, err = os.MkdirTemp("", "simpang-eval-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	} else if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	y, err := newYear(dir, days, sites, seed, blind)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := y.play(ctx); err != nil {
		return err
	}
	if !blind {
		if err := y.tell(); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "%d days of %d sites: %d readings, %d deposits, played in %v\n",
		days, sites, y.readings, len(y.deposits), time.Since(began).Round(time.Second))
	g, err := serve(ctx, y.cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.stop()) }()
	judges := []func(context.Context, *gateway) error{y.books, y.deposit, y.statements, y.leaks, y.incidents, y.owed}
	if blind {
		judges = judges[3:4]
	}
	for _, judge := range judges {
		if err := judge(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

// row prints one row; bar is as people read it.
func row(name, figure, bar string, met bool) {
	verdict := "ok"
	if !met {
		verdict = "short"
	}
	fmt.Fprintf(os.Stdout, "%s | %s | %s | %s\n", name, figure, bar, verdict)
}
