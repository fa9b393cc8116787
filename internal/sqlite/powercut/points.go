package powercut

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Environment variables of a test that uses Each or Seeds.
const (
	pointEnv = "POWERCUT_POINT" // "OPERATIONS:SEED" or "SEED": only this one
	timesEnv = "POWERCUT_TIMES" // so many times the points
	baseEnv  = "POWERCUT_BASE"  // another number draws other points
)

// Each calls check for seeded points of the trace, spread over it evenly, with
// a folder that holds what a power cut during the operation after the first ops
// leaves. A point that fails the test is named, with how to run it alone. With
// -short, or under the race detector, there are fewer points than were asked
// for.
func (t *Trace) Each(tb testing.TB, points int, check func(dir string, ops int)) {
	tb.Helper()
	root := Folder(tb)
	one := func(ops int, seed uint64) {
		defer told(tb, fmt.Sprintf("%d:%d", ops, seed))()
		dir, err := os.MkdirTemp(root, "") //nolint:usetesting // thousands of folders: each is removed when its point is done
		if err != nil {
			tb.Fatal(err)
		}
		if err := t.Leave(dir, ops, seed); err != nil {
			tb.Fatal(err)
		}
		check(dir, ops)
		if err := os.RemoveAll(dir); err != nil {
			tb.Fatal(err)
		}
	}
	if text := os.Getenv(pointEnv); text != "" {
		at, seed, _ := strings.Cut(text, ":")
		one(int(number(tb, at)), number(tb, seed))
		return
	}
	points = scaled(tb, points)
	r := random(base(tb), points)
	for i := range points {
		ops := int((float64(i) + r.Float64()) / float64(points) * float64(t.Ops()+1))
		one(min(ops, t.Ops()), uint64(r.Uint32()))
	}
	tb.Logf("%d power cuts over %d operations", points, t.Ops())
}

// Folder returns an empty folder for the test, in memory where the system has
// such: what SQLite syncs by its own driver then costs no time.
func Folder(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "powercut") //nolint:usetesting // in memory
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// Seeds calls f with n seeds. One that fails the test is named, with how to run
// it alone. As with Each there may be fewer.
func Seeds(tb testing.TB, n int, f func(seed uint64, r *rand.Rand)) {
	tb.Helper()
	one := func(seed uint64) {
		defer told(tb, strconv.FormatUint(seed, 10))()
		f(seed, random(seed, 0))
	}
	if text := os.Getenv(pointEnv); text != "" {
		one(number(tb, text))
		return
	}
	n = scaled(tb, n)
	from := base(tb) << 32
	for i := range n {
		one(from + uint64(i))
	}
	tb.Logf("%d seeds", n)
}

// told names a point at which the test failed.
func told(tb testing.TB, point string) func() {
	tb.Helper()
	before := tb.Failed()
	return func() {
		if tb.Failed() && !before {
			tb.Logf("to run this power cut alone: %s=%s go test -run '^%s$' in this folder", pointEnv, point, strings.ReplaceAll(tb.Name(), "/", "$/^"))
		}
	}
}

func scaled(tb testing.TB, points int) int {
	tb.Helper()
	switch {
	case os.Getenv(timesEnv) != "":
		return points * int(number(tb, os.Getenv(timesEnv)))
	case testing.Short():
		return max(1, points/16)
	case race:
		return max(1, points/raceFactor)
	}
	return points
}

// raceFactor is how many times fewer the points are under the race detector,
// which makes SQLite in Go slower by about so much.
const raceFactor = 20

func base(tb testing.TB) uint64 {
	tb.Helper()
	if text := os.Getenv(baseEnv); text != "" {
		return number(tb, text)
	}
	return 1
}

func number(tb testing.TB, text string) uint64 {
	tb.Helper()
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		tb.Fatalf("%s, %s or %s: %v", pointEnv, timesEnv, baseEnv, err)
	}
	return n
}

// Acks remembers what was acknowledged when.
type Acks[T any] struct {
	disk *Disk
	at   []int
	list []T
}

// NewAcks returns an empty list of what was acknowledged on a disk.
func NewAcks[T any](d *Disk) *Acks[T] { return &Acks[T]{disk: d} }

// Add notes that something was acknowledged after the operations until now.
func (a *Acks[T]) Add(v T) {
	a.at = append(a.at, a.disk.Ops())
	a.list = append(a.list, v)
}

// Before returns what was acknowledged before the operation after the first ops
// began, which a power cut in it must not take back.
func (a *Acks[T]) Before(ops int) []T {
	n := 0
	for n < len(a.at) && a.at[n] <= ops {
		n++
	}
	return a.list[:n]
}

// All returns everything that was acknowledged.
func (a *Acks[T]) All() []T { return a.list }
