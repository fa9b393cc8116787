package powercut

import (
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/simpang-id/simpang/internal/sqlite"
)

var (
	_ sqlite.Driver = (*Disk)(nil)
	_ vfs.VFS       = system{}
	_ vfs.File      = (*handle)(nil)
)

// Open opens a database on the disk, for package sqlite.
func (d *Disk) Open(path string, pragmas []sqlite.Pragma) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	pragmas = append([]sqlite.Pragma{
		{Name: "locking_mode", Value: "EXCLUSIVE"},
		{Name: "wal_autocheckpoint", Value: strconv.Itoa(d.checkpoint)},
	}, pragmas...)
	var dsn strings.Builder
	dsn.WriteString("file:" + (&url.URL{Path: path}).EscapedPath() + "?_txlock=immediate&vfs=" + d.vfs)
	for _, p := range pragmas {
		if p.Name != "busy_timeout" { // nobody else lets go of a file by waiting
			dsn.WriteString("&_pragma=" + p.Name + "(" + p.Value + ")")
		}
	}
	db, err := driver.Open(dsn.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	return db, nil
}

// Code returns SQLite's primary result code of an error, 0 where it has none.
func (d *Disk) Code(err error) int {
	if code, ok := errors.AsType[sqlite3.ErrorCode](err); ok {
		return int(code)
	}
	return 0
}

// system is the disk as SQLite sees it.
type system struct{ d *Disk }

// FullPathname returns the path that a file is known by.
func (s system) FullPathname(name string) (string, error) { return filepath.Abs(name) }

// Access tells whether there is a file; an empty one is none, as in SQLite's
// own VFS.
func (s system) Access(path string, _ vfs.AccessFlag) (bool, error) {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	if s.d.cut {
		return false, ErrNoPower
	}
	id, err := s.d.find(path)
	return id != 0 && len(s.d.media.files[id].now) > 0, err
}

// Delete deletes a file.
func (s system) Delete(path string, syncDir bool) error {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	if s.d.cut {
		return ErrNoPower
	}
	id, err := s.d.find(path)
	if err != nil {
		return err
	}
	if id == 0 {
		return vfs.SystemError(fs.ErrNotExist, sqlite3.IOERR_DELETE_NOENT)
	}
	return s.d.unlink(path, syncDir)
}

// Open opens a file, or makes it.
func (s system) Open(path string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if path == "" {
		return &vfsutil.SliceFile{}, flags | vfs.OPEN_MEMORY, nil // temporary: it does not outlive the program
	}
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	if s.d.cut {
		return nil, flags, ErrNoPower
	}
	id, err := s.d.find(path)
	if err != nil {
		return nil, flags, err
	}
	h := &handle{d: s.d, dir: filepath.Dir(path)}
	if id == 0 {
		if flags&vfs.OPEN_CREATE == 0 {
			return nil, flags, os.ErrNotExist
		}
		if id, err = s.d.create(path); err != nil {
			return nil, flags, err
		}
		// SQLite's own VFS syncs the folder at the first sync of a new log.
		h.syncDir = flags&(vfs.OPEN_MAIN_JOURNAL|vfs.OPEN_SUPER_JOURNAL|vfs.OPEN_WAL) != 0
	}
	h.file = id
	return h, flags, nil
}

// handle is an open file.
type handle struct {
	d       *Disk
	file    int
	dir     string
	syncDir bool
}

// ReadAt reads what was written, synced or not.
func (h *handle) ReadAt(b []byte, off int64) (int, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if h.d.cut {
		return 0, ErrNoPower
	}
	now := h.d.media.files[h.file].now
	if off >= int64(len(now)) {
		return 0, io.EOF
	}
	n := copy(b, now[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt writes into the disk's cache.
func (h *handle) WriteAt(b []byte, off int64) (int, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if err := h.d.do(&op{kind: opWrite, file: h.file, off: off, b: append([]byte{}, b...)}); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Truncate changes the size, in the cache.
func (h *handle) Truncate(size int64) error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	return h.d.do(&op{kind: opTruncate, file: h.file, off: size})
}

// Sync makes what was written durable, and a new log's name.
func (h *handle) Sync(vfs.SyncFlag) error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if err := h.d.sync(h.file); err != nil || !h.syncDir {
		return err
	}
	h.syncDir = false
	return h.d.do(&op{kind: opSyncDir, path: h.dir})
}

// Size returns the size.
func (h *handle) Size() (int64, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if h.d.cut {
		return 0, ErrNoPower
	}
	return int64(len(h.d.media.files[h.file].now)), nil
}

// Lock takes the file, for this handle alone.
func (h *handle) Lock(vfs.LockLevel) error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if h.d.cut {
		return ErrNoPower
	}
	if by := h.d.locks[h.file]; by != nil && by != h {
		return sqlite3.BUSY
	}
	h.d.locks[h.file] = h
	return nil
}

// Unlock lets go of the file.
func (h *handle) Unlock(level vfs.LockLevel) error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	h.free(level)
	return nil
}

func (h *handle) free(level vfs.LockLevel) {
	if level == vfs.LOCK_NONE && h.d.locks[h.file] == h {
		delete(h.d.locks, h.file)
	}
}

// Close closes the file; it syncs nothing.
func (h *handle) Close() error {
	return h.Unlock(vfs.LOCK_NONE)
}

// CheckReservedLock tells whether somebody else writes.
func (h *handle) CheckReservedLock() (bool, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	by := h.d.locks[h.file]
	return by != nil && by != h, nil
}

// SectorSize is that of SQLite's own VFS.
func (h *handle) SectorSize() int { return 4096 }

// DeviceCharacteristics are those of SQLite's own VFS.
func (h *handle) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return vfs.IOCAP_POWERSAFE_OVERWRITE
}
