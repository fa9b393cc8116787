package sandbox_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/sandbox"
	"github.com/simpang-id/simpang/internal/wire/codec"
)

const good = `function decodeUplink(input) { return {data: {port: input.fPort}} }`

// one makes a sandbox of one process.
func one(tb testing.TB, limit time.Duration, scripts ...string) *sandbox.Sandbox {
	tb.Helper()
	var list []sandbox.Script
	for _, source := range scripts {
		list = append(list, sandbox.Script{Source: source, Limit: limit})
	}
	s := sandbox.New(list, sandbox.Options{Log: slog.New(slog.DiscardHandler), Processes: 1})
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// What the interpreter itself cannot stop costs a process at most, and the next
// call begins with as much as any.
func TestAttacks(t *testing.T) {
	costly := []codec.Failure{codec.Slow, codec.Crashed} // which of them depends on what is short first
	for body, want := range map[string][]codec.Failure{
		`for (;;);`:                                                                {codec.Slow},
		`function f() { return f() } f()`:                                          {codec.Threw},
		`var a = []; for (;;) a.push("x" + a.length)`:                              costly,
		`var s = "x"; for (;;) s += s`:                                             costly,
		"var s = `x`; for (;;) s = `${s}${s}`":                                     costly,
		`return {data: {a: "x".repeat(Math.pow(2, 30)).length}}`:                   costly,
		`"x".padStart(Math.pow(2, 30))`:                                            costly,
		`new Array(4294967295).fill(0)`:                                            costly,
		`Array.from({length: 4294967295})`:                                         costly,
		`new Array(4294967295).join("x")`:                                          costly,
		`String.fromCharCode.apply(null, {length: 4294967295})`:                    costly,
		`new Uint8Array(Math.pow(2, 31))`:                                          {codec.Crashed},
		`new ArrayBuffer(Math.pow(2, 40))`:                                         {codec.Crashed},
		`/(a*)*\1b/.test("a".repeat(40))`:                                          {codec.Slow},
		`/^(?:(\w+)\s?\1?)*$/.test("a".repeat(40) + "!")`:                          {codec.Slow},
		`2n ** (2n ** 40n)`:                                                        costly,
		`var a = []; for (var i = 0; i < 1e6; i++) a = [a]; a.toString()`:          costly,
		`JSON.parse("[".repeat(3e6))`:                                              costly,
		`JSON.stringify({a: new Array(1e8)})`:                                      costly,
		`eval("(".repeat(2e6))`:                                                    costly,
		`new RegExp("(".repeat(2e6) + ")".repeat(2e6))`:                            costly,
		`var a = new Array(3e6); for (var i = 0; i < 3e6; i++) a[i] = i; a.sort()`: costly,
		`"x".repeat(1e7).split("")`:                                                costly,
		`var a = [1]; for (;;) a = a.concat(a)`:                                    costly,
		`var a = [1]; for (;;) a = [...a, ...a]`:                                   costly,
		`"x".repeat(1e6).replace(/x/g, "y".repeat(1e6))`:                           costly,
		`Promise.resolve().then(function f() { return Promise.resolve().then(f) }); return {data: {}}`: {codec.Slow},
	} {
		s := one(t, 50*time.Millisecond, "function decodeUplink(input) {"+body+"}", good)
		require.Equal(t, map[string]any{"port": 1.0}, s.Decode(1, codec.Call{Port: 1}).Data)
		if sandbox.Raced && !slices.Equal(want, []codec.Failure{codec.Slow}) {
			continue // nothing bounds their memory
		}
		begin := time.Now()
		got := s.Decode(0, codec.Call{})
		require.Less(t, time.Since(begin), 3*time.Second, body)
		require.Contains(t, want, got.Failure, "%s: %+v", body, got)
		require.Equal(t, map[string]any{"port": 2.0}, s.Decode(1, codec.Call{Port: 2}).Data, body)
	}
}

// A script that takes much and returns in time leaves nothing of it to the next.
func TestTheNextCallHasAsMuch(t *testing.T) {
	if sandbox.Raced {
		t.Skip("nothing bounds their memory, and each call takes seconds")
	}
	s := one(t, time.Second, `function decodeUplink() { var list = []; for (var i = 0; i < 5; i++) list.push("x".repeat(1 << 23)); return {data: {n: list.length}} }`)
	for range 8 {
		got := s.Decode(0, codec.Call{})
		require.Equal(t, map[string]any{"n": 5.0}, got.Data, "%+v", got)
	}
}

// A script that takes much when it is loaded is called all the same, and its
// garbage costs no process.
func TestGarbageOfALoadEndsNothing(t *testing.T) {
	if sandbox.Raced {
		t.Skip("nothing bounds their memory, and each call takes seconds")
	}
	reg := prometheus.NewRegistry()
	s := sandbox.New([]sandbox.Script{{Source: `var list = []; for (var i = 0; i < 5; i++) list.push("x".repeat(1 << 23)); function decodeUplink() { return {data: {n: list.length}} }`, Limit: time.Second}},
		sandbox.Options{Log: slog.New(slog.DiscardHandler), Processes: 1, Metrics: sandbox.NewMetrics(reg)})
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.Equal(t, codec.OK, s.Check(0).Failure)
	for range 4 {
		got := s.Decode(0, codec.Call{})
		require.Equal(t, map[string]any{"n": 5.0}, got.Data, "%+v", got)
		require.Positive(t, got.Used)
	}
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`# HELP simpang_codec_processes_started_total Processes started for vendors' codecs: each codec that breaks one costs another.
# TYPE simpang_codec_processes_started_total counter
simpang_codec_processes_started_total 1
`), "simpang_codec_processes_started_total"))
}

func BenchmarkDecode(b *testing.B) {
	s := one(b, 50*time.Millisecond, good)
	for b.Loop() {
		if r := s.Decode(0, codec.Call{Port: 1, Payload: make([]byte, 11), At: 1}); r.Failure != codec.OK {
			b.Fatal(r)
		}
	}
}
