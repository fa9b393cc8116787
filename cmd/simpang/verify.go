package main

import (
	"context"
	"fmt"
	"io"

	"github.com/simpang-id/simpang/internal/app"
)

// verify recomputes the books and checks every stored hash; it only reads.
func verify(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs, flags := flagSet("verify", stderr)
	if err := parseAll(fs, args); err != nil {
		return err
	}
	cfg, err := flags.load()
	if err != nil {
		return err
	}
	err = app.Verify(ctx, cfg, sayTo(stdout))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, "everything is whole")
	return err
}
