package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
)

const deviceUsage = `usage:
  simpang device -config FILE [-source ID] [-unlisted] credentials ID...    new secrets for the built-in broker, printed once
  simpang device -config FILE [-source ID] -filters F,F credentials NAME... the same for bridges
  simpang device -config FILE [-source ID] -revoke credentials ID...        take them back
  simpang device -config FILE [-source ID] -list credentials                who has some
  simpang device -config FILE [-source ID] mosquitto -to DIR [ID...]        the same for Mosquitto, with access rules
  simpang device test [-config FILE] -profile P -hex H -fport N             decode one payload`

// deviceFlags are the flags before the word.
type deviceFlags struct {
	*configFlags
	filters, source        string
	unlisted, list, revoke bool
}

// device makes credentials for the built-in broker or Mosquitto, or decodes one
// payload.
func device(_ context.Context, args []string, stdout, stderr io.Writer) error {
	fs, flags := flagSet("device", stderr)
	f := &deviceFlags{configFlags: flags}
	fs.StringVar(&f.filters, "filters", "", "make a bridge that publishes to these topic `FILTERS`, separated by commas (sg/v1/+/up)")
	fs.StringVar(&f.source, "source", "", "the `ID` of the source, where there are several")
	fs.BoolVar(&f.unlisted, "unlisted", false, "not a word about ids that devices.csv does not have yet")
	fs.BoolVar(&f.list, "list", false, "tell who has credentials")
	fs.BoolVar(&f.revoke, "revoke", false, "take credentials back: whoever is logged in with them is cut")
	if err := parse(fs, args); err != nil {
		return err
	}
	rest := fs.Args()
	if len(rest) == 0 {
		return usagef("%s", deviceUsage)
	}
	switch rest[0] {
	case "test":
		return deviceTest(f.configFlags, rest[1:], stdout, stderr)
	case "mosquitto":
		return deviceMosquitto(f, rest[1:], stdout, stderr)
	case "credentials":
		for _, id := range rest[1:] {
			if strings.HasPrefix(id, "-") {
				return usagef("flags stand before the word credentials: move %s there", id)
			}
		}
		return deviceCredentials(f, rest[1:], stdout, stderr)
	}
	return usagef("%s", deviceUsage)
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
