package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/keys"
	"github.com/simpang-id/simpang/internal/spool"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// derived are the databases that are built again where they are missing.
var derived = []string{"dedupe.db", "health.db", "influx.db", "occupancy.db", "series.db", "traffic.db"}

// fileError names a file of data_dir that is not whole, and what to do.
type fileError struct {
	path string
	err  error
}

// Error says what is wrong and what to do.
func (e *fileError) Error() string {
	text := fmt.Sprintf("%s is not whole: %v; ", e.path, e.err)
	if name := filepath.Base(e.path); slices.Contains(derived, name) {
		return text + fmt.Sprintf("it holds what was concluded only: stop the gateway, remove %s, %s-wal and %s-shm, and start it: it is built again from journal and archive", name, name, name)
	}
	return text + "keep a copy of data_dir as it is, and restore the last backup into an empty one"
}

// Unwrap returns the cause.
func (e *fileError) Unwrap() error { return e.err }

// The quick check ends after this time, and leaves out larger files; verify has
// no such bounds. As many files are checked at once as there are cores.
const (
	quickTime = 700 * time.Millisecond
	quickSize = 256 << 20
)

// databases lists what SQLite can check, what cannot be built again first.
func databases(dir string) ([]string, error) {
	all, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b string) int {
		last := func(path string) int {
			if slices.Contains(derived, filepath.Base(path)) {
				return 1
			}
			return 0
		}
		return last(a) - last(b)
	})
	days, err := filepath.Glob(filepath.Join(dir, "journal", "*.db"))
	if err != nil || len(days) == 0 {
		return all, err
	}
	slices.Sort(days)
	newest := days[max(len(days)-2, 0):] // the newest day and kept.db
	return append(newest, all...), nil
}

// checkFiles lets SQLite look at each file before anything is opened.
func (g *gateway) checkFiles(ctx context.Context, _ *stack) error {
	paths, err := databases(g.cfg.DataDir)
	if err != nil {
		return err
	}
	if err := g.quickCheck(ctx, paths); err != nil {
		return err
	}
	if g.o.CheckDeep {
		return g.checkDeep(ctx)
	}
	return nil
}

// quickCheck returns the first fault, by the order of the files.
func (g *gateway) quickCheck(ctx context.Context, paths []string) error {
	quick, cancel := context.WithTimeout(ctx, quickTime)
	defer cancel()
	results := make([]error, len(paths))
	var all errgroup.Group
	all.SetLimit(runtime.NumCPU())
	for i, path := range paths {
		if info, err := os.Stat(path); err != nil || info.Size() > quickSize {
			g.log.InfoContext(ctx, "the quick check leaves out a large file; simpang verify checks it", "file", path)
			continue
		}
		all.Go(func() error {
			if results[i] = quick.Err(); results[i] == nil {
				results[i] = checkFile(quick, path, false)
			}
			return nil
		})
	}
	_ = all.Wait() // the results tell
	var missed []string
	for i, err := range results {
		if err == nil {
			continue
		}
		if _, fault := errors.AsType[*fileError](err); fault || quick.Err() == nil {
			return err
		}
		missed = append(missed, filepath.Base(paths[i]))
	}
	if len(missed) > 0 {
		g.log.InfoContext(ctx, "the quick check had no time for every file; simpang verify checks them all", "missed", missed)
	}
	return ctx.Err()
}

func (g *gateway) checkDeep(ctx context.Context) error {
	if _, err := os.Stat(g.path("journal")); errors.Is(err, fs.ErrNotExist) {
		return nil // the first start
	}
	return Verify(ctx, g.cfg, func(format string, args ...any) { g.log.InfoContext(ctx, "verify: "+fmt.Sprintf(format, args...)) })
}

func checkFile(ctx context.Context, path string, deep bool) error {
	db, err := sqlite.Open(ctx, path, sqlite.Options{ReadOnly: true, Readers: 1})
	if err == nil {
		if err = db.Check(ctx, deep); err == nil && deep {
			_, err = db.CheckSums(ctx)
		}
		err = errors.Join(err, db.Close())
	}
	switch {
	case err == nil:
		return nil
	case noRoom(err, filepath.Dir(path)), ctx.Err() != nil: // nothing of the file was seen
		return fmt.Errorf("check %s: %w", path, err)
	}
	return &fileError{path, err}
}

// checkHeads refuses a journal that ends before what was concluded from it: it
// has lost what was committed, and would give the same positions out again.
func (g *gateway) checkHeads(remembered uint64) error {
	head := g.journal.Head()
	seen := map[string]uint64{"dedupe.db": remembered}
	for _, r := range g.runners {
		name := r.f.Name() + ".db"
		if r.f == Follower(&g.series) {
			name = "archive"
		}
		seen[name] = r.f.Cursor()
	}
	for name, pos := range seen {
		if pos > head {
			return fmt.Errorf("the journal in %s ends at position %d, and %s has seen position %d: the journal has lost what was committed; keep a copy of data_dir as it is, and restore the last backup into an empty one", g.path("journal"), head, g.path(name), pos)
		}
	}
	return nil
}

// keyOf makes the key of an encrypted database (quarantine, spool) where that is
// made too; where there is one already and its key is gone, another key would
// make it unreadable.
func (g *gateway) keyOf(name string) ([keys.Size]byte, error) {
	path, file := g.path("keys", name+".key"), g.path(name+".db")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if info, err := os.Stat(file); err == nil && info.Size() > 0 {
			return [keys.Size]byte{}, fmt.Errorf("%s is missing, and what %s holds cannot be read without it: put it back from a backup, or move %s.db away", path, file, name)
		}
	}
	return keys.LoadOrMake(path)
}

// verifyFiles checks every database deeply, and that each item of quarantine
// can be decrypted.
func verifyFiles(ctx context.Context, c *config.Config, say func(format string, args ...any)) error {
	paths, err := databases(c.DataDir)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := checkFile(ctx, path, true); err != nil {
			return err
		}
	}
	say("databases: the structure and the rows' checksums of %d files are whole", len(paths))
	for _, sealed := range []struct {
		name, done string
		verify     func(context.Context, string, [keys.Size]byte) (int, error)
	}{
		{"quarantine", "quarantine: each of %d items can be decrypted", journal.VerifyQuarantine},
		{"spool", "spool: each of %d prints can be decrypted and has its SHA-256", spool.Verify},
	} {
		path := filepath.Join(c.DataDir, sealed.name+".db")
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		key, err := keys.Load(filepath.Join(c.DataDir, "keys", sealed.name+".key"))
		if err != nil {
			return err
		}
		n, err := sealed.verify(ctx, path, key)
		if err != nil {
			return &fileError{path, err}
		}
		say(sealed.done, n)
	}
	return nil
}
