// Command simpang is the gateway and the tools of its operators: one binary,
// a subcommand for each thing to do.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // cabinets often have no zone files

	"github.com/simpang-id/simpang/internal/source/sandbox"
)

// Set by the Makefile; a plain `go build` leaves commit and built to what Go
// itself knows.
var (
	version = "unknown"
	commit  string // hash
	built   string // the commit's date, RFC 3339: our own clock is never before it
)

// Exit codes (contract, section 1).
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// command is one subcommand. run returns an error of usage() for wrong flags
// or configuration, any other error for a failure.
type command struct {
	name  string
	short string
	run   func(ctx context.Context, args []string, stdout, stderr io.Writer) error
}

var commands = []command{
	{"serve", "run the gateway: serve -config FILE", serve},
	{"check", "tell every fault of configuration and inventory: check -config FILE", check},
	{"verify", "recompute the books and check every stored hash: verify -config FILE, or -bundle FILE -key PUBKEY", verify},
	{"backup", "a consistent copy of the running store: backup -config FILE -to PATH", backupStore},
	{"restore", "bring a backup back into an empty data_dir: restore -config FILE -from PATH", restoreStore},
	{"token", "make, list or revoke access tokens: token -config FILE -role ROLE -name NAME", tokens},
	{"device", "credentials for the built-in broker: device -config FILE credentials ID...; one payload: device test -profile P -hex H -fport N", device},
	{"print", "what tapped tills have printed: print -config FILE [-id N]", printed},
	{"keygen", "make the signing key of the books: keygen -config FILE", keygen},
	{"health", "ask the running gateway whether it lives: health -config FILE [-ready]", health},
	{"version", "version, commit and Go", printVersion},
}

// usageError is wrong usage or configuration.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

func main() {
	sandbox.Child()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		writeHelp(stderr)
		if len(args) == 0 {
			return exitUsage
		}
		return exitDone
	}
	for _, c := range commands {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, args[1:], stdout, stderr)
		var wrong *usageError
		switch {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return exitDone
		case errors.As(err, &wrong):
			fmt.Fprintln(stderr, wrong.text)
			return exitUsage
		default:
			fmt.Fprintln(stderr, "simpang "+c.name+": "+err.Error())
			return exitFailed
		}
	}
	fmt.Fprintf(stderr, "simpang: there is no command %q\n\n", args[0])
	writeHelp(stderr)
	return exitUsage
}

func writeHelp(w io.Writer) {
	fmt.Fprintln(w, "simpang: a smart-city sensor gateway. Commands:")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-9s %s\n", c.name, c.short)
	}
	fmt.Fprintln(w, "Each command tells its flags with -h.")
}
