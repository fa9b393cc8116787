package config

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/strictyaml"
)

func sourceKey(i int) string { return "sources[" + strconv.Itoa(i) + "]." }

var (
	sourceTypes = []string{TypeBroker, TypeMQTT, TypeSerial}
	commonKeys  = []string{"id", "type", "format", "max_silence", "max_age", "max_ahead"}
	keysOf      = map[string][]string{ // beside the common ones
		TypeBroker: {"listen", "tls_listen", "cert_file", "key_file", "credentials_file"},
		TypeMQTT:   {"url", "topics", "client_id", "username", "password_file", "ca_file", "cert_file", "key_file"},
		TypeSerial: {"port", "baud", "data_bits", "parity", "stop_bits", "device", "templates_file", "idle", "map_file"},
	}
	keysOfFormat = map[string]string{"device": FormatEscpos, "templates_file": FormatEscpos, "idle": FormatEscpos, "map_file": FormatModbus} // of a serial line
	formatsOf    = map[string][]string{TypeBroker: {FormatNative, FormatTTS, FormatChirp, FormatSenML}, TypeMQTT: {FormatNative, FormatTTS, FormatChirp, FormatSenML}, TypeSerial: {FormatFrames, FormatEscpos, FormatModbus}}
	bauds        = []int{
		50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800,
		500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000,
	}
)

func (l *loader) sources() {
	if len(l.c.Sources) == 0 {
		what := "is missing"
		if l.has("sources") {
			what = "is empty"
		}
		l.fault("sources", "%s: without a source nothing is measured, add one, like {id: broker, type: broker}", what)
	}
	ids, ports, clients := map[string]int{}, map[string]int{}, map[string]int{}
	for i := range l.c.Sources {
		s, key := &l.c.Sources[i], sourceKey(i)
		l.source(s, key)
		if first, ok := ids[s.ID]; ok && s.ID != "" {
			l.fault(key+"id", "is %s, as that of sources[%d]: give each source its own", s.ID, first)
		}
		if first, ok := ports[s.Port]; ok && s.Port != "" {
			l.fault(key+"port", "is %s, which sources[%d] reads already: name another", s.Port, first)
		}
		if first, ok := clients[s.URL+" "+s.ClientID]; ok && s.URL != "" {
			l.fault(key+"client_id", "is %s, as that of sources[%d] at the same broker, which would throw each other out: give each its own", s.ClientID, first)
		}
		ids[s.ID], ports[s.Port], clients[s.URL+" "+s.ClientID] = i, i, i
	}
}

func (l *loader) source(s *Source, key string) {
	if !idPattern.MatchString(s.ID) {
		l.fault(key+"id", "is %q: give the source an id, %s", short(s.ID), idRule)
	}
	if !slices.Contains(sourceTypes, s.Type) {
		if s.Type == "" && !l.has(key+"type") {
			l.fault(key+"type", "is missing: write broker, mqtt or serial")
		} else {
			l.word(key+"type", s.Type, sourceTypes...)
		}
		return
	}
	l.foreignKeys(s, key)
	switch {
	case slices.Contains(formatsOf[s.Type], s.Format):
	default:
		l.fault(key+"format", "is %q, which a source of type %s does not speak: %s", short(s.Format), s.Type, strictyaml.Suggest(s.Format, formatsOf[s.Type]))
	}
	if s.MaxAge.Duration < time.Minute {
		l.fault(key+"max_age", "is %s: give readings at least 1m to arrive", s.MaxAge)
	}
	if s.MaxAhead.Duration > day {
		l.fault(key+"max_ahead", "is %s: readings from further ahead than 1d would be taken for the present", s.MaxAhead)
	}
	switch s.Type {
	case TypeBroker:
		l.broker(s, key)
	case TypeMQTT:
		l.mqtt(s, key)
	case TypeSerial:
		l.serial(s, key)
	}
}

// foreignKeys refuses keys that another type of source has.
func (l *loader) foreignKeys(s *Source, key string) {
	for _, kind := range sourceTypes {
		for _, name := range keysOf[kind] {
			if !slices.Contains(keysOf[s.Type], name) && l.has(key+name) {
				l.fault(key+name, "means nothing to a source of type %s: remove it (known: %s)", s.Type, strings.Join(slices.Concat(commonKeys, keysOf[s.Type]), ", "))
			}
		}
	}
}

func (l *loader) broker(s *Source, key string) {
	if s.Listen == "" && s.TLSListen == "" {
		l.fault(key+"listen", "is empty, and so is tls_listen: give the broker an address, like 127.0.0.1:1883")
	}
	if s.Listen != "" {
		l.address(key+"listen", s.Listen)
	}
	l.pair(key+"cert_file", s.CertFile, key+"key_file", s.KeyFile)
	if s.TLSListen != "" {
		l.address(key+"tls_listen", s.TLSListen)
		if s.CertFile == "" && s.KeyFile == "" {
			l.fault(key+"tls_listen", "needs a certificate: name cert_file and key_file")
		}
	} else if s.CertFile != "" {
		l.fault(key+"cert_file", "has no use without tls_listen: name tls_listen too, or remove it")
	}
	if host, _, ok := strings.Cut(s.Listen, ":"); ok && s.Listen != "" && !loopback(host) {
		l.warn(key+"listen", "is %s: devices' secrets cross the network in the clear, tls_listen keeps them", s.Listen)
	}
}

var mqttSchemes = []string{"tcp", "ssl", "ws", "wss"}

func (l *loader) mqtt(s *Source, key string) {
	u, err := url.Parse(s.URL)
	switch {
	case s.URL == "":
		l.fault(key+"url", "is missing: write the broker's address, like ssl://broker.example:8883")
		return
	case err != nil || !slices.Contains(mqttSchemes, u.Scheme) || u.Hostname() == "":
		l.fault(key+"url", "is no broker's address: write it like tcp://host:1883, ssl://host:8883, ws://host/mqtt or wss://host/mqtt")
		return
	case u.User != nil:
		l.fault(key+"url", "holds a user or password: move them to username and password_file")
		return
	}
	secure := u.Scheme == "ssl" || u.Scheme == "wss"
	if !secure {
		for _, k := range [][2]string{{"ca_file", s.CAFile}, {"cert_file", s.CertFile}, {"key_file", s.KeyFile}} {
			if k[1] != "" {
				l.fault(key+k[0], "has no use with %s://: use ssl:// or wss://, or remove it", u.Scheme)
			}
		}
		if s.PasswordFile != "" && !loopback(u.Hostname()) {
			l.warn(key+"url", "sends the password in the clear: ssl:// keeps it")
		}
	}
	l.pair(key+"cert_file", s.CertFile, key+"key_file", s.KeyFile)
	if s.PasswordFile != "" && s.Username == "" {
		l.fault(key+"password_file", "stands without username: name it too")
	}
	if len(s.ClientID) > 256 || strings.ContainsFunc(s.ClientID, func(r rune) bool { return r < ' ' }) {
		l.fault(key+"client_id", "is too long or has control characters: write a short fixed name")
	}
	if len(s.Topics) == 0 {
		l.fault(key+"topics", "is empty: name at least one filter, like sg/v1/+/up")
	}
	for i, topic := range s.Topics {
		if !validFilter(topic) {
			at := key + "topics[" + strconv.Itoa(i) + "]"
			if name := l.from[key+"topics"]; name != "" {
				l.from[at] = name
			}
			l.fault(at, "is %q, which is no topic filter: + stands for a whole level, # for the rest at the end", short(topic))
		}
	}
}

// validFilter checks a topic filter (MQTT 3.1.1, section 4.7.1).
func validFilter(filter string) bool {
	if filter == "" || len(filter) > 65535 || strings.ContainsRune(filter, 0) {
		return false
	}
	levels := strings.Split(filter, "/")
	for i, level := range levels {
		if strings.Contains(level, "#") && (level != "#" || i != len(levels)-1) {
			return false
		}
		if strings.Contains(level, "+") && level != "+" {
			return false
		}
	}
	return true
}

func (l *loader) serial(s *Source, key string) {
	if s.Port == "" {
		l.fault(key+"port", "is missing: name the device file, best one of /dev/serial/by-id")
	}
	if !slices.Contains(bauds, s.Baud) {
		l.fault(key+"baud", "is %d, which serial lines do not have: use 9600 or 115200, for example", s.Baud)
	}
	if s.DataBits < 5 || s.DataBits > 8 {
		l.fault(key+"data_bits", "is %d: write 5, 6, 7 or 8", s.DataBits)
	}
	l.word(key+"parity", s.Parity, "none", "odd", "even")
	if s.StopBits != 1 && s.StopBits != 2 {
		l.fault(key+"stop_bits", "is %d: write 1 or 2", s.StopBits)
	}
	for _, name := range slices.Sorted(maps.Keys(keysOfFormat)) {
		if format := keysOfFormat[name]; s.Format != format && l.has(key+name) {
			l.fault(key+name, "means nothing to format %s: remove it, or write format: %s", s.Format, format)
		}
	}
	switch s.Format {
	case FormatEscpos:
		if !idPattern.MatchString(s.Device) {
			l.fault(key+"device", "is %q: name the till's id in devices.csv, whose receipts these are", short(s.Device))
		}
		if s.TemplatesFile == "" {
			l.fault(key+"templates_file", "is missing: name a file of templates, configs/templates/parkir.yaml is one to begin with")
		}
		if s.Idle.Duration < 500*time.Millisecond || s.Idle.Duration > time.Minute {
			l.fault(key+"idle", "is %s: write 500ms to 1m", s.Idle)
		}
	case FormatModbus:
		if s.MapFile == "" {
			l.fault(key+"map_file", "is missing: name a file of units and registers, configs/maps/example.yaml shows one")
		}
	}
}
