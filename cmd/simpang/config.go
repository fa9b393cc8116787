package main

import (
	"errors"
	"flag"
	"io"
	"os"
	"strings"

	"github.com/simpang-id/simpang/internal/config"
)

// flagSet returns a set that writes its help to stderr and takes -config and
// -set, which every command with a configuration has.
func flagSet(name string, stderr io.Writer) (*flag.FlagSet, *configFlags) {
	fs := flag.NewFlagSet("simpang "+name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	c := &configFlags{set: map[string]string{}}
	fs.StringVar(&c.file, "config", "", "the configuration `FILE` (YAML)")
	fs.Func("set", "a setting that wins over file and variables, as `key=value` (http.listen=:8080); may be repeated", func(s string) error {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("write it as key=value")
		}
		c.set[key] = value
		return nil
	})
	return fs, c
}

type configFlags struct {
	file string
	set  map[string]string
}

// parse parses the flags; -h is done, a wrong flag is wrong usage.
func parse(fs *flag.FlagSet, args []string) error {
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	if err != nil {
		return usagef("%s", err)
	}
	return nil
}

// parseAll is parse for a command that takes flags only.
func parseAll(fs *flag.FlagSet, args []string) error {
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return usagef("%s takes flags only: what is %q for?", fs.Name(), fs.Arg(0))
	}
	return nil
}

// named is wrong usage where no configuration was named.
func (c *configFlags) named() error {
	if c.file == "" {
		return usagef("-config FILE is missing")
	}
	return nil
}

// load reads the configuration; faults are wrong usage, every one of them.
func (c *configFlags) load() (*config.Config, error) {
	if err := c.named(); err != nil {
		return nil, err
	}
	cfg, faults := config.Load(c.file, os.Environ(), c.set)
	if len(faults) > 0 {
		return nil, faulty(faults)
	}
	return cfg, nil
}

func faulty(faults []config.Fault) error {
	lines := make([]string, len(faults))
	for i, f := range faults {
		lines[i] = f.String()
	}
	return usagef("%s", strings.Join(lines, "\n"))
}
