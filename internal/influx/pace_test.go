package influx_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/ledger"
)

// A target's rate is not passed by its streams together.
func TestARateIsKept(t *testing.T) {
	s := start(t)
	b := newBed(t, serverOf(s))
	const n, rate, batch = 10_000, 4000, 5000
	entries := make(books, 0, n)
	for i := range uint64(n) {
		b.log.read(spot("P1", i, begin+int64(i)*1000))
		entries = append(entries, &ledger.Entry{N: i + 1, Pos: i + 1, At: begin + int64(i), Kind: ledger.KindDeposit, Site: "S1", Amount: 1000})
	}
	b.o.Rate, b.o.Books, b.o.Ledger = rate, true, entries
	began := time.Now()
	target, _ := b.run()
	b.level(target, "readings")
	b.level(target, "books")
	require.GreaterOrEqual(t, time.Since(began), (2*n-batch)*time.Second/rate)
}

// How old is what a stream lacks is known of each of them.
func TestEachStreamTellsWhatItLacks(t *testing.T) {
	s := start(t)
	f := newFront(t, s)
	server := serverOf(s)
	server.URL = f.URL
	b := newBed(t, server)
	f.says(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	for i := range uint64(10) {
		b.log.read(spot("P1", i, begin+int64(i)*1000))
	}
	b.o.Books, b.o.Ledger = true, books{{N: 1, Pos: 7, At: begin, Kind: ledger.KindDeposit, Site: "S1", Amount: 1000}}
	target, _ := b.run()
	oldest := func() (all []uint64) {
		for _, st := range target.Status() {
			all = append(all, st.Oldest)
		}
		return all
	}
	b.until(func() bool { return slices.Equal(oldest(), []uint64{1, 7}) }, func() any { return target.Status() })
	f.says(func(http.ResponseWriter, *http.Request) bool { return false })
	b.until(func() bool { return slices.Equal(oldest(), []uint64{0, 0}) }, func() any { return target.Status() })
}
