package config

import (
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/strictyaml"
)

var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

const idRule = "use letters A-Z a-z, digits, dot, underscore and hyphen, begin with a letter or digit, 64 at most"

// complete fills in the defaults that depend on other keys.
func (l *loader) complete() {
	l.completeInflux()
	for i := range l.c.Sources {
		s, key := &l.c.Sources[i], sourceKey(i)
		if !l.has(key + "max_age") {
			s.MaxAge = Duration{defaultMaxAge}
		}
		if !l.has(key + "max_ahead") {
			s.MaxAhead = Duration{defaultMaxAhead}
		}
		switch s.Type {
		case TypeBroker:
			s.Format = or(s.Format, FormatNative)
			if !l.has(key+"listen") && s.TLSListen == "" {
				s.Listen = defaultBroker
			}
			if s.CredentialsFile == "" && idPattern.MatchString(s.ID) {
				s.CredentialsFile = filepath.Join(l.c.DataDir, "keys", s.ID+".credentials")
			}
		case TypeMQTT:
			s.Format = or(s.Format, FormatNative)
			s.ClientID = or(s.ClientID, "simpang-"+l.c.City.ID+"-"+s.ID)
			if !l.has(key + "topics") {
				s.Topics = slices.Clone(defaultTopics[s.Format])
			}
		case TypeSerial:
			s.Format, s.Parity = or(s.Format, FormatFrames), or(s.Parity, "none")
			for _, n := range []struct {
				name  string
				value *int
				def   int
			}{{"baud", &s.Baud, baudOf(s.Format)}, {"data_bits", &s.DataBits, 8}, {"stop_bits", &s.StopBits, 1}} {
				if !l.has(key + n.name) {
					*n.value = n.def
				}
			}
			if s.Format == FormatEscpos && !l.has(key+"idle") {
				s.Idle = Duration{defaultIdle}
			}
		}
	}
}

func baudOf(format string) int {
	if format == FormatEscpos || format == FormatModbus {
		return defaultTillBaud
	}
	return defaultBaud
}

func or(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

func (l *loader) validate() {
	l.city()
	l.http()
	for _, key := range []string{"data_dir", "inventory"} {
		if !l.has(key) {
			l.fault(key, "is missing: name a folder")
		}
	}
	if l.c.DataDir == "" {
		l.fault("data_dir", "is empty: name the folder in which the gateway keeps everything")
	}
	if l.c.Inventory == "" {
		l.fault("inventory", "is empty: name the folder with sites.geojson and the other files")
	}
	if l.c.DataDir != "" && filepath.Clean(l.c.DataDir) == filepath.Clean(l.c.Inventory) {
		l.fault("data_dir", "is the inventory's folder: keep the gateway's data in a folder of its own")
	}
	l.sources()
	l.influx()
	l.complaints()
	l.retention()
	l.word("log.level", l.c.Log.Level, "debug", "info", "warn", "error")
	l.word("log.format", l.c.Log.Format, "text", "json")
	l.addresses()
}

func (l *loader) word(key, value string, words ...string) {
	if !slices.Contains(words, value) {
		l.fault(key, "is %q: %s", short(value), strictyaml.Suggest(value, words))
	}
}

func (l *loader) city() {
	c := &l.c.City
	if !l.doc.Has("city") && l.from["city.id"] == "" {
		l.fault("city", "is missing: give it id, name and timezone")
		return
	}
	if !idPattern.MatchString(c.ID) {
		l.fault("city.id", "is %q: give the city an id, %s", short(c.ID), idRule)
	}
	if strings.TrimSpace(c.Name) == "" {
		l.fault("city.name", "is missing: write the city's name for people")
	}
	if c.RegionCode != "" && !idPattern.MatchString(c.RegionCode) {
		l.fault("city.region_code", "is %q: write it like 32.75", short(c.RegionCode))
	}
	if c.Timezone == "" {
		l.fault("city.timezone", "is missing: write an IANA name like Asia/Jakarta")
		return
	}
	zone, err := time.LoadLocation(c.Timezone)
	if err != nil || c.Timezone == "Local" {
		l.fault("city.timezone", "is %q, which no time zone is called: write an IANA name like Asia/Jakarta", short(c.Timezone))
		return
	}
	c.Zone = zone
}

func (l *loader) http() {
	h := &l.c.HTTP
	l.address("http.listen", h.Listen)
	l.address("http.admin_listen", h.AdminListen)
	if host, _, err := net.SplitHostPort(h.AdminListen); err == nil && !loopback(host) {
		l.warn("http.admin_listen", "is %s: metrics and pprof are open to every machine that reaches it, 127.0.0.1:9090 is not", h.AdminListen)
	}
	l.pair("http.tls_cert_file", h.TLSCertFile, "http.tls_key_file", h.TLSKeyFile)
	if h.RateLimit < 0 || h.RateLimit > 1_000_000 {
		l.fault("http.rate_limit", "is %d: write requests a second an address, 0 for none", h.RateLimit)
	}
	h.Trusted = nil
	for i, text := range h.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			var addr netip.Addr
			if addr, err = netip.ParseAddr(text); err == nil {
				prefix, err = addr.Prefix(addr.BitLen())
			}
		}
		if err != nil {
			key := "http.trusted_proxies[" + strconv.Itoa(i) + "]"
			if name := l.from["http.trusted_proxies"]; name != "" {
				l.from[key] = name
			}
			l.fault(key, "is %q: write an address or a network, like 10.0.0.1 or 10.0.0.0/8", short(text))
			continue
		}
		h.Trusted = append(h.Trusted, prefix.Masked())
	}
}

// address checks host:port.
func (l *loader) address(key, text string) {
	host, port, err := net.SplitHostPort(text)
	n, perr := strconv.ParseUint(port, 10, 16)
	if err != nil || perr != nil || n > 65535 || strings.ContainsAny(host, " /") {
		l.fault(key, "is %q: write host:port, like 127.0.0.1:8080", short(text))
	}
}

// pair checks that two keys come together.
func (l *loader) pair(keyA, a, keyB, b string) {
	if a != "" && b == "" {
		l.fault(keyA, "stands alone: name %s too, or remove it", keyB)
	}
	if a == "" && b != "" {
		l.fault(keyB, "stands alone: name %s too, or remove it", keyA)
	}
}

func (l *loader) retention() {
	r := &l.c.Retention
	for _, k := range []struct {
		key  string
		span Duration
		low  time.Duration
	}{
		{"retention.journal", r.Journal, 2 * day},
		{"retention.readings", r.Readings, day},
		{"retention.rollups", r.Rollups, day},
		{"retention.stays", r.Stays, 30 * day},
		{"retention.money", r.Money, 365 * day},
		{"retention.quarantine", r.Quarantine, day},
		{"retention.prints", r.Prints, day},
	} {
		if k.span.Duration%day != 0 {
			l.fault(k.key, "is %s: write whole days, like 30d", k.span)
		} else if k.span.Duration < k.low {
			l.fault(k.key, "is %s: keep at least %s", k.span, Duration{k.low})
		}
	}
	if r.Money.Duration < 3650*day && r.Money.Duration >= 365*day {
		l.warn("retention.money", "is %s: books are usually kept for ten years (3650d), ask the auditor", r.Money)
	}
}

// addresses checks that no two listeners want the same address.
func (l *loader) addresses() {
	seen := map[string]string{}
	claim := func(key, address string) {
		_, port, err := net.SplitHostPort(address)
		if err != nil || port == "0" {
			return
		}
		if other, ok := seen[address]; ok {
			l.fault(key, "is %s, which %s listens on already: give each its own port", address, other)
			return
		}
		seen[address] = key
	}
	claim("http.listen", l.c.HTTP.Listen)
	claim("http.admin_listen", l.c.HTTP.AdminListen)
	for i := range l.c.Sources {
		claim(sourceKey(i)+"listen", l.c.Sources[i].Listen)
		claim(sourceKey(i)+"tls_listen", l.c.Sources[i].TLSListen)
	}
}
