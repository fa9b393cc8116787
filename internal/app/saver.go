package app

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/simpang-id/simpang/internal/intake"
)

// saver writes images of de-duplication beside the committer, one at a time.
// Its methods are called from the committer's goroutine.
type saver struct {
	store   *intake.Store
	gate    *intake.Gate
	saved   *atomic.Uint64
	log     *slog.Logger
	done    chan error // capacity 1: how the running save ended
	running bool
	image   intake.Image
}

func newSaver(store *intake.Store, gate *intake.Gate, saved *atomic.Uint64, log *slog.Logger) *saver {
	return &saver{store: store, gate: gate, saved: saved, log: log, done: make(chan error, 1)}
}

// start begins a save unless one is still running.
func (s *saver) start(ctx context.Context) bool {
	if s.running {
		select {
		case err := <-s.done:
			s.ended(err)
		default:
			return false
		}
	}
	s.image = s.gate.Image()
	s.running = true
	go func() { s.done <- s.store.Save(ctx, s.image) }()
	return true
}

// wait waits for the running save.
func (s *saver) wait() {
	if s.running {
		s.ended(<-s.done)
	}
}

func (s *saver) ended(err error) {
	s.running = false
	if err == nil {
		s.saved.Store(s.image.Pos())
		return
	}
	s.gate.Redo(s.image)
	s.log.Error("the memory of de-duplication could not be saved; it is tried again, and a start until then reads more of the journal", "error", err)
}
