package world

import (
	"os"
	"path/filepath"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/journal"
)

// rebuild makes the followers anew from archive and journal: they must answer
// what they answered before.
func (w *World) rebuild() {
	s := w.sys
	dir := filepath.Join(w.root, "again")
	must(os.MkdirAll(dir, 0o700), "make a folder")
	var closers []func() error
	again, err := openAnswers(w.ctx, dir, s.versions.timeline, func(f func() error) { closers = append(closers, f) })
	defer func() {
		for _, c := range closers {
			must(c(), "close what was built again")
		}
	}()
	must(err, "open the followers again")
	take := func(entries []journal.Entry) error {
		for len(entries) > 0 {
			n := 1 + w.dice.n(len(entries))
			for _, f := range again.each() {
				if err := f.Apply(entries[:n]); err != nil {
					return err
				}
			}
			entries = entries[n:]
		}
		return nil
	}
	pos, err := s.series.Replay(w.ctx, 0, take)
	must(err, "replay the archive")
	for pos < s.journal.Head() {
		entries, err := s.journal.Read(w.ctx, pos, 1+w.dice.n(300))
		must(err, "read the journal")
		must(take(entries), "apply the journal")
		pos = entries[len(entries)-1].Pos
	}
	for _, f := range again.each() {
		must(f.Flush(), "flush "+f.Name())
	}
	w.checkAnswers(&again)
}

// verify lets `simpang verify` look at what is left on the disk.
func (w *World) verify() {
	err := app.Verify(w.ctx, &config.Config{DataDir: w.dir, City: config.City{Zone: zone}}, func(string, ...any) {})
	must(err, "verify")
}
