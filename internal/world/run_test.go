package world

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// How many worlds a plain run has, unless SIMPANG_SEEDS says another number.
// Under the race detector each costs ten times as much, and has one goroutine:
// `make test` runs the many without it.
const (
	manySeeds  = 270
	raceSeeds  = 24
	shortSeeds = 12
)

// TestWorld lives through many worlds, or through the one of SIMPANG_SEED.
func TestWorld(t *testing.T) {
	t.Parallel()
	if text := os.Getenv("SIMPANG_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("SIMPANG_SEED: %v", err)
		}
		one(t, seed)
		return
	}
	n := uint64(manySeeds)
	switch {
	case testing.Short():
		n = shortSeeds
	case raceDetector:
		n = raceSeeds
	}
	from, n := setting("SIMPANG_FROM", 1), setting("SIMPANG_SEEDS", n)
	for seed := from; seed < from+n; seed++ {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			one(t, seed)
		})
	}
}

// TestSoak lives through worlds from SIMPANG_FROM on until SIMPANG_SOAK (a
// time, as 30m) is over; `make soak` runs it.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("SIMPANG_SOAK"))
	if err != nil {
		t.Skip("runs for the time of SIMPANG_SOAK")
	}
	workers, end := setting("SIMPANG_WORKERS", 1), time.Now().Add(length)
	from, limit := setting("SIMPANG_FROM", 1), setting("SIMPANG_SEEDS", never)
	t.Run("worlds", func(t *testing.T) {
		for w := range workers {
			t.Run(strconv.FormatUint(w, 10), func(t *testing.T) {
				t.Parallel()
				n := 0
				for seed := from + w; time.Now().Before(end) && seed-from < limit; seed += workers {
					t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { one(t, seed) })
					n++
				}
				t.Logf("%d worlds, from seed %d on in steps of %d", n, from+w, workers)
			})
		}
	})
}

// one lives through one world.
func one(t *testing.T, seed uint64) {
	t.Helper()
	w, err := run(seed, options{tb: t, trace: os.Getenv("SIMPANG_TRACE") != ""})
	if err != nil {
		t.Errorf("seed %d: %v\n\nits last steps:\n%s\n\nit happens again, alone, with\n\tSIMPANG_SEED=%d go test -run TestWorld ./internal/world\n", seed, err, w.tail(), seed)
		return
	}
	if os.Getenv("SIMPANG_TRACE") != "" {
		t.Log(w.tail())
	}
	t.Logf("seed %d: %s %+v", seed, w.hash(), w.stats)
}

// setting reads a number from the environment.
func setting(name string, otherwise uint64) uint64 {
	n, err := strconv.ParseUint(os.Getenv(name), 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}

// TestTheSameSeedIsTheSameWorld holds that a failing seed can be looked at
// again: every step, verdict, acknowledgement and answer comes out of the seed.
func TestTheSameSeedIsTheSameWorld(t *testing.T) {
	n := uint64(6)
	if testing.Short() || raceDetector {
		n = 2
	}
	hashes := map[string]uint64{}
	for seed := uint64(1); seed <= n; seed++ {
		first, err := run(seed, options{tb: t})
		if err != nil {
			t.Fatal(err)
		}
		second, err := run(seed, options{tb: t})
		if err != nil {
			t.Fatal(err)
		}
		if first.hash() != second.hash() || first.n != second.n {
			t.Errorf("seed %d made %s in %d steps, then %s in %d", seed, first.hash(), first.n, second.hash(), second.n)
		}
		if other, ok := hashes[first.hash()]; ok {
			t.Errorf("seeds %d and %d made the same world", other, seed)
		}
		hashes[first.hash()] = seed
	}
}
