// Package config reads the gateway's one configuration file (contract, section
// 5): defaults, then the file, then SIMPANG_* variables, then flags, then
// every check at once. Nothing here opens a file but the configuration itself;
// Check does.
package config

import (
	"net/netip"
	"time"

	"github.com/simpang-id/simpang/internal/inventory"
)

// Fault is one thing that is wrong, with the file and line where it stands.
// Of a value from a variable or a flag, File is its name and Line 0.
type Fault = inventory.Fault

// Config is the whole configuration, complete and checked. Paths are absolute
// or relative to the working directory, not to the file any more.
type Config struct {
	City       City       `yaml:"city"`
	HTTP       HTTP       `yaml:"http"`
	DataDir    string     `yaml:"data_dir" kind:"path"`
	Inventory  string     `yaml:"inventory" kind:"path"`
	Sources    []Source   `yaml:"sources"`
	Influx     []Influx   `yaml:"influx"` // servers that are written to
	Series     string     `yaml:"series"` // the target that answers for readings older than what is kept here; "": none
	Retention  Retention  `yaml:"retention"`
	Complaints Complaints `yaml:"complaints"`
	Log        Log        `yaml:"log"`

	File     string  `yaml:"-"` // as it was named
	Warnings []Fault `yaml:"-"` // what is allowed, and perhaps not meant

	line func(key string) int // of a key in the file
}

// City is which city this is.
type City struct {
	ID         string         `yaml:"id"`          // in URLs of the compatible APIs
	Name       string         `yaml:"name"`        // for people
	Timezone   string         `yaml:"timezone"`    // IANA name
	RegionCode string         `yaml:"region_code"` // of the ministry, 32.75; may be left out
	Zone       *time.Location `yaml:"-"`           // of Timezone
}

// HTTP is the public and the admin listener.
type HTTP struct {
	Listen         string         `yaml:"listen"`       // host:port; port 0 takes a free one
	AdminListen    string         `yaml:"admin_listen"` // metrics and pprof
	TLSCertFile    string         `yaml:"tls_cert_file" kind:"path"`
	TLSKeyFile     string         `yaml:"tls_key_file" kind:"path"`
	TrustedProxies []string       `yaml:"trusted_proxies"` // addresses or networks whose X-Forwarded-For is believed
	RateLimit      int            `yaml:"rate_limit"`      // requests/s an address on the public paths, 0 none
	Trusted        []netip.Prefix `yaml:"-"`               // of TrustedProxies
}

// The types and formats of sources.
const (
	TypeBroker   = "broker"
	TypeMQTT     = "mqtt"
	TypeSerial   = "serial"
	FormatNative = "native"
	FormatFrames = "frames"
	FormatEscpos = "escpos"
	FormatModbus = "modbus"
	FormatTTS    = "tts"
	FormatChirp  = "chirpstack"
	FormatSenML  = "senml"
)

// Source is one source of readings. Keys that its type has no use for are
// refused, so that the rest are zero.
type Source struct {
	ID         string   `yaml:"id"`
	Type       string   `yaml:"type"`        // broker, mqtt, serial
	Format     string   `yaml:"format"`      // native, frames, escpos, modbus, tts, chirpstack, senml
	MaxSilence Duration `yaml:"max_silence"` // readyz tells a source that is silent for longer; 0 never
	MaxAge     Duration `yaml:"max_age"`     // how far behind `at` may be
	MaxAhead   Duration `yaml:"max_ahead"`   // how far ahead `at` may be

	Listen          string `yaml:"listen"`                       // broker: host:port without TLS, "" none
	TLSListen       string `yaml:"tls_listen"`                   // broker: host:port with TLS, "" none
	CredentialsFile string `yaml:"credentials_file" kind:"path"` // broker: device:hash[:filters] a line

	URL          string   `yaml:"url"`                       // mqtt: tcp, ssl, ws or wss
	Topics       []string `yaml:"topics"`                    // mqtt: filters
	ClientID     string   `yaml:"client_id"`                 // mqtt: fixed, the broker keeps its session
	Username     string   `yaml:"username"`                  // mqtt
	PasswordFile string   `yaml:"password_file" kind:"path"` // mqtt
	CAFile       string   `yaml:"ca_file" kind:"path"`       // mqtt
	CertFile     string   `yaml:"cert_file" kind:"path"`     // broker: of tls_listen; mqtt: of the client
	KeyFile      string   `yaml:"key_file" kind:"path"`      // as cert_file

	Port     string `yaml:"port"` // serial: device file, best /dev/serial/by-id/...
	Baud     int    `yaml:"baud"`
	DataBits int    `yaml:"data_bits"`
	Parity   string `yaml:"parity"`    // none, odd, even
	StopBits int    `yaml:"stop_bits"` // 1, 2

	Device        string   `yaml:"device"`                     // escpos: whose print it is, in devices.csv
	TemplatesFile string   `yaml:"templates_file" kind:"path"` // escpos: what its receipts look like
	Idle          Duration `yaml:"idle"`                       // escpos: a receipt ends when nothing came for so long
	MapFile       string   `yaml:"map_file" kind:"path"`       // modbus: units and registers
}

// Retention is how long what is kept.
type Retention struct {
	Journal    Duration `yaml:"journal"`    // day files of the journal, at least until they are archived
	Readings   Duration `yaml:"readings"`   // archived readings without money
	Rollups    Duration `yaml:"rollups"`    // roll-ups of occupancy and traffic
	Stays      Duration `yaml:"stays"`      // stays and silences: days that can still be reconciled
	Money      Duration `yaml:"money"`      // receipts and books
	Quarantine Duration `yaml:"quarantine"` // what was set aside
	Prints     Duration `yaml:"prints"`     // print streams of tills, as they came
}

// Log is how the gateway logs to stderr.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // text, json
}

const day = 24 * time.Hour

// defaults is what holds where neither file, variable nor flag says otherwise.
func defaults() *Config {
	return &Config{
		HTTP: HTTP{Listen: "127.0.0.1:8080", AdminListen: "127.0.0.1:9090", RateLimit: 50},
		Retention: Retention{
			Journal: Duration{7 * day}, Readings: Duration{3 * 365 * day}, Rollups: Duration{10 * 365 * day},
			Stays: Duration{400 * day}, Money: Duration{10 * 365 * day}, Quarantine: Duration{30 * day}, Prints: Duration{30 * day},
		},
		Complaints: defaultComplaints(),
		Log:        Log{Level: "info", Format: "text"},
	}
}

const (
	defaultMaxAge   = 7 * day
	defaultMaxAhead = 5 * time.Minute
	defaultBroker   = "127.0.0.1:1883"
	defaultBaud     = 115200
	defaultTillBaud = 9600 // of tills and of Modbus units
	defaultIdle     = 2 * time.Second
)

// defaultTopics is what a source of each format subscribes to at an outside
// broker; where SenML is published is for no one to say.
var defaultTopics = map[string][]string{
	FormatNative: {"sg/v1/+/up"},
	FormatTTS:    {"v3/+/devices/+/up", "v3/+/devices/+/join"},
	FormatChirp:  {"application/+/device/+/event/+"},
}
