package broker

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// quiet makes mochi's log fit for ours: it drops attributes that could hold
// payloads or passwords (whole packets) and lowers all but errors to debug. Its
// event loop still logs after Close has returned: the gate is shut by then.
type quiet struct {
	next slog.Handler
	gate *gate
}

// gate ends a log.
type gate struct {
	mu   sync.RWMutex
	shut bool
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
}

func (q quiet) level(l slog.Level) slog.Level {
	if l >= slog.LevelError {
		return l
	}
	return slog.LevelDebug
}

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return q.next.Enabled(ctx, q.level(l))
}

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, q.level(r.Level), "mqtt: "+r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if harmless(a.Key) {
			clean.AddAttrs(a)
		}
		return true
	})
	q.gate.mu.RLock()
	defer q.gate.mu.RUnlock()
	if q.gate.shut {
		return nil
	}
	return q.next.Handle(ctx, clean)
}

func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler {
	var kept []slog.Attr
	for _, a := range attrs {
		if harmless(a.Key) {
			kept = append(kept, a)
		}
	}
	return quiet{q.next.WithAttrs(kept), q.gate}
}

func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.next.WithGroup(name), q.gate} }

func harmless(key string) bool {
	switch key {
	case "error", "client", "listener", "remote", "hook", "id", "address", "protocol", "version", "keepalive":
		return true
	}
	return false
}

// sometimes warns at most once in ten seconds of what strangers can cause.
func (s *Source) sometimes(last *atomic.Int64, message string, attrs ...slog.Attr) {
	now := time.Now().UnixNano()
	then := last.Load()
	if now-then < int64(10*time.Second) || !last.CompareAndSwap(then, now) {
		return
	}
	s.o.Log.LogAttrs(s.ctx, slog.LevelWarn, message, attrs...)
}
