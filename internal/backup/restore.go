package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Restore copies the files below a folder of a backup (data/) into the folder
// to, which must be empty, and compares each file of the backup with its hash:
// the first that differs is a *DamageError. Everything is durable when it
// returns nil.
func (m *Manifest) Restore(ctx context.Context, dir, below, to string) error {
	dirs := map[string]bool{to: true}
	for i := range m.Files {
		f := &m.Files[i]
		rest, ok := strings.CutPrefix(f.Path, below)
		if !ok {
			if err := f.check(ctx, dir); err != nil {
				return err
			}
			continue
		}
		dst := filepath.Join(to, filepath.FromSlash(rest))
		for d := filepath.Dir(dst); len(d) > len(to); d = filepath.Dir(d) {
			dirs[d] = true
		}
		if err := os.MkdirAll(filepath.Dir(dst), 0o700); err != nil {
			return err
		}
		from := filepath.Join(dir, filepath.FromSlash(f.Path))
		sum, size, err := copyFile(ctx, from, dst)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := f.compare(from, sum, size, err); err != nil {
			return err
		}
	}
	for d := range dirs {
		if err := syncDir(d); err != nil {
			return err
		}
	}
	return nil
}

// Check compares every file of a backup with its hash.
func (m *Manifest) Check(ctx context.Context, dir string) error {
	for i := range m.Files {
		if err := m.Files[i].check(ctx, dir); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) check(ctx context.Context, dir string) error {
	from := filepath.Join(dir, filepath.FromSlash(f.Path))
	sum, size, err := hashFile(ctx, from)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return f.compare(from, sum, size, err)
}

func (f *File) compare(path, sum string, size int64, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &DamageError{File: path, Detail: "it is missing"}
	case err != nil: // the disk that is read, or the one that is written
		return fmt.Errorf("restore %s: %w", path, err)
	case sum != f.SHA256 || size != f.Bytes:
		return &DamageError{File: path, Detail: fmt.Sprintf("it has %d bytes and the hash %s, which were %d and %s", size, sum, f.Bytes, f.SHA256)}
	}
	return nil
}
