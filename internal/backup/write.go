package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// Writer makes a backup, a file after the other, for one goroutine. Until
// Finish has returned the folder is no backup.
type Writer struct {
	dir   string
	made  bool // the folder is ours
	files []File
	dirs  map[string]bool // to be synced
}

// Create begins a backup in a folder that must not exist, or be empty.
func Create(dir string) (*Writer, error) {
	w := &Writer{dir: dir, dirs: map[string]bool{dir: true}}
	there, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
			return nil, err
		}
		w.made = true
		return w, os.Mkdir(dir, 0o700)
	case err != nil:
		return nil, err
	case len(there) == 0:
		return w, nil
	}
	if _, err := Read(dir); err == nil {
		return nil, fmt.Errorf("%s holds a backup already: name a folder that is empty or does not exist", dir)
	}
	return nil, fmt.Errorf("%s is not empty: name a folder that is empty or does not exist (a backup that was cut off may be removed)", dir)
}

// SQLite takes a consistent copy of a database that may be written meanwhile.
func (w *Writer) SQLite(ctx context.Context, from, to string) error {
	dst, err := w.place(to)
	if err != nil {
		return err
	}
	if err := sqlite.Copy(ctx, from, dst); err != nil {
		return err
	}
	sum, size, err := hashFile(ctx, dst)
	if err != nil {
		return err
	}
	w.files = append(w.files, File{Path: to, Bytes: size, SHA256: sum})
	return nil
}

// Copy copies a file that is replaced as a whole or not at all.
func (w *Writer) Copy(ctx context.Context, from, to string) error {
	dst, err := w.place(to)
	if err != nil {
		return err
	}
	sum, size, err := copyFile(ctx, from, dst)
	if err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	w.files = append(w.files, File{Path: to, Bytes: size, SHA256: sum})
	return nil
}

// CopyOutside is Copy of a file that is not brought back by itself; its place
// is remembered.
func (w *Writer) CopyOutside(ctx context.Context, from, to string) error {
	if err := w.Copy(ctx, from, to); err != nil {
		return err
	}
	w.files[len(w.files)-1].Origin = from
	return nil
}

// Link takes a file that never changes, by a hard link where the folder lies on
// the same disk. Its hash must be sum.
func (w *Writer) Link(ctx context.Context, from, to, sum string) error {
	dst, err := w.place(to)
	if err != nil {
		return err
	}
	if os.Link(from, dst) != nil {
		if _, _, err := copyFile(ctx, from, dst); err != nil {
			return fmt.Errorf("copy %s: %w", from, err)
		}
	}
	have, size, err := hashFile(ctx, dst)
	if err != nil {
		return err
	}
	if have != sum {
		return fmt.Errorf("%s is damaged: its hash is %s, which was %s when it was written; bring it back from an older backup", from, have, sum)
	}
	w.files = append(w.files, File{Path: to, Bytes: size, SHA256: have})
	return nil
}

// Finish writes the manifest, once everything before it is durable.
func (w *Writer) Finish(m *Manifest) error {
	for dir := range w.dirs {
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	if err := syncDir(filepath.Dir(w.dir)); err != nil {
		return err
	}
	m.Format, m.Files = format, w.files
	return m.save(w.dir)
}

// Abandon removes what was written of a backup that failed.
func (w *Writer) Abandon() error {
	if w.made {
		return os.RemoveAll(w.dir)
	}
	there, err := os.ReadDir(w.dir)
	errs := []error{err}
	for _, e := range there {
		errs = append(errs, os.RemoveAll(filepath.Join(w.dir, e.Name())))
	}
	return errors.Join(errs...)
}

// Path is where a file of the backup lies on the disk.
func (w *Writer) Path(to string) string { return filepath.Join(w.dir, filepath.FromSlash(to)) }

// place makes the folders above a file.
func (w *Writer) place(to string) (string, error) {
	if !filepath.IsLocal(filepath.FromSlash(to)) {
		return "", fmt.Errorf("%q lies outside of the backup", to)
	}
	for dir := path.Dir(to); dir != "."; dir = path.Dir(dir) {
		w.dirs[w.Path(dir)] = true
	}
	return w.Path(to), os.MkdirAll(w.Path(path.Dir(to)), 0o700)
}
