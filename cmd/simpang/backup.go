package main

import (
	"context"
	"fmt"
	"io"

	"github.com/simpang-id/simpang/internal/app"
)

// backupStore copies the store, beside a running gateway or without one.
func backupStore(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs, flags := flagSet("backup", stderr)
	to := fs.String("to", "", "the `FOLDER` that becomes the backup; it must be empty or not exist")
	if err := parseAll(fs, args); err != nil {
		return err
	}
	if *to == "" {
		return usagef("-to FOLDER is missing: name a folder that is empty or does not exist, best on another disk")
	}
	cfg, err := flags.load()
	if err != nil {
		return err
	}
	return app.Backup(ctx, app.BackupOptions{Config: cfg, To: *to, Version: version, Say: sayTo(stdout)})
}

// restoreStore brings a backup back.
func restoreStore(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs, flags := flagSet("restore", stderr)
	from := fs.String("from", "", "the `FOLDER` of the backup")
	if err := parseAll(fs, args); err != nil {
		return err
	}
	if *from == "" {
		return usagef("-from FOLDER is missing: name the folder of a backup")
	}
	cfg, err := flags.load()
	if err != nil {
		return err
	}
	return app.Restore(ctx, app.RestoreOptions{Config: cfg, From: *from, Say: sayTo(stdout)})
}

func sayTo(w io.Writer) func(format string, args ...any) {
	return func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
}
