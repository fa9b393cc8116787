// Command firmware-sim is the simulated fleet: devices of a city that send to
// the gateway over MQTT or a serial line, repeatable by seed, and the replay of
// real observations (contract, section 1; docs/firmware-sim.md).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// The exit codes of contract section 1.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

const usage = `usage:
  firmware-sim run -scenario FILE [-broker URL] [-credentials FILE] [-serial PATH] [-speed X] [-seed N] [-truth FILE]
  firmware-sim replay -csv FILE -map FILE [-shift now] [-broker URL] [-credentials FILE] [-serial PATH] [-speed X] [-truth FILE]

-broker       tcp://host:port, ssl://, ws:// or wss://; default tcp://127.0.0.1:1883
-credentials  device:secret lines; a user name that is no device is a bridge
-serial       a device file; auto or pty for a new pseudo terminal, whose path is printed; pty:PATH for one found under PATH
-speed        times real time; 0 is as fast as acknowledged
-truth        one JSON object a line: what happened and what was delivered
`

// usageError is an error of the command line or of a file that it names.
type usageError struct{ err error }

// Error returns the cause's text.
func (e usageError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e usageError) Unwrap() error { return e.err }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	log := slog.New(slog.NewTextHandler(stderr, nil))
	var err error
	switch {
	case len(args) > 0 && args[0] == "run":
		err = runScenario(ctx, args[1:], stdout, stderr, log)
	case len(args) > 0 && args[0] == "replay":
		err = runReplay(ctx, args[1:], stdout, stderr, log)
	case len(args) > 0 && (args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help"):
		_, _ = io.WriteString(stdout, usage)
		return exitDone
	default:
		err = usageError{errors.New("say run or replay")}
	}
	var wrong usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &wrong):
		_, _ = fmt.Fprintf(stderr, "firmware-sim: %v\n", err)
		if len(args) == 0 {
			_, _ = io.WriteString(stderr, usage)
		}
		return exitUsage
	default:
		_, _ = fmt.Fprintf(stderr, "firmware-sim: %v\n", err)
		return exitFailed
	}
}
