package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/archive"
	"github.com/simpang-id/simpang/internal/backup"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/keys"
)

// Where a backup keeps what.
const (
	backupData    = "data/"    // data_dir
	backupOutside = "outside/" // what the configuration names outside of data_dir, and itself
)

// BackupOptions say what is copied where.
type BackupOptions struct {
	Config  *config.Config
	To      string // a folder that is empty or does not exist
	Version string // of the program
	// Say is told what was done.
	Say func(format string, args ...any)
}

// holdWithin is how long a backup waits for a gateway that puts days away.
const holdWithin = 10 * time.Minute

// Backup takes a consistent copy of a store, while a gateway takes readings
// into it or not. A backup that is cut off has no manifest and is refused by
// Restore.
//
// The order makes it consistent: followers first, so that no cursor lies past
// the journal; then the journal, from the newest day back, so that a day is
// copied when the one after it is known; and after it what is on disk before
// the journal names it: versions of the inventory, keys, and quarantine. Days
// neither retire nor are archived meanwhile.
func Backup(ctx context.Context, o BackupOptions) (err error) {
	dir, err := filepath.EvalSymlinks(o.Config.DataDir)
	if err != nil {
		return fmt.Errorf("there is nothing to back up: %w", err)
	}
	if err := notHalfRestored(dir); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "journal")); err != nil {
		return fmt.Errorf("there is nothing to back up in %s yet: %w", dir, err)
	}
	if within(dir, o.To) {
		return fmt.Errorf("%s lies within data_dir, and would be lost with it: name a folder elsewhere, best on another disk", o.To)
	}
	release, err := holdToCopy(ctx, dir, holdWithin)
	if err != nil {
		return err
	}
	defer release()
	began := time.Now()
	w, err := backup.Create(o.To)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Abandon())
		}
	}()
	c := &copier{w: w, dir: dir}
	c.followers(ctx)
	c.archive(ctx)
	c.journal(ctx)
	c.rest(ctx)
	c.outside(ctx, o.Config)
	if c.err != nil {
		return c.err
	}
	head, err := copiedHead(ctx, w.Path(backupData+"journal"), o.Config)
	if err != nil {
		return err
	}
	m := &backup.Manifest{
		Version: o.Version, City: o.Config.City.ID, Began: began, Ended: time.Now(), Head: head,
		Note: "bring it back with: simpang restore -config FILE -from THIS-FOLDER; what stands in " + backupOutside + " is put back by hand",
	}
	if err := w.Finish(m); err != nil {
		return err
	}
	o.Say("%s: %d files, %d bytes, everything up to position %d, in %s", o.To, len(m.Files), m.Bytes(), head, time.Since(began).Round(time.Millisecond))
	return noteBackup(dir, m, o.To)
}

// within tells whether path lies in dir or is dir.
func within(dir, path string) bool {
	a, err := filepath.Abs(dir)
	b, err2 := filepath.Abs(path)
	if err != nil || err2 != nil {
		return false
	}
	rel, err := filepath.Rel(a, b)
	return err == nil && filepath.IsLocal(rel)
}

// copiedHead opens the copy of the journal, which checks its newest batches.
func copiedHead(ctx context.Context, dir string, c *config.Config) (uint64, error) {
	j, err := journal.Open(ctx, dir, journal.Options{Zone: c.City.Zone, ReadOnly: true})
	if err != nil {
		return 0, err
	}
	return j.Head(), j.Close()
}

// copier copies the parts of data_dir; after an error it does nothing more.
type copier struct {
	w   *backup.Writer
	dir string
	err error
}

func (c *copier) do(step func() error) {
	if c.err == nil {
		c.err = step()
	}
}

// database and file copy what lies below data_dir.
func (c *copier) database(ctx context.Context, rel string) {
	c.do(func() error { return c.w.SQLite(ctx, filepath.Join(c.dir, filepath.FromSlash(rel)), backupData+rel) })
}

func (c *copier) file(ctx context.Context, rel string) {
	c.do(func() error { return c.w.Copy(ctx, filepath.Join(c.dir, filepath.FromSlash(rel)), backupData+rel) })
}

// Databases of data_dir that are no followers: they hold what was written
// before the journal said so, or have nothing to do with it.
var afterJournal = []string{"quarantine.db", "tokens.db"}

// followers copies every database at the top of data_dir but those, by name:
// the register of complaints before watch, so that its place among the changes
// of incidents lies in the copy of them.
func (c *copier) followers(ctx context.Context) {
	c.do(func() error {
		names, err := filepath.Glob(filepath.Join(c.dir, "*.db"))
		for _, name := range names {
			if rel := filepath.Base(name); !slices.Contains(afterJournal, rel) {
				c.database(ctx, rel)
			}
		}
		return errors.Join(err, c.err)
	})
}

// archive takes the files of every archived day, and the days' own last.
func (c *copier) archive(ctx context.Context) {
	c.do(func() error {
		dir := filepath.Join(c.dir, "archive")
		s, err := archive.OpenReadOnly(dir)
		if err != nil {
			return err
		}
		for _, day := range s.Days() {
			for _, f := range day.Archive().Files {
				if from := filepath.Join(dir, filepath.FromSlash(f.Name)); day.File(filepath.Dir(f.Name)) != nil {
					c.do(func() error { return c.w.Link(ctx, from, backupData+"archive/"+f.Name, f.SHA256) })
				}
			}
			c.file(ctx, "archive/days/"+day.Date+".json")
		}
		return errors.Join(c.err, s.Close())
	})
}

func (c *copier) journal(ctx context.Context) {
	c.do(func() error {
		names, err := filepath.Glob(filepath.Join(c.dir, "journal", "*.db"))
		slices.Sort(names)
		slices.Reverse(names) // by date; kept.db does not change while days are held
		for _, name := range names {
			c.database(ctx, "journal/"+filepath.Base(name))
		}
		return errors.Join(err, c.err)
	})
}

// rest copies what is left, whatever it is: a later version keeps more.
func (c *copier) rest(ctx context.Context) {
	c.do(func() error {
		return filepath.WalkDir(c.dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(c.dir, path)
			if err != nil {
				return err
			}
			rel = filepath.ToSlash(rel)
			top := !strings.Contains(rel, "/")
			switch {
			case rel == "journal" || rel == "archive":
				if e.IsDir() {
					return fs.SkipDir
				}
			case e.Type() == fs.ModeSymlink:
				c.linked(ctx, path, rel)
			case !e.Type().IsRegular() || passing(e.Name()) || top && slices.Contains(ofThisRun, rel):
			case strings.HasSuffix(rel, ".db"):
				if !top || slices.Contains(afterJournal, rel) {
					c.database(ctx, rel)
				}
			default:
				c.file(ctx, rel)
			}
			return c.err
		})
	})
}

// linked copies what a symbolic link stands for.
func (c *copier) linked(ctx context.Context, path, rel string) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		c.err = err
	case !info.Mode().IsRegular():
		c.err = fmt.Errorf("%s is a link to what is no file, and a backup would lack it: move it to its place", path)
	case strings.HasSuffix(rel, ".db"):
		c.database(ctx, rel)
	default:
		c.file(ctx, rel)
	}
}

// passing tells a file that exists for moments only, or belongs to a database.
func passing(name string) bool {
	return strings.HasSuffix(name, "-wal") || strings.HasSuffix(name, "-shm") || strings.HasSuffix(name, "-journal") ||
		strings.HasSuffix(name, ".tmp") || strings.Contains(name, ".new-")
}

// ofThisRun is what belongs to one folder's life and not to its content.
var ofThisRun = []string{"lock", backupNote, reserveFile}

// outside takes the configuration and what it names, for who has to build the
// machine anew.
func (c *copier) outside(ctx context.Context, cfg *config.Config) {
	var paths []string
	add := func(p ...string) { paths = append(paths, p...) }
	add(cfg.File, cfg.HTTP.TLSCertFile, cfg.HTTP.TLSKeyFile)
	for _, s := range cfg.Sources {
		add(s.CredentialsFile, s.PasswordFile, s.CAFile, s.CertFile, s.KeyFile, s.TemplatesFile, s.MapFile)
	}
	c.do(func() error {
		folder, err := os.ReadDir(cfg.Inventory)
		for _, e := range folder {
			if e.Type().IsRegular() {
				add(filepath.Join(cfg.Inventory, e.Name()))
			}
		}
		return err
	})
	slices.Sort(paths)
	for i, p := range slices.Compact(paths) {
		if p == "" || within(c.dir, p) {
			continue
		}
		c.do(func() error {
			origin, err := filepath.Abs(p)
			if err != nil {
				return err
			}
			err = c.w.CopyOutside(ctx, origin, fmt.Sprintf("%s%03d-%s", backupOutside, i, filepath.Base(p)))
			if errors.Is(err, fs.ErrNotExist) {
				return nil // named and not there yet, as credentials may be
			}
			return err
		})
	}
}

// backupNote tells the running gateway of the last backup that was finished.
const backupNote = "backup.json"

type backupTaken struct {
	Ended time.Time `json:"ended"`
	Head  uint64    `json:"head"`
	Bytes int64     `json:"bytes"`
	To    string    `json:"to"`
}

func noteBackup(dir string, m *backup.Manifest, to string) error {
	b, err := json.Marshal(backupTaken{Ended: m.Ended, Head: m.Head, Bytes: m.Bytes(), To: to})
	if err != nil {
		return err
	}
	path := filepath.Join(dir, backupNote)
	return errors.Join(keys.WriteFile(path, append(b, '\n')), ownedAs(dir, path))
}

// lastBackup returns when the last backup of a data_dir was finished; false
// where there is none.
func lastBackup(dir string) (backupTaken, bool) {
	var taken backupTaken
	b, err := os.ReadFile(filepath.Join(dir, backupNote))
	if err != nil || json.Unmarshal(b, &taken) != nil {
		return backupTaken{}, false
	}
	return taken, true
}
