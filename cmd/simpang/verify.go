package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/simpang-id/simpang/internal/app"
)

// verify recomputes the books and checks every stored hash, or checks a bundle
// alone; it only reads.
func verify(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs, flags := flagSet("verify", stderr)
	bundle := fs.String("bundle", "", "check this exported `FILE` alone, without a configuration")
	key := fs.String("key", "", "the `PUBKEY` that signs the books (simpang keygen -public prints it), or a file that has it; with -bundle")
	if err := parseAll(fs, args); err != nil {
		return err
	}
	if *bundle != "" || *key != "" {
		return verifyBundle(*bundle, *key, stdout)
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

func verifyBundle(bundle, key string, stdout io.Writer) error {
	if bundle == "" || key == "" {
		return usagef("-bundle FILE and -key PUBKEY go together")
	}
	err := app.VerifyBundle(bundle, key, sayTo(stdout))
	if wrong, ok := errors.AsType[*app.KeyError](err); ok {
		return usagef("%s", wrong)
	}
	return err
}
