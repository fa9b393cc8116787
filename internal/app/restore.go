package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/backup"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/keys"
)

// restoring is the folder within data_dir that a restore fills before anything
// takes its place. It lies within, since data_dir may be a disk of its own, or
// stand in a folder where the gateway's user may not write. While it is there,
// data_dir is no store: nothing opens it.
const restoring = ".restoring"

// notHalfRestored refuses a data_dir in which a restore was cut off.
func notHalfRestored(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, restoring)); err != nil {
		return nil //nolint:nilerr // the usual case
	}
	return fmt.Errorf("a restore into %s was cut off, or runs just now: where none runs, empty the folder (%s too) and restore again", dir, restoring)
}

// RestoreOptions say what is brought back from where.
type RestoreOptions struct {
	Config *config.Config
	From   string
	Say    func(format string, args ...any)
}

// Restore brings a backup back into an empty data_dir. Every byte is compared
// with the backup's manifest before anything takes its place; one that is cut
// off leaves a data_dir that nothing opens.
func Restore(ctx context.Context, o RestoreOptions) (err error) {
	dir := o.Config.DataDir
	m, err := backup.Read(o.From)
	if err != nil {
		return err
	}
	if m.City != o.Config.City.ID {
		return fmt.Errorf("%s is a backup of the city %q, and %s is of %q: name the right backup or configuration", o.From, m.City, o.Config.File, o.Config.City.ID)
	}
	if within(dir, o.From) {
		return fmt.Errorf("%s lies within data_dir, which must be empty: move it elsewhere", o.From)
	}
	unlock, err := takeEmpty(dir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := enoughRoom(dir, m.Bytes()); err != nil {
		return err
	}
	began := time.Now()
	temp := filepath.Join(dir, restoring)
	if err := os.Mkdir(temp, 0o700); err != nil {
		return err
	}
	placing := false
	defer func() {
		if err != nil && !placing {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	if err := m.Restore(ctx, o.From, backupData, temp); err != nil {
		return err
	}
	head, err := copiedHead(ctx, filepath.Join(temp, "journal"), o.Config)
	if err != nil {
		return err
	}
	if head != m.Head {
		return fmt.Errorf("the restored journal ends at position %d, and the backup says %d: take another backup", head, m.Head)
	}
	if err := noteRestore(temp, o.From, m); err != nil {
		return err
	}
	if err := beginLog(ctx, temp, o.Config, time.Now(), o.Say); err != nil {
		return err
	}
	if err := deliveriesMayBeOld(ctx, temp, o.Config, m); err != nil {
		return err
	}
	if err := ownedAs(dir, temp); err != nil {
		return err
	}
	placing = true
	if err := putInPlace(dir, temp); err != nil {
		return err
	}
	o.Say("%s: %d files, everything up to position %d (%s), in %s", dir, len(m.Files), m.Head, m.Ended.Format(time.RFC3339), time.Since(began).Round(time.Millisecond))
	tellOutside(m, o)
	return nil
}

// putInPlace moves what was restored to its place. Until the folder is gone, the
// last step, data_dir is refused by all.
func putInPlace(dir, temp string) error {
	there, err := os.ReadDir(temp)
	if err != nil {
		return err
	}
	for _, e := range there {
		if err := os.Rename(filepath.Join(temp, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return errors.Join(keys.SyncDir(dir), os.Remove(temp), keys.SyncDir(dir))
}

// takeEmpty makes data_dir where it is missing, takes its lock as a gateway
// does, and refuses what is not empty. What a restore that was cut off has left
// before anything was in its place is removed.
func takeEmpty(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	unlock = func() { _ = lock.Close() }
	there, err := os.ReadDir(dir)
	if err != nil {
		unlock()
		return nil, err
	}
	var found []string
	left := false
	for _, e := range there {
		switch e.Name() {
		case "lock", "lost+found":
		case restoring:
			left = true
		default:
			found = append(found, e.Name())
		}
	}
	if len(found) > 0 {
		unlock()
		err := fmt.Errorf("%s is not empty (%s): a restore goes into an empty data_dir only; move what is there away, or name another data_dir", dir, short(found))
		return nil, errors.Join(notHalfRestored(dir), err)
	}
	if left {
		err = os.RemoveAll(filepath.Join(dir, restoring))
	}
	if err = errors.Join(err, ownedAs(dir, lock.Name())); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

func short(names []string) string {
	const most = 3
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// lockDir takes data_dir for this process alone.
func lockDir(dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: give the gateway's user the right to write there, or name another data_dir", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("another gateway runs on %s: stop it first, or name another data_dir", dir)
	}
	return lock, nil
}

func enoughRoom(dir string, need int64) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return err
	}
	if have := int64(fs.Bavail * uint64(fs.Bsize)); have < need {
		return fmt.Errorf("the disk of %s has room for %d bytes, and the backup needs %d: make room, or name a data_dir on another disk", dir, have, need)
	}
	return nil
}

// restoreNote tells where a store came from, so that what was signed or sent
// after the backup's head can be told from what is signed and sent now.
const restoreNote = "restored.json"

type restoredFrom struct {
	Restored time.Time `json:"restored"`
	From     string    `json:"from"`
	Taken    time.Time `json:"taken"`
	Head     uint64    `json:"head"`
}

// noteRestore adds a line to the note that came with the backup.
func noteRestore(dir, from string, m *backup.Manifest) error {
	path := filepath.Join(dir, restoreNote)
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	line, err := json.Marshal(restoredFrom{Restored: time.Now(), From: from, Taken: m.Ended, Head: m.Head})
	if err != nil {
		return err
	}
	return keys.WriteFile(path, append(append(before, line...), '\n'))
}

// ownedAs gives what root has made below data_dir to the owner of data_dir.
func ownedAs(dir, path string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 || owner.Uid == 0 {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return err
	}
	return fs.WalkDir(root.FS(), rel, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return root.Lchown(name, int(owner.Uid), int(owner.Gid))
	})
}

// tellOutside names what the configuration names outside of data_dir and is not
// as it was.
func tellOutside(m *backup.Manifest, o RestoreOptions) {
	for i := range m.Files {
		f := &m.Files[i]
		if f.Origin == "" {
			continue
		}
		kept := filepath.Join(o.From, filepath.FromSlash(f.Path))
		now, err := os.ReadFile(f.Origin)
		then, err2 := os.ReadFile(kept)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			o.Say("missing: %s; put it back: cp %s %s", f.Origin, kept, f.Origin)
		case err != nil || err2 != nil || string(now) != string(then):
			o.Say("not as it was when the backup was taken: %s; compare it with %s", f.Origin, kept)
		}
	}
}
