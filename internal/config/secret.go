package config

import (
	"bytes"
	"fmt"
	"os"
)

// Secret is a text that no log, error or dump shows.
type Secret string

const hidden = "<secret>"

// String returns <secret>.
func (Secret) String() string { return hidden }

// GoString returns <secret>.
func (Secret) GoString() string { return hidden }

// MarshalText returns <secret>; slog and encoders use it.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Reveal returns the secret itself, for the one who must send it.
func (s Secret) Reveal() string { return string(s) }

// ReadSecret reads a secret from its file, without the line end.
func ReadSecret(path string) (Secret, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("secret file: %w", err)
	}
	data = bytes.TrimRight(data, "\r\n")
	if len(data) == 0 {
		return "", fmt.Errorf("secret file %s is empty: write the secret into it", path)
	}
	return Secret(data), nil
}
