package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/config"
)

// check tells every fault of configuration and inventory at once.
func check(_ context.Context, args []string, stdout, stderr io.Writer) error {
	fs, flags := flagSet("check", stderr)
	if err := parseAll(fs, args); err != nil {
		return err
	}
	if err := flags.named(); err != nil {
		return err
	}
	faults, warnings := config.CheckFile(flags.file, os.Environ(), flags.set)
	for _, w := range warnings {
		fmt.Fprintln(stderr, "warning:", w.String())
	}
	if len(faults) > 0 {
		return faulty(faults)
	}
	_, err := fmt.Fprintln(stdout, flags.file+" and its inventory are sound")
	return err
}

// asUsage makes wrong usage of what the app found wrong with configuration or
// inventory.
func asUsage(err error) error {
	if faults, ok := errors.AsType[*app.FaultsError](err); ok {
		return usagef("%s", faults.Error())
	}
	return err
}
