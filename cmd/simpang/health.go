package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/simpang-id/simpang/internal/config"
)

// health asks the gateway of this configuration whether it lives, for the
// health check of a container that has no other program: exit 0 it does.
func health(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs, flags := flagSet("health", stderr)
	ready := fs.Bool("ready", false, "ask /readyz, whether it can take readings and answer, and print the reasons if not")
	timeout := fs.Duration("timeout", 5*time.Second, "how long to wait for the answer")
	if err := parseAll(fs, args); err != nil {
		return err
	}
	cfg, err := flags.load()
	if err != nil {
		return err
	}
	path := "/healthz"
	if *ready {
		path = "/readyz"
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	return ask(ctx, cfg.HTTP, path, stdout)
}

// ask writes the answer of a path of the gateway's own API; any status but 200
// is an error.
func ask(ctx context.Context, h config.HTTP, path string, stdout io.Writer) error {
	const most = 64 << 10 // bytes of an answer that are shown
	host, port, err := net.SplitHostPort(h.Listen)
	if err != nil || port == "0" {
		return usagef("http.listen is %q: give it a port that can be asked", h.Listen)
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = ""
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	scheme := "http"
	if h.TLSCertFile != "" {
		scheme = "https"
		if transport.TLSClientConfig, err = ourselves(h.TLSCertFile); err != nil {
			return err
		}
	}
	url := scheme + "://" + net.JoinHostPort(cmp.Or(host, "localhost"), port) + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("http.listen: %w", err)
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(stdout, io.LimitReader(resp.Body, most)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", path, resp.Status)
	}
	return nil
}

// ourselves trusts the one certificate that the gateway serves: its name need
// not be the address under which it is asked, nor its authority be known here.
func ourselves(file string) (*tls.Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("http.tls_cert_file: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("http.tls_cert_file: %s has no certificate", file)
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // compared byte for byte below
		VerifyConnection: func(s tls.ConnectionState) error {
			if !bytes.Equal(s.PeerCertificates[0].Raw, block.Bytes) {
				return errors.New("who answers has another certificate than http.tls_cert_file: another program, or a certificate that was renewed and not taken yet")
			}
			return nil
		},
	}, nil
}
