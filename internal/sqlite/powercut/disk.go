package powercut

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// ErrNoPower is what every call on the disk ends with after the cut.
var ErrNoPower = errors.New("the power is cut")

// Disk is a disk for the SQLite files below one folder. Any number of
// goroutines may use it and the databases on it.
type Disk struct {
	tb   testing.TB
	dir  string
	seed uint64
	vfs  string // its name at the driver
	undo func()
	off  sync.Once

	checkpoint int // pages

	mu    sync.Mutex
	media *media
	real  map[int]fs.FileInfo // the files of media as the folder shows them
	old   map[string]bool     // files that were there before the disk
	locks map[int]*handle     // who has the file
	files int                 // made so far
	ops   int
	limit int // operations before the cut, -1: none
	cut   bool
	trace *Trace
}

var disks atomic.Int64

// New makes the disk of a folder and lets every sqlite.Open below it use it
// until Off, or the end of the test. What the folder has is durable. A new disk
// takes the place of one before it on the same folder, whose power was cut.
func New(tb testing.TB, dir string, seed uint64) *Disk {
	tb.Helper()
	dir, err := filepath.Abs(dir)
	if err != nil {
		tb.Fatalf("powercut: %v", err)
	}
	d := &Disk{
		tb: tb, dir: dir, seed: seed, vfs: fmt.Sprintf("powercut-%d", disks.Add(1)), checkpoint: 1000,
		media: newMedia(), real: map[int]fs.FileInfo{}, old: map[string]bool{}, locks: map[int]*handle{}, limit: -1,
	}
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			d.old[path] = true
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tb.Fatalf("powercut: %v", err)
	}
	vfs.Register(d.vfs, system{d})
	d.undo = sqlite.Under(dir, d)
	tb.Cleanup(d.Off)
	return d
}

// Checkpoint sets after how many pages in the log SQLite folds it into the
// database (1,000 by default), for what is opened from now on: small numbers
// bring checkpoints into short tests.
func (d *Disk) Checkpoint(pages int) *Disk {
	d.checkpoint = pages
	return d
}

// Ops returns how many operations were done.
func (d *Disk) Ops() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ops
}

// CutAfter cuts the power during the operation after the first n.
func (d *Disk) CutAfter(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limit = n
}

// Cut cuts the power now, unless it was cut. The folder then holds what
// survived, and every call on the disk fails with ErrNoPower.
func (d *Disk) Cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lose(nil)
}

// Gone tells whether the power was cut.
func (d *Disk) Gone() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cut
}

// Off ends the disk: files below the folder are opened by the gateway's own
// driver again. Without a cut before it, everything written is in the folder.
// Databases that are open must be closed before, unless the power was cut.
func (d *Disk) Off() {
	d.off.Do(func() {
		d.undo()
		vfs.Unregister(d.vfs)
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.cut {
			return
		}
		d.cut = true
		d.missing()
		all := image{}
		for path, n := range d.media.names {
			if id := n.now(); id != 0 {
				all[path] = d.media.files[id].now
			}
		}
		d.leave(all)
	})
}

// do does one operation, or loses the power in it.
func (d *Disk) do(o *op) error {
	if d.cut {
		return ErrNoPower
	}
	if d.limit >= 0 && d.ops >= d.limit {
		d.lose(o)
		return ErrNoPower
	}
	d.ops++
	if d.trace != nil {
		d.trace.ops = append(d.trace.ops, *o)
	}
	d.media.apply(o)
	return nil
}

// lose leaves in the folder what survives.
func (d *Disk) lose(during *op) {
	if d.cut {
		return
	}
	d.cut = true
	d.missing()
	d.leave(d.media.cut(random(d.seed, d.ops), during))
}

func random(seed uint64, ops int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(ops))) }

// missing forgets names that the program has unlinked by itself.
func (d *Disk) missing() {
	for path, n := range d.media.names {
		if id := n.now(); id != 0 && !d.shown(path, id) {
			d.media.bind(path, 0, nil)
		}
	}
}

// shown tells whether the folder shows the file under the path.
func (d *Disk) shown(path string, id int) bool {
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, d.real[id])
}

// leave writes an image into the folder.
func (d *Disk) leave(i image) {
	if err := i.write(func(path string) string { return path }); err != nil {
		d.tb.Errorf("powercut: %v", err)
	}
}

// write writes an image's files where they belong.
func (i image) write(place func(path string) string) error {
	var errs []error
	for path, content := range i {
		if content == nil {
			if err := os.Remove(place(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
			continue
		}
		errs = append(errs, os.WriteFile(place(path), content, 0o600))
	}
	return errors.Join(errs...)
}

// find returns the file that a path stands for; 0 for none. It follows what
// the program did in the folder by itself.
func (d *Disk) find(path string) (int, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if d.media.find(path) != 0 {
			d.media.bind(path, 0, nil)
		}
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if id := d.media.find(path); id != 0 && os.SameFile(info, d.real[id]) {
		return id, nil
	}
	for id, known := range d.real {
		if os.SameFile(info, known) { // it was renamed
			d.media.bind(path, id, nil)
			return id, nil
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	d.files++
	id := d.files
	d.real[id] = info
	if !d.old[path] && len(content) == 0 { // the program made it, nobody has synced its folder
		return id, d.do(&op{kind: opCreate, file: id, path: path})
	}
	d.media.bind(path, id, content)
	if d.trace != nil {
		d.trace.initial.bind(path, id, slices.Clone(content))
	}
	return id, nil
}

// create makes a file in the folder.
func (d *Disk) create(path string) (int, error) {
	if d.cut {
		return 0, ErrNoPower
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	d.files++
	id := d.files
	d.real[id] = info
	return id, d.do(&op{kind: opCreate, file: id, path: path})
}

// unlink deletes a file.
func (d *Disk) unlink(path string, syncDir bool) error {
	if err := d.do(&op{kind: opUnlink, path: path}); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	if syncDir {
		return d.do(&op{kind: opSyncDir, path: filepath.Dir(path)})
	}
	return nil
}

// sync makes a file's content durable.
func (d *Disk) sync(id int) error {
	pending := d.media.files[id].pending
	if err := d.do(&op{kind: opSync, file: id}); err != nil {
		return err
	}
	return d.show(id, pending)
}

// show writes what was synced into the file that the folder shows.
func (d *Disk) show(id int, pending []op) error {
	path := ""
	for p, n := range d.media.names {
		if n.now() == id {
			path = p
		}
	}
	if path == "" || len(pending) == 0 || !d.shown(path, id) {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for i := range pending {
		o := &pending[i]
		if o.kind == opTruncate {
			err = errors.Join(err, f.Truncate(o.off))
		} else if _, e := f.WriteAt(o.b, o.off); e != nil {
			err = errors.Join(err, e)
		}
	}
	return errors.Join(err, f.Close())
}
