package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/keys"
	"github.com/simpang-id/simpang/internal/spool"
	"github.com/simpang-id/simpang/internal/wire/escpos"
)

// printed lists what tapped tills have printed, or shows one print. Who looks at
// one is written down first.
func printed(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags, common := flagSet("print", stderr)
	id := flags.Int64("id", 0, "show the print of this `NUMBER`; 0 lists the newest")
	raw := flags.Bool("raw", false, "with -id: the stream as it came, not its text")
	source := flags.String("source", "", "list those of this source `ID` only")
	limit := flags.Int("limit", 100, "list so many")
	opened := flags.Bool("opened", false, "list who has looked at which print")
	if err := parse(flags, args); err != nil {
		return err
	}
	cfg, err := common.load()
	if err != nil {
		return err
	}
	s, err := openPrints(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	at := func(ms int64) string { return time.UnixMilli(ms).In(cfg.City.Zone).Format(time.RFC3339) }
	switch {
	case *opened:
		list, err := s.Openings(ctx, *limit)
		for _, o := range list {
			fmt.Fprintf(stdout, "%s\tprint %d\t%s\n", at(o.At), o.Job, o.Who)
		}
		return err
	case *id == 0:
		list, err := s.List(ctx, *source, *limit)
		for _, j := range list {
			fmt.Fprintf(stdout, "%d\t%s\t%s\tended by %s, whole %t, %d bytes\tboot %d seq %d, taken %t\n", j.ID, j.Source, at(j.Ended), j.Ending, j.Whole, j.Size, j.Boot, j.Seq, j.Taken())
		}
		return err
	}
	j, err := s.Open(ctx, *id, time.Now().UnixMilli(), operator())
	if err != nil {
		return asRefused(err)
	}
	fmt.Fprintf(stderr, "print %d of %s, sha256 %s\n", j.ID, j.Source, j.SHA256)
	out := j.Data
	if !*raw {
		p := escpos.ReadPrint(j.Data, escpos.End(j.Ending), j.Whole)
		out = []byte(p.Text)
	}
	_, err = stdout.Write(out)
	return err
}

// openPrints opens the spool beside a gateway that runs, or without one.
func openPrints(ctx context.Context, cfg *config.Config) (*spool.Spool, error) {
	path := filepath.Join(cfg.DataDir, "spool.db")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, usagef("nothing was printed yet: there is no %s", path)
	}
	key, err := keys.Load(filepath.Join(cfg.DataDir, "keys", "spool.key"))
	if err != nil {
		return nil, err
	}
	return spool.Open(ctx, path, key, 0)
}

// operator is who runs the command, as far as the machine knows.
func operator() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}
