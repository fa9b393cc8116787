package broker

import (
	"fmt"
	"strings"

	"github.com/simpang-id/simpang/internal/keys"
)

// IssueBridge makes a credential that publishes for many devices: filters are
// MQTT topic filters of what it may publish. It writes the file as Issue does.
func IssueBridge(path, name string, filters []string) (Issued, error) {
	if !validDevice(name) {
		return Issued{}, fmt.Errorf("%w: %q cannot be a bridge's name: it is 1 to %d bytes without blanks and none of / + # : ,", ErrInvalid, name, maxDevice)
	}
	secret := NewSecret()
	line := name + ":" + HashSecret(secret) + ":" + strings.Join(filters, ",")
	if _, faults := ParseCredentials([]byte(line)); len(faults) > 0 {
		return Issued{}, fmt.Errorf("%w: filters: %s", ErrInvalid, faults[0].Message)
	}
	unlock, err := keys.Lock(path)
	if err != nil {
		return Issued{}, err
	}
	defer unlock()
	err = editFile(path, func(lines []string) []string {
		for i, old := range lines {
			if strings.HasPrefix(strings.TrimSpace(old), name+":") {
				lines[i] = line
				return lines
			}
		}
		return append(lines, line)
	})
	return Issued{Device: name, Secret: secret}, err
}
