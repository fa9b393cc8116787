// Command bench is `make bench`: speed as ratios, each against what a user
// would pick instead, in one run, interleaved, the median of several rounds. It
// prints rows "name | figure | bar | ok" (or "short") and exits 0 when it ran.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"slices"
	"syscall"
	"time"
)

// full is the size of a whole run; -n scales everything by its share of it.
const full = 100_000

func main() {
	child := flag.String("child", "", "what this process is for the parent: discard, empty-broker, bare-chi")
	addr := flag.String("addr", "", "the child's address")
	file := flag.String("file", "", "the child's file")
	count := flag.Int("n", full, "size: messages a round, of which other sizes (messages, stores, seconds) are multiples")
	rounds := flag.Int("rounds", 5, "rounds a row, of which the median is told")
	only := flag.String("only", "", "run these suites only, by name, comma separated")
	quick := flag.Bool("quick", false, "a tenth of everything: tells that the rows work, and little of speed")
	profile := flag.String("cpuprofile", "", "write a CPU profile of this process (load generators and prepared stores, not the gateway) to this file")
	flag.Parse()
	if *quick {
		*count = full / 10
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := profiled(*profile, func() error { return run(ctx, *child, *addr, *file, *only, *count, *rounds) })
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func profiled(file string, f func() error) error {
	if file == "" {
		return f()
	}
	to, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(to); err != nil {
		return errors.Join(err, to.Close())
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, to.Close())
}

func run(ctx context.Context, child, addr, file, only string, count, rounds int) error {
	switch child {
	case "":
	case "discard":
		return discard(ctx, addr, count)
	case "empty-broker":
		return emptyBroker(ctx, addr)
	case "bare-chi":
		return bareChi(ctx, addr, file)
	default:
		return fmt.Errorf("no child %q", child)
	}
	if count < 1000 || rounds < 1 {
		return errors.New("-n is 1000 at least, -rounds 1")
	}
	list, err := chosen(only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "simpang-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: dir, count: count, rounds: rounds, keep: map[string]float64{}}
	if b.bin, err = buildGateway(ctx, dir); err != nil {
		return err
	}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.devices, err = devicesOf("spot"); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d cores, %s, -n %d (%.3g of a whole run), median of %d rounds; load generators and servers share this machine\n",
		runtime.NumCPU(), runtime.Version(), count, b.share(), rounds)
	for _, s := range list {
		if err := b.measure(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// measure runs one suite. One that fails tells why in its rows, and the others
// go on.
func (b *bench) measure(ctx context.Context, s suite) error {
	fmt.Fprintf(os.Stderr, "\n%s: machine load %s; load generator: %s\n", s.name, machineLoad(), s.load)
	begin := time.Now()
	b.report = &report{to: os.Stdout, rows: slices.Clone(s.rows), late: map[string]time.Duration{}}
	err := s.run(b, ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", s.name, err)
	}
	b.missing(err)
	fmt.Fprintf(os.Stderr, "%s: took %v\n", s.name, time.Since(begin).Round(time.Second))
	return nil
}

// bench is what the suites share.
type bench struct {
	*report
	dir, bin, self string
	devices        []string // the reference city's spot sensors
	count, rounds  int
	keep           map[string]float64 // figures of this run that a later suite compares with
}

// share is this run's size as a share of a whole one.
func (b *bench) share() float64 { return float64(b.count) / full }

// sized scales a number of a whole run.
func (b *bench) sized(n int) int { return max(int(float64(n)*b.share()), 1) }

// span scales a time of a whole run, to no less than a second.
func (b *bench) span(d time.Duration) time.Duration {
	return max(time.Duration(float64(d)*min(b.share(), 1)), time.Second)
}

// each runs what is compared once a round, and who is first in turn, so that
// what drifts meets both.
func (b *bench) each(first, second func() error) error {
	for i := range b.rounds {
		order := []func() error{first, second}
		if i%2 == 1 {
			order[0], order[1] = second, first
		}
		for _, f := range order {
			if err := f(); err != nil {
				return err
			}
		}
	}
	return nil
}

// scratch makes a folder of this run.
func (b *bench) scratch(name string) (string, error) { return os.MkdirTemp(b.dir, name+"-") }

// stopping ends a process and keeps the first error.
func stopping(err *error, p interface{ stop() error }) {
	if e := p.stop(); *err == nil {
		*err = e
	}
}
