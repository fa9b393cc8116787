package config

import (
	"time"

	"github.com/simpang-id/simpang/internal/outbox"
)

// Complaints is the register and the city's own system behind it.
type Complaints struct {
	Endpoint       string   `yaml:"endpoint"`             // of the city's Open311 service, up to and with /v2; "": none
	KeyFile        string   `yaml:"key_file" kind:"path"` // their api_key for us
	JurisdictionID string   `yaml:"jurisdiction_id"`      // where they serve several; also of our own Open311 face, default city.id
	Confidential   bool     `yaml:"confidential"`         // it may get what is about money, without amounts and operators
	PlainHTTP      bool     `yaml:"plain_http"`           // allow http:// to another machine
	Format         string   `yaml:"format"`               // json, xml: what they are asked for
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
