package mqtt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
)

// password reads the password file.
func (s *Source) password() (string, error) {
	if s.o.PasswordFile == "" {
		return "", nil
	}
	data, err := os.ReadFile(s.o.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("read password_file: %w", err)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// tlsConfig reads the authorities and the certificate of the client.
func (s *Source) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.o.CAFile != "" {
		data, err := os.ReadFile(s.o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read ca_file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("ca_file %s has no certificate; it must be PEM", s.o.CAFile)
		}
	}
	if s.o.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(s.o.CertFile, s.o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read cert_file and key_file: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// dial opens the network connection.
func (s *Source) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.ConnectTimeout)
	defer cancel()
	var config *tls.Config
	if schemes[u.Scheme] {
		var err error
		if config, err = s.tlsConfig(); err != nil {
			return nil, err
		}
	}
	var dialer net.Dialer
	switch {
	case u.Scheme == "ws", u.Scheme == "wss":
		return dialWebsocket(ctx, u, config)
	case config != nil:
		return (&tls.Dialer{Config: config, NetDialer: &dialer}).DialContext(ctx, "tcp", hostPort(u, "8883"))
	}
	return dialer.DialContext(ctx, "tcp", hostPort(u, "1883"))
}

func hostPort(u *url.URL, port string) string {
	if u.Port() != "" {
		port = u.Port()
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// explain adds what a person should do about a connection that failed.
func (s *Source) explain(err error) error {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	text := err.Error()
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%w; give the broker's authority as ca_file", err)
	case errors.As(err, &host):
		return fmt.Errorf("%w; the url must name the broker as its certificate does", err)
	case strings.Contains(text, "not Authorized"), strings.Contains(text, "bad user name or password"):
		return fmt.Errorf("%w: the broker refuses user %q; check username and password_file", err, s.o.Username)
	case strings.Contains(text, "certificate required"):
		return fmt.Errorf("%w: the broker wants a certificate; give cert_file and key_file", err)
	case strings.Contains(text, "identifier rejected"):
		return fmt.Errorf("%w: the broker refuses client_id %q", err, s.o.ClientID)
	}
	return err
}
