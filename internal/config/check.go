package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/source/broker"
)

// CheckFile is Load and Check in one: it tells the faults of the configuration,
// and those of all that it names as far as the names could be read, at once.
// Where the inventory's folder or the city's time zone is not known, the
// inventory waits.
func CheckFile(path string, env []string, overrides map[string]string) (faults, warnings []Fault) {
	data, faults := read(path)
	if len(faults) > 0 {
		return faults, nil
	}
	l, whole := parse(path, data, env, overrides)
	if !whole {
		return l.faults, nil
	}
	more, warnings := check(l.c, l.isBad)
	return append(l.faults, more...), warnings
}

// Check looks at what a configuration names: folders, files of keys, secrets
// and credentials, and the whole inventory. It writes nothing. The inventory's
// warnings are added to those of the configuration.
func Check(c *Config) (faults, warnings []Fault) {
	return check(c, func(string) bool { return false })
}

func check(c *Config, isBad func(key string) bool) (faults, warnings []Fault) {
	k := &checker{c: c, isBad: isBad, warnings: c.Warnings}
	if !isBad("data_dir") {
		k.folder()
	}
	k.certificate("http.tls_cert_file", c.HTTP.TLSCertFile, c.HTTP.TLSKeyFile)
	if c.Complaints.KeyFile != "" && !isBad("complaints.key_file") {
		if _, err := ReadSecret(c.Complaints.KeyFile); err != nil {
			k.fault("complaints.key_file", "%v: mend the file or its rights", err)
		}
	}
	for i := range c.Influx {
		t, key := &c.Influx[i], influxKey(i)
		k.authorities(key+"ca_file", t.CAFile)
		if t.TokenFile == "" {
			continue
		}
		if _, err := ReadSecret(t.TokenFile); err != nil {
			k.fault(key+"token_file", "%v: mend the file or its rights", err)
		}
	}
	for i := range c.Sources {
		s, key := &c.Sources[i], sourceKey(i)
		k.certificate(key+"cert_file", s.CertFile, s.KeyFile)
		k.authorities(key+"ca_file", s.CAFile)
		if s.PasswordFile != "" {
			if _, err := ReadSecret(s.PasswordFile); err != nil {
				k.fault(key+"password_file", "%v: mend the file or its rights", err)
			}
		}
		if s.Type == TypeBroker && s.CredentialsFile != "" && !isBad(key+"credentials_file") {
			k.credentials(key+"credentials_file", s.CredentialsFile)
		}
		k.tables(s, key)
		if s.Port != "" {
			if _, err := os.Stat(s.Port); err != nil {
				k.warnings = append(k.warnings, Fault{File: c.File, Message: fmt.Sprintf("%sport %s is not there now (%v): plug it in, the gateway waits for it", key, s.Port, err)})
			}
		}
	}
	if isBad("inventory") || isBad("city.timezone") || c.City.Zone == nil {
		return k.faults, k.warnings
	}
	v, found, err := inventory.Load(c.Inventory, c.City.Zone)
	if err != nil {
		k.fault("inventory", "cannot be read (%v): name the folder with sites.geojson and the other files", err)
	}
	k.faults = append(k.faults, found...)
	if v != nil {
		k.inventoried(v)
		for _, f := range c.CheckCodes(v) {
			if !isBad("complaints.codes") {
				k.faults = append(k.faults, f)
			}
		}
		for _, w := range v.Warnings {
			w.File = filepath.Join(c.Inventory, w.File)
			k.warnings = append(k.warnings, w)
		}
	}
	return k.faults, k.warnings
}

type checker struct {
	c        *Config
	isBad    func(key string) bool // it has a fault already, which is enough
	faults   []Fault
	warnings []Fault
}

func (k *checker) fault(key, format string, args ...any) {
	if k.isBad(key) {
		return
	}
	k.faults = append(k.faults, Fault{File: k.c.File, Line: k.c.line(key), Message: key + " " + fmt.Sprintf(format, args...)})
}

// folder checks that data_dir is there and writable, or can be made.
func (k *checker) folder() {
	dir := k.c.DataDir
	for {
		info, err := os.Stat(dir)
		switch {
		case err == nil && !info.IsDir():
			k.fault("data_dir", "%s is no folder: name another", dir)
			return
		case err == nil:
			if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
				k.fault("data_dir", "%s cannot be written (%v): give the gateway's user the right to, or name another", dir, err)
			}
			return
		case !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir:
			k.fault("data_dir", "%s cannot be used (%v): name another", dir, err)
			return
		}
		dir = filepath.Dir(dir)
	}
}

// credentials checks every line of a broker's credentials, if it has any yet.
func (k *checker) credentials(key, file string) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		k.fault(key, "cannot be read (%v): mend its rights", err)
		return
	}
	_, found := broker.ParseCredentials(data)
	for _, f := range found {
		k.faults = append(k.faults, Fault{File: file, Line: f.Line, Message: f.Message})
	}
}

func (k *checker) certificate(key, cert, private string) {
	if cert == "" || private == "" {
		return
	}
	if _, err := tls.LoadX509KeyPair(cert, private); err != nil {
		k.fault(key, "and its key cannot be used (%v): name a PEM certificate and the key that belongs to it", err)
	}
}

func (k *checker) authorities(key, file string) {
	if file == "" {
		return
	}
	data, err := os.ReadFile(file)
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(data) {
		err = errors.New("no PEM certificate in it")
	}
	if err != nil {
		k.fault(key, "cannot be used (%v): name a file of PEM certificates", err)
	}
}
