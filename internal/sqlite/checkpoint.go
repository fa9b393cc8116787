package sqlite

import (
	"context"
	"database/sql"
)

// How far the WAL of a file with Options.Aside grows, in pages, before its
// checkpoint is begun, and before its writer waits for that.
const (
	checkpointAt   = 1000 // SQLite's own
	checkpointMost = 8 * checkpointAt
)

// aside makes checkpoints beside a file's writer. SQLite makes them within the
// commit that fills the WAL, which then takes ten times as long as others. Most
// of the work is done on a connection of its own while the writer goes on; what
// the writer adds meanwhile is little, and it does that itself, since only a
// WAL that is wholly in the file begins anew.
type aside struct {
	db     *sql.DB       // one connection
	pages  int           // about how many the WAL has; the writer's
	nearly bool          // but for the newest pages the WAL is in the file; the writer's
	done   chan struct{} // nil: none runs; the writer's
}

func openAside(path string, o Options) (*aside, error) {
	db, err := connect(path, 1, "", writerPragmas(o)...)
	if err != nil {
		return nil, err
	}
	return &aside{db: db}, nil
}

const checkpoint = "PRAGMA wal_checkpoint(PASSIVE)"

// Tend sees to the WAL of a file that was opened with Options.Aside; for others
// it does nothing. The one writer calls it between commits, with about how many
// pages it has written since. A checkpoint that fails is made later: what is
// committed is in the WAL.
func (d *DB) Tend(ctx context.Context, pages int) {
	a := d.aside
	if a == nil {
		return
	}
	a.pages += pages
	if a.done != nil {
		if a.pages < checkpointMost {
			select {
			case <-a.done:
			default:
				return
			}
		}
		<-a.done
		a.done, a.nearly = nil, true
	}
	switch {
	case a.nearly:
		a.nearly, a.pages = false, 0
		_, _ = d.W.ExecContext(ctx, checkpoint)
	case a.pages >= checkpointAt:
		a.done = make(chan struct{})
		go func(done chan struct{}) {
			defer close(done)
			_, _ = a.db.ExecContext(context.WithoutCancel(ctx), checkpoint)
		}(a.done)
	}
}

// close waits for a checkpoint that runs.
func (a *aside) close() error {
	if a.done != nil {
		<-a.done
	}
	return a.db.Close()
}
