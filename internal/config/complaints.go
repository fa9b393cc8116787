package config

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/outbox"
	"github.com/simpang-id/simpang/internal/strictyaml"
)

// Complaints is the register and the city's own system behind it.
type Complaints struct {
	Endpoint       string   `yaml:"endpoint"`             // of the city's Open311 service, up to and with /v2; "": none
	KeyFile        string   `yaml:"key_file" kind:"path"` // their api_key for us
	JurisdictionID string   `yaml:"jurisdiction_id"`      // where they serve several; also of our own Open311 face, default city.id
	Confidential   bool     `yaml:"confidential"`         // it may get what is about money, without amounts and operators
	PlainHTTP      bool     `yaml:"plain_http"`           // allow http:// to another machine
	Format         string   `yaml:"format"`               // json, xml: what they are asked for
	Codes          Codes    `yaml:"codes"`                // our service -> their service_code; what is not in it has the same in both
	Interval       Duration `yaml:"interval"`             // between two rounds of pulling
	Rate           int      `yaml:"rate"`                 // calls a minute at most
	Timeout        Duration `yaml:"timeout"`              // of one call

	From         string   `yaml:"from"`          // the least severity of an anomaly that becomes a complaint: low, medium, high
	Limit        int      `yaml:"limit"`         // new complaints out of anomalies, an agency and working day
	Gather       Duration `yaml:"gather"`        // anomalies that come within it may be filed as one
	Digest       int      `yaml:"digest"`        // so many of one rule, agency and kecamatan are
	ReopenDays   int      `yaml:"reopen_days"`   // working days after its end in which an anomaly that comes again reopens a complaint
	PersonalData Duration `yaml:"personal_data"` // kept after the end of a complaint
	PhotoMiB     int      `yaml:"photo_mib"`     // all photos together
}

// Codes are service codes of ours with theirs.
type Codes map[string]string

func defaultComplaints() Complaints {
	return Complaints{
		Format: "json", Interval: Duration{5 * time.Minute}, Rate: 60, Timeout: Duration{30 * time.Second},
		From: "medium", Limit: 10, Gather: Duration{10 * time.Minute}, Digest: 3, ReopenDays: 10, PersonalData: Duration{180 * day}, PhotoMiB: 1024,
	}
}

func (l *loader) complaints() {
	c := &l.c.Complaints
	if c.Endpoint != "" {
		if err := outbox.CheckURL(c.Endpoint, c.PlainHTTP); err != nil {
			l.fault("complaints.endpoint", "cannot be used: %v", err)
		}
	}
	l.pair("complaints.endpoint", c.Endpoint, "complaints.key_file", c.KeyFile)
	if c.Confidential && c.Endpoint == "" {
		l.fault("complaints.confidential", "stands alone: name complaints.endpoint too, or remove it")
	}
	if len(c.Codes) > 0 && c.Endpoint == "" {
		l.fault("complaints.codes", "stands alone: name complaints.endpoint too, or remove it")
	}
	for _, ours := range slices.Sorted(maps.Keys(c.Codes)) {
		if theirs := c.Codes[ours]; theirs == "" || len(theirs) > 255 || strings.ContainsFunc(theirs, func(r rune) bool { return r <= ' ' || r == ',' || r == 0x7f }) {
			l.fault("complaints.codes."+ours, "%q is no service_code: write theirs as their /services lists it, without blanks and commas", theirs)
		}
	}
	l.word("complaints.format", c.Format, "json", "xml")
	l.word("complaints.from", c.From, "low", "medium", "high")
	for _, n := range []struct {
		key         string
		value       int
		least, most int
	}{
		{"rate", c.Rate, 1, 600}, {"limit", c.Limit, 1, 1000}, {"digest", c.Digest, 2, 1000}, {"reopen_days", c.ReopenDays, 1, 90}, {"photo_mib", c.PhotoMiB, 1, 1 << 20},
	} {
		if n.value < n.least || n.value > n.most {
			l.fault("complaints."+n.key, "is %d: write a number from %d to %d", n.value, n.least, n.most)
		}
	}
	for _, d := range []struct {
		key         string
		span        Duration
		least, most time.Duration
	}{
		{"interval", c.Interval, time.Second, day},
		{"timeout", c.Timeout, time.Second, 5 * time.Minute},
		{"gather", c.Gather, time.Second, day},
		{"personal_data", c.PersonalData, day, 3650 * day},
	} {
		if d.span.Duration < d.least || d.span.Duration > d.most {
			l.fault("complaints."+d.key, "is %s: write a span from %s to %s", d.span, Duration{d.least}, Duration{d.most})
		}
	}
}

// CheckCodes tells which services of complaints.codes the inventory does not
// have.
func (c *Config) CheckCodes(v *inventory.Version) (faults []Fault) {
	known := make([]string, len(v.Services))
	for i := range v.Services {
		known[i] = v.Services[i].Code
	}
	for _, ours := range slices.Sorted(maps.Keys(c.Complaints.Codes)) {
		if slices.Contains(known, ours) {
			continue
		}
		instead := "it has " + strings.Join(known, ", ")
		if near := strictyaml.Nearest(ours, known); near != "" {
			instead = "did you mean " + near + "?"
		}
		f := Fault{File: c.File, Message: "complaints.codes." + ours + " is no service of agencies.yaml: " + instead}
		if c.line != nil {
			f.Line = c.line("complaints.codes." + ours)
		}
		faults = append(faults, f)
	}
	return faults
}
