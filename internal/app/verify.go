package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/series"
)

// Verify checks every stored hash and recomputes the books, in this order:
// journal, versions of the inventory, archive, ledger, and then the other files
// as far as they can be checked by themselves. It only reads, and may
// run beside a gateway. say is told what was found whole; the error names the
// first thing that disagrees.
func Verify(ctx context.Context, c *config.Config, say func(format string, args ...any)) (err error) {
	dir := filepath.Join(c.DataDir, "journal")
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("there is nothing to verify in %s yet: %w", c.DataDir, err)
	}
	if err := notHalfRestored(c.DataDir); err != nil {
		return err
	}
	release, err := holdToCopy(ctx, c.DataDir, holdWithin) // no day goes while it is read
	if err != nil {
		return err
	}
	defer release()
	j, err := journal.Open(ctx, dir, journal.Options{Zone: c.City.Zone, ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if err := j.Verify(ctx, nil); err != nil {
		return err
	}
	say("journal: whole up to position %d, %d days", j.Head(), len(j.Days()))

	store, err := inventory.OpenStore(filepath.Join(c.DataDir, "inventory"))
	if err != nil {
		return err
	}
	versions := 0
	timeline, err := loadTimeline(ctx, store, c.City.Zone, j, func(*inventory.Version) { versions++ })
	if err != nil {
		return err
	}
	say("inventory: %d accepted versions, each file whole", versions)

	s, err := series.Open(ctx, filepath.Join(c.DataDir, "archive"), series.Options{Journal: j, Zone: c.City.Zone, ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Verify(ctx, nil); err != nil {
		return err
	}
	say("archive: %d days, each file whole", len(s.Archived()))

	late := &lateLog{ctx: ctx, dir: dir, c: c, early: j}
	defer func() { err = errors.Join(err, late.Close()) }()
	key, err := PublicKey(c)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	v, err := ledger.Verify(ctx, filepath.Join(c.DataDir, "ledger.db"), ledger.VerifyOptions{
		Options: ledger.Options{Timeline: timeline, Zone: c.City.Zone}, Log: late, Key: key, Memory: memoryToVerify(),
	})
	if err != nil {
		return err
	}
	say("ledger: %d entries recomputed from %d records, %d of them compared with the journal", v.Entries, v.Records, v.InJournal)
	say("proof: the tree of %d entries is whole, and so are %d signed checkpoints of it", v.Entries, v.Checkpoints)
	return verifyFiles(ctx, c, say)
}

// memoryToVerify is what a verification may hold, in bytes: a third of what the
// machine or its control group has, since Go's heap may be twice as large as
// what it holds.
func memoryToVerify() int64 {
	const most, least = 16 << 30, 64 << 20
	bytes := int64(most)
	var machine unix.Sysinfo_t
	if err := unix.Sysinfo(&machine); err == nil {
		ram := uint64(machine.Totalram) //nolint:unconvert // 32 bits wide on arm
		bytes = min(bytes, int64(ram*uint64(machine.Unit)/3))
	}
	if limit := cgroupLimit(cgroupFile); limit > 0 {
		bytes = min(bytes, limit/3)
	}
	return max(bytes, least)
}

// lateLog is the journal as it is after the books were opened: a gateway that
// runs beside us goes on, and books are never ahead of a journal that is read
// after them.
type lateLog struct {
	ctx   context.Context
	dir   string
	c     *config.Config
	early *journal.Journal

	once sync.Once
	late *journal.Journal
	err  error
}

// journal opens the journal again when it is first asked for.
func (l *lateLog) journal() *journal.Journal {
	l.once.Do(func() {
		l.late, l.err = journal.Open(l.ctx, l.dir, journal.Options{Zone: l.c.City.Zone, ReadOnly: true})
	})
	if l.err != nil {
		return l.early
	}
	return l.late
}

// Head returns the newest position.
func (l *lateLog) Head() uint64 { return l.journal().Head() }

// Days returns the days that the journal still has.
func (l *lateLog) Days() []journal.DayInfo { return l.journal().Days() }

// Read returns what follows a position.
func (l *lateLog) Read(ctx context.Context, after uint64, most int) ([]journal.Entry, error) {
	j := l.journal()
	if l.err != nil {
		return nil, l.err
	}
	return j.Read(ctx, after, most)
}

// Close closes the journal where it was opened again.
func (l *lateLog) Close() error {
	if l.late == nil {
		return nil
	}
	return l.late.Close()
}
