package app_test

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

// configure replaces a part of the configuration file.
func configure(t *testing.T, dir, before, after string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "simpang.yaml"))
	require.NoError(t, err)
	require.Contains(t, string(text), before)
	writeFiles(t, dir, map[string]string{"simpang.yaml": strings.Replace(string(text), before, after, 1)})
}

// TestTheBuiltInBrokerOverTLS: a device logs in over TLS only, and SIGHUP takes
// a new certificate.
func TestTheBuiltInBrokerOverTLS(t *testing.T) {
	pki, renewed := sourcetest.NewPKI(t), sourcetest.NewPKI(t)
	cert, key := pki.Issue(t, "localhost")
	dir := newDir(t)
	configure(t, dir, `listen: "127.0.0.1:0"}]`, fmt.Sprintf(`tls_listen: "127.0.0.1:0", cert_file: %q, key_file: %q}]`, cert, key))
	issued, err := broker.Issue(load(t, dir).Sources[0].CredentialsFile, "d1")
	require.NoError(t, err)
	r := start(t, dir)
	config := func(p *sourcetest.PKI) *tls.Config {
		return &tls.Config{RootCAs: p.Pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	}
	var c *sourcetest.Client
	r.until("the device is logged in", func() bool {
		c = sourcetest.Dial(t, r.at.Brokers["b"], config(pki))
		return c.Hello(sourcetest.Hello{ID: "d1", User: "d1", Secret: issued[0].Secret}).ReasonCode == 0
	})
	c.Publish("sg/v1/d1/up", []byte(reading(1, true)), 1, 7)
	c.Expect(4)
	r.until("the API shows it", func() bool { return r.occupied() == 1 })
	plain := sourcetest.Dial(t, r.at.Brokers["b"], nil)
	require.NoError(t, plain.Write([]byte("\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04name")))
	plain.Ended()

	newCert, newKey := renewed.Issue(t, "localhost")
	for from, to := range map[string]string{newCert: cert, newKey: key} {
		text, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to, text, 0o600))
	}
	r.reload <- struct{}{}
	r.until("the new certificate is shown", func() bool {
		conn, err := (&tls.Dialer{Config: config(renewed)}).DialContext(t.Context(), "tcp", r.at.Brokers["b"])
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	require.NoError(t, r.stop())
}

// TestNoPlateIsOnTheDisk: neither what was taken nor what was set aside leaves
// a plate in any file, the databases' logs included.
func TestNoPlateIsOnTheDisk(t *testing.T) {
	const plate = "B1234ZZZ"
	dir := newDir(t)
	writeFiles(t, dir, storeFiles)
	r := start(t, dir)
	receipt := fmt.Sprintf(`{"kind":"receipt","boot":1,"seq":1,"at":%q,"receipt":"A-1","amount":5000,"method":"cash","class":"car","plate":%q}`, time.Now().Format(time.RFC3339), plate)
	r.publish("m1", receipt)
	r.publish("unknown", receipt)
	r.publish("m1", `{"kind":"receipt","plate":"`+plate+`"`)
	r.until("both are in quarantine", func() bool { return r.value("simpang_quarantine_items") == 2 })
	r.caughtUp()
	look := func() {
		found := 0
		for name := range tree(t, r.cfg.DataDir) {
			for _, suffix := range []string{"", "-wal"} {
				text, err := os.ReadFile(filepath.Join(r.cfg.DataDir, name+suffix))
				if err == nil {
					found++
					require.NotContains(t, string(text), plate, name+suffix)
					require.NotContains(t, string(text), "1234ZZZ", name+suffix)
				}
			}
		}
		require.Greater(t, found, 10)
	}
	look()
	require.NoError(t, r.stop())
	look()
}

// TestAClosureThatRepeatsClosesTheSite: an RRULE of closures.csv, now and not
// now.
func TestAClosureThatRepeatsClosesTheSite(t *testing.T) {
	dir := newDir(t)
	now := time.Now().In(time.FixedZone("WIB", 7*3600))
	begin := now.AddDate(0, 0, -14).Add(-time.Hour) // two weeks ago, the same weekday
	line := func(rule string) string {
		return "site,segment,from,to,rrule,except,reason,places_lost\ns1,," + begin.Format(time.RFC3339) + "," + begin.Add(2*time.Hour).Format(time.RFC3339) + "," + rule + ",,event,\n"
	}
	state := func(r *running) string {
		var s struct {
			Classes []struct {
				State string `json:"state"`
			} `json:"classes"`
		}
		r.get("/v1/parking/sites/s1", "", &s)
		if len(s.Classes) == 0 {
			return ""
		}
		return s.Classes[0].State
	}
	writeFiles(t, dir, map[string]string{"inventory/closures.csv": line("FREQ=WEEKLY")})
	r := start(t, dir)
	r.until("it is closed", func() bool { return state(r) == "closed" })
	writeFiles(t, dir, map[string]string{"inventory/closures.csv": line("FREQ=WEEKLY;INTERVAL=3")})
	r.reload <- struct{}{}
	r.until("not this week", func() bool { return state(r) == "unknown" })
	writeFiles(t, dir, map[string]string{"inventory/closures.csv": line("FREQ=WEEKLY;UNTIL=" + now.AddDate(0, 0, -3).UTC().Format("20060102T150405Z"))})
	r.reload <- struct{}{}
	r.until("not any more", func() bool { return state(r) == "unknown" })
	require.NoError(t, r.stop())
}
