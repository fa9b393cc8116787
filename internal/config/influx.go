package config

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// What a target of influx may be written.
const (
	InfluxReadings = "readings" // what devices measured
	InfluxRollups  = "rollups"  // five minutes of sites and segments
	InfluxBooks    = "books"    // entries of the books, and receipts
)

// SeriesInflux is the value of `series` that reads back from the only target.
const SeriesInflux = "influx"

// Influx is one server with InfluxDB's v2 write API that is written to.
type Influx struct {
	ID        string   `yaml:"id"`
	URL       string   `yaml:"url"` // http or https, without a path of the API
	Org       string   `yaml:"org"`
	Bucket    string   `yaml:"bucket"`                 // of InfluxDB 1.8: database/retention policy
	Gateway   string   `yaml:"gateway"`                // the tag that tells several gateways in a bucket apart; default city.id
	TokenFile string   `yaml:"token_file" kind:"path"` // "": none
	CAFile    string   `yaml:"ca_file" kind:"path"`
	PlainHTTP bool     `yaml:"plain_http"` // allow http:// to another machine
	Timeout   Duration `yaml:"timeout"`    // of one request
	Gzip      bool     `yaml:"gzip"`
	What      []string `yaml:"what"`      // readings, rollups, books
	HoldDays  int      `yaml:"hold_days"` // days that the journal is kept longer for a target that is behind
	Rate      int      `yaml:"rate"`      // points/s at most, of all streams together, 0: no bound
}

var influxWhat = []string{InfluxReadings, InfluxRollups, InfluxBooks}

const (
	defaultHoldDays      = 30
	defaultInfluxTimeout = 10 * time.Second
)

func influxKey(i int) string { return "influx[" + strconv.Itoa(i) + "]." }

// completeInflux fills in the defaults of the targets.
func (l *loader) completeInflux() {
	for i := range l.c.Influx {
		t, key := &l.c.Influx[i], influxKey(i)
		t.Gateway = or(t.Gateway, l.c.City.ID)
		if !l.has(key + "gzip") {
			t.Gzip = true
		}
		if !l.has(key + "what") {
			t.What = slices.Clone(influxWhat)
		}
		if !l.has(key + "hold_days") {
			t.HoldDays = defaultHoldDays
		}
		if !l.has(key + "timeout") {
			t.Timeout = Duration{defaultInfluxTimeout}
		}
	}
}

func (l *loader) influx() {
	ids, places := map[string]int{}, map[string]int{}
	for i := range l.c.Influx {
		t, key := &l.c.Influx[i], influxKey(i)
		l.target(t, key)
		if first, ok := ids[t.ID]; ok && t.ID != "" {
			l.fault(key+"id", "is %s, as that of influx[%d]: give each target its own", t.ID, first)
		}
		place := t.URL + " " + t.Org + " " + t.Bucket + " " + t.Gateway
		if first, ok := places[place]; ok && t.URL != "" {
			l.fault(key+"url", "with the same org, bucket and gateway is influx[%d] already: one target writes all", first)
		}
		ids[t.ID], places[place] = i, i
	}
	l.seriesFrom()
}

func (l *loader) target(t *Influx, key string) {
	if !idPattern.MatchString(t.ID) {
		l.fault(key+"id", "is %q: give the target an id, %s", short(t.ID), idRule)
	}
	if !idPattern.MatchString(t.Gateway) {
		l.fault(key+"gateway", "is %q: name this gateway, %s", short(t.Gateway), idRule)
	}
	u, err := url.Parse(t.URL)
	switch {
	case t.URL == "":
		l.fault(key+"url", "is missing: write the server's address, like https://influx.example.go.id:8086")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		l.fault(key+"url", "is %q: write it like https://influx.example.go.id:8086", short(t.URL))
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		l.fault(key+"url", "holds more than scheme, host and path: the token belongs in token_file")
	case u.Scheme == "http" && !t.PlainHTTP && !loopback(u.Hostname()):
		l.fault(key+"url", "is http://, which would send token and data in the clear: use https://, or allow it with plain_http: true")
	}
	if t.Bucket == "" {
		l.fault(key+"bucket", "is missing: name the bucket; of InfluxDB 1.8 that is database/retention policy, like simpang/autogen")
	}
	if t.Timeout.Duration < time.Second || t.Timeout.Duration > 5*time.Minute {
		l.fault(key+"timeout", "is %s: write a span from 1s to 5m", t.Timeout)
	}
	if len(t.What) == 0 {
		l.fault(key+"what", "is empty: write some of readings, rollups, books")
	}
	for _, word := range t.What {
		l.word(key+"what", word, influxWhat...)
	}
	if t.HoldDays < 2 || t.HoldDays > 3650 {
		l.fault(key+"hold_days", "is %d: write a number of days from 2 to 3650", t.HoldDays)
	}
	if t.Rate < 0 || t.Rate > 0 && t.Rate < 100 {
		l.fault(key+"rate", "is %d: write points a second, 100 at least, or 0 for no bound", t.Rate)
	}
}

// seriesFrom checks that series names a target that holds readings.
func (l *loader) seriesFrom() {
	name := l.c.Series
	if name == "" {
		return
	}
	if name == SeriesInflux && len(l.c.Influx) > 1 && !slices.ContainsFunc(l.c.Influx, func(t Influx) bool { return t.ID == name }) {
		l.fault("series", "is influx, and there are %d targets: name the id of one", len(l.c.Influx))
		return
	}
	t := l.c.SeriesTarget()
	switch {
	case t == nil:
		l.fault("series", "is %q, which is no target of influx: name the id of one", short(name))
	case !slices.Contains(t.What, InfluxReadings):
		l.fault("series", "names %s, to which no readings are written: add readings to its what", t.ID)
	}
}

// SeriesTarget is the target from which history is read back, nil: none.
func (c *Config) SeriesTarget() *Influx {
	for i := range c.Influx {
		if t := &c.Influx[i]; c.Series == t.ID || c.Series == SeriesInflux && len(c.Influx) == 1 {
			return t
		}
	}
	return nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
