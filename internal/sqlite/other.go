package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Driver opens files in place of modernc's SQLite, each on one connection that
// both writes and reads. The gateway itself has none: tests bring one whose
// disk loses power (package powercut), so that the same SQL runs on it.
type Driver interface {
	// Open returns a pool of at most one connection to the file, with the
	// pragmas set in their order and write transactions begun as immediate.
	Open(path string, pragmas []Pragma) (*sql.DB, error)

	// Code returns SQLite's primary result code of an error that came from this
	// driver, 0 for any other error.
	Code(err error) int
}

// Pragma is a name and its value.
type Pragma struct{ Name, Value string }

// placed is a driver and the folder that it serves.
type placed struct {
	dir string
	Driver
}

var (
	othersMu sync.Mutex // held while others is replaced
	others   atomic.Pointer[[]*placed]
)

// Under lets every file below a folder be opened by another driver until undo
// is called; what was opened stays with it. The one named last wins. For tests.
func Under(dir string, d Driver) (undo func()) {
	p := &placed{dir: filepath.Clean(dir) + string(filepath.Separator), Driver: d}
	change := func(f func([]*placed) []*placed) {
		othersMu.Lock()
		defer othersMu.Unlock()
		var list []*placed
		if old := others.Load(); old != nil {
			list = slices.Clone(*old)
		}
		if list = f(list); len(list) == 0 {
			others.Store(nil)
			return
		}
		others.Store(&list)
	}
	change(func(list []*placed) []*placed { return append(list, p) })
	return func() {
		change(func(list []*placed) []*placed {
			return slices.DeleteFunc(list, func(q *placed) bool { return q == p })
		})
	}
}

// otherDriver returns the driver that a path was given to, nil for modernc's.
func otherDriver(path string) Driver {
	list := others.Load()
	if list == nil {
		return nil
	}
	path = filepath.Clean(path)
	for _, p := range slices.Backward(*list) {
		if strings.HasPrefix(path, p.dir) {
			return p.Driver
		}
	}
	return nil
}

// otherCode returns the result code of an error of another driver, 0 for none.
func otherCode(err error) int {
	list := others.Load()
	if list == nil {
		return 0
	}
	for _, p := range *list {
		if code := p.Code(err); code != 0 {
			return code
		}
	}
	return 0
}

// openOther opens the file on the one connection of another driver.
func (d *DB) openOther(ctx context.Context, other Driver, o Options) error {
	o.Aside = false // there is one connection
	pragmas := writerPragmas(o)
	if o.ReadOnly {
		pragmas = readerPragmas()
	}
	db, err := other.Open(d.path, pragmas)
	if err != nil {
		return fmt.Errorf("open %s: %w", d.path, err)
	}
	if err = db.PingContext(ctx); err == nil && !o.ReadOnly {
		err = migrate(ctx, db, o)
		d.W = db
	}
	if err != nil {
		return errors.Join(fmt.Errorf("open %s: %w", d.path, err), db.Close())
	}
	d.R, d.one = db, true
	return nil
}
