package broker

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	hashScheme = "sha256"
	saltBytes  = 16
	maxDevice  = 128 // bytes of a device id
	maxFilters = 64  // of one bridge
)

// credential is one line of the credentials file.
type credential struct {
	device  string
	salt    []byte
	hash    [sha256.Size]byte
	filters []string // of a bridge; nil: the client is its device
}

func (c *credential) bridge() bool { return len(c.filters) > 0 }

func (c *credential) same(other *credential) bool {
	return c.device == other.device && c.hash == other.hash &&
		slices.Equal(c.salt, other.salt) && slices.Equal(c.filters, other.filters)
}

// verify compares in constant time.
func (c *credential) verify(secret []byte) bool {
	sum := saltedHash(c.salt, secret)
	return subtle.ConstantTimeCompare(sum[:], c.hash[:]) == 1
}

// nobody is compared with where the user is unknown, so that the time of the
// answer does not tell which devices exist.
var nobody = &credential{salt: make([]byte, saltBytes)}

func saltedHash(salt, secret []byte) [sha256.Size]byte {
	both := make([]byte, 0, len(salt)+len(secret))
	return sha256.Sum256(append(append(both, salt...), secret...))
}

// NewSecret returns a random secret of 160 bits in 32 characters of base 32
// without letters that are mistaken for one another.
func NewSecret() string {
	const alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	for i, b := range random {
		random[i] = alphabet[b%32]
	}
	return string(random)
}

// HashSecret returns the hash of secret under a new random salt as it stands in
// the credentials file: sha256$<salt-hex>$<hex>, the SHA-256 of salt and
// secret. A fast hash serves because secrets are random (NewSecret), not words
// that a person chose.
func HashSecret(secret string) string {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	sum := saltedHash(salt, []byte(secret))
	return hashScheme + "$" + hex.EncodeToString(salt) + "$" + hex.EncodeToString(sum[:])
}

// Fault is one fault of a credentials file.
type Fault struct {
	Line    int
	Message string // what is wrong, and what to do
}

// ParseCredentials checks the content of a credentials file: one
// device:hash[:filters] a line, empty lines and lines that begin with # are
// skipped. It returns the device ids in the order of the file and every fault.
func ParseCredentials(data []byte) (devices []string, faults []Fault) {
	list, faults := parseCredentials(data)
	for _, c := range list {
		devices = append(devices, c.device)
	}
	return devices, faults
}

func parseCredentials(data []byte) (list []*credential, faults []Fault) {
	seen := map[string]int{}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		c, err := parseCredential(line)
		if err != nil {
			faults = append(faults, Fault{Line: number, Message: err.Error()})
			continue
		}
		if first, ok := seen[c.device]; ok {
			faults = append(faults, Fault{Line: number, Message: fmt.Sprintf("%q is in line %d already; remove one of the two", c.device, first)})
			continue
		}
		seen[c.device] = number
		list = append(list, c)
	}
	return list, faults
}

func parseCredential(line string) (*credential, error) {
	device, rest, found := strings.Cut(line, ":")
	if !found {
		return nil, errors.New("no colon; write device:hash or device:hash:filters")
	}
	if !validDevice(device) {
		return nil, fmt.Errorf("%q cannot be a device id; it is 1 to %d bytes without blanks and none of / + # : ,", device, maxDevice)
	}
	hash, filters, hasFilters := strings.Cut(rest, ":")
	c := &credential{device: device}
	if err := c.parseHash(hash); err != nil {
		return nil, err
	}
	if !hasFilters {
		return c, nil
	}
	c.filters = strings.Split(filters, ",")
	if len(c.filters) > maxFilters {
		return nil, fmt.Errorf("%d filters; %d at most", len(c.filters), maxFilters)
	}
	for _, filter := range c.filters {
		if !validFilter(filter) {
			return nil, fmt.Errorf("%q is no topic filter; write one such as sg/v1/+/up, several with commas", filter)
		}
	}
	return c, nil
}

// parseHash never repeats the hash in its errors: they are logged.
func (c *credential) parseHash(hash string) error {
	parts := strings.Split(hash, "$")
	if len(parts) != 3 || parts[0] != hashScheme {
		return fmt.Errorf("the hash is not sha256$<salt>$<hash>; make it with simpang device credentials %s", c.device)
	}
	salt, err := hex.DecodeString(parts[1])
	if err != nil || len(salt) == 0 || len(salt) > 64 {
		return fmt.Errorf("the salt is not 1 to 64 bytes in hex; make it with simpang device credentials %s", c.device)
	}
	sum, err := hex.DecodeString(parts[2])
	if err != nil || len(sum) != sha256.Size {
		return fmt.Errorf("the hash is not %d bytes in hex; make it with simpang device credentials %s", sha256.Size, c.device)
	}
	c.salt = salt
	copy(c.hash[:], sum)
	return nil
}
