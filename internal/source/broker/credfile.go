package broker

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/keys"
)

// ErrInvalid says that an id or a filter cannot be what was asked for.
var ErrInvalid = errors.New("not valid")

// Issued is a credential that was just made; Secret is kept nowhere else.
type Issued struct {
	Device string
	Secret string
}

// Issue makes a new secret for each device and writes the hashes into the
// credentials file at path, which is made where it is missing. A device that
// is there keeps its filters, its old secret ends; all other lines stay as they
// are. The file is replaced atomically, fsynced, mode 0600; two calls at once
// wait for each other. A running broker takes it up within seconds.
func Issue(path string, devices ...string) ([]Issued, error) {
	for _, device := range devices {
		if !validDevice(device) {
			return nil, fmt.Errorf("%w: %q cannot be a device id: it is 1 to %d bytes without blanks and none of / + # : ,", ErrInvalid, device, maxDevice)
		}
	}
	unlock, err := keys.Lock(path)
	if err != nil {
		return nil, err
	}
	defer unlock()
	issued := make([]Issued, 0, len(devices))
	err = editFile(path, func(lines []string) []string {
		for _, device := range devices {
			secret := NewSecret()
			issued = append(issued, Issued{Device: device, Secret: secret})
			lines = replaceLine(lines, device, HashSecret(secret))
		}
		return lines
	})
	if err != nil {
		return nil, err
	}
	return issued, nil
}

// Revoke removes devices from the credentials file at path, written as Issue
// does. It returns those that were in it.
func Revoke(path string, devices ...string) (removed []string, err error) {
	unlock, err := keys.Lock(path)
	if err != nil {
		return nil, err
	}
	defer unlock()
	err = editFile(path, func(lines []string) []string {
		return slices.DeleteFunc(lines, func(line string) bool {
			device, _, found := strings.Cut(strings.TrimSpace(line), ":")
			gone := found && slices.Contains(devices, device)
			if gone {
				removed = append(removed, device)
			}
			return gone
		})
	})
	if err != nil {
		return nil, err
	}
	return removed, nil
}

// Holder is who a credentials file lets in.
type Holder struct {
	Name    string   // of a device or bridge
	Filters []string // of a bridge: what it may publish; nil: a device
}

// Holders lists the credentials file at path in its order; a missing file holds
// nobody. Faulty lines let nobody in: they are told as faults.
func Holders(path string) ([]Holder, []Fault, error) {
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("read the credentials: %w", err)
	}
	list, faults := parseCredentials(data)
	holders := make([]Holder, len(list))
	for i, c := range list {
		holders[i] = Holder{Name: c.device, Filters: c.filters}
	}
	return holders, faults, nil
}

func replaceLine(lines []string, device, hash string) []string {
	for i, line := range lines {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if parts[0] != device || len(parts) < 2 {
			continue
		}
		parts[1] = hash
		lines[i] = strings.Join(parts, ":")
		return lines
	}
	return append(lines, device+":"+hash)
}

func editFile(path string, edit func(lines []string) []string) error {
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the credentials: %w", err)
	}
	var lines []string
	if text := strings.TrimRight(string(data), "\n"); text != "" {
		lines = strings.Split(text, "\n")
	}
	var out bytes.Buffer
	for _, line := range edit(lines) {
		out.WriteString(strings.TrimRight(line, "\r"))
		out.WriteByte('\n')
	}
	if err := keys.Replace(path, out.Bytes(), 0); err != nil {
		return fmt.Errorf("write the credentials: %w", err)
	}
	return nil
}
