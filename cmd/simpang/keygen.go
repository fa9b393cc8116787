package main

import (
	"context"
	"fmt"
	"io"

	"github.com/simpang-id/simpang/internal/app"
)

// keygen makes the signing key of the books, and prints its public part alone.
func keygen(_ context.Context, args []string, stdout, stderr io.Writer) error {
	fs, flags := flagSet("keygen", stderr)
	public := fs.Bool("public", false, "print the public part of the key that is there, and make none")
	if err := parseAll(fs, args); err != nil {
		return err
	}
	cfg, err := flags.load()
	if err != nil {
		return err
	}
	make := app.Keygen
	if *public {
		make = app.PublicKey
	}
	key, err := make(cfg)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, key)
	return err
}
