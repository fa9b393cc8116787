package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/source/broker"
)

// device makes credentials for the built-in broker, or decodes one payload.
func device(_ context.Context, args []string, stdout, stderr io.Writer) error {
	fs, flags := flagSet("device", stderr)
	filters := fs.String("filters", "", "make a bridge that publishes to these topic `FILTERS`, separated by commas (sg/v1/+/up)")
	source := fs.String("source", "", "the `ID` of the broker source, where there are several")
	if err := parse(fs, args); err != nil {
		return err
	}
	rest := fs.Args()
	if len(rest) > 0 && rest[0] == "test" {
		return deviceTest(flags, rest[1:], stdout, stderr)
	}
	if len(rest) < 2 || rest[0] != "credentials" {
		return usagef("usage: simpang device -config FILE [-filters F,F] credentials ID..., or simpang device test [-config FILE] -profile P -hex H -fport N")
	}
	for _, id := range rest[1:] {
		if strings.HasPrefix(id, "-") {
			return usagef("flags stand before the word credentials: move %s there", id)
		}
	}
	cfg, err := flags.load()
	if err != nil {
		return err
	}
	file, err := credentialsFile(cfg, *source)
	if err != nil {
		return err
	}
	var issued []broker.Issued
	if *filters == "" {
		issued, err = broker.Issue(file, rest[1:]...)
	} else {
		for _, name := range rest[1:] {
			var one broker.Issued
			if one, err = broker.IssueBridge(file, name, strings.Split(*filters, ",")); err != nil {
				break
			}
			issued = append(issued, one)
		}
	}
	for _, i := range issued {
		if _, werr := fmt.Fprintf(stdout, "%s:%s\n", i.Device, i.Secret); werr != nil {
			return werr
		}
	}
	if errors.Is(err, broker.ErrInvalid) {
		return usagef("%s", err)
	}
	return err
}

func credentialsFile(cfg *config.Config, source string) (string, error) {
	var found []config.Source
	for _, s := range cfg.Sources {
		if s.Type == config.TypeBroker && (source == "" || s.ID == source) {
			found = append(found, s)
		}
	}
	switch {
	case len(found) == 0:
		return "", usagef("%s has no source of type broker with that id", cfg.File)
	case len(found) > 1:
		return "", usagef("%s has several sources of type broker: name one with -source", cfg.File)
	}
	return found[0].CredentialsFile, nil
}

// asRefused makes wrong usage of what was asked for wrongly.
func asRefused(err error) error {
	e, ok := errors.AsType[*city.Error](err)
	if !ok || (e.Kind != city.KindInvalid && e.Kind != city.KindNotFound) {
		return err
	}
	if len(e.Fields) == 0 {
		return usagef("%s", e.Message)
	}
	var lines []string // the message only joins them
	for _, f := range e.Fields {
		lines = append(lines, "-"+f.Field+": "+f.Detail)
	}
	return usagef("%s", strings.Join(lines, "\n"))
}
