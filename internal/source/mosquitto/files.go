// Package mosquitto writes what Mosquitto reads to know devices: its password
// file and its access rules. What others wrote there stays.
package mosquitto

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/keys"
)

// The files in the folder.
const (
	PasswordFile = "passwd"
	RightsFile   = "acl"
)

// Hashes of Mosquitto 2: $7$iterations$salt$hash, PBKDF2 with SHA-512. Its own
// mosquitto_passwd makes 101 iterations; secrets of ours are random, so more
// would only cost the broker time.
const (
	scheme     = "7"
	iterations = 101
	saltBytes  = 12
)

// groupRead is what of a file's mode stays: Mosquitto's group may read it.
const groupRead = 0o040

// User is a name and the password that it logs in with.
type User struct{ Name, Password string }

// HashPassword returns the hash of a password under a new salt.
func HashPassword(password string) (string, error) {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	return hashWith(password, salt, iterations)
}

func hashWith(password string, salt []byte, n int) (string, error) {
	sum, err := pbkdf2.Key(sha512.New, password, salt, n, sha512.Size)
	if err != nil {
		return "", err
	}
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("$%s$%d$%s$%s", scheme, n, encode(salt), encode(sum)), nil
}

// Matches tells whether a line of the password file holds this password. Only
// hashes of Mosquitto 2 can be told; of others it is false.
func Matches(hash, password string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 5 || parts[0] != "" || parts[1] != scheme {
		return false
	}
	n, err := strconv.Atoi(parts[2])
	salt, serr := base64.StdEncoding.DecodeString(parts[3])
	if err != nil || serr != nil || n < 1 || n > 1_000_000 {
		return false
	}
	want, err := hashWith(password, salt, n)
	return err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(hash)) == 1
}

// Write gives each user its password in the folder's password file and makes
// the access rules hold what the gateway's user and devices need. All other
// users and rules stay. Each file is replaced whole, mode 0600 (the group may
// read on what it could read), with the owner that it or the folder has; one
// that is no regular file is refused. The rules are written first: without them
// no password changes. Mosquitto takes both up at SIGHUP.
func Write(dir, gateway string, users ...User) error {
	hashes := make(map[string]string, len(users))
	for _, u := range users {
		if !validName(u.Name) || u.Password == "" {
			return fmt.Errorf("%q cannot be a user of Mosquitto with a password", u.Name)
		}
		if hashes[u.Name] != "" {
			return fmt.Errorf("%s is named twice, and only one password could hold: name each user once", u.Name)
		}
		var err error
		if hashes[u.Name], err = HashPassword(u.Password); err != nil {
			return err
		}
	}
	if err := edit(filepath.Join(dir, RightsFile), func(lines []string) []string { return withRules(lines, gateway) }); err != nil {
		return err
	}
	return edit(filepath.Join(dir, PasswordFile), func(lines []string) []string {
		done := map[string]bool{}
		for i, line := range lines {
			name, _, ok := strings.Cut(line, ":")
			if hash, ours := hashes[name]; ok && ours {
				lines[i], done[name] = name+":"+hash, true
			}
		}
		for _, u := range users {
			if !done[u.Name] {
				lines, done[u.Name] = append(lines, u.Name+":"+hashes[u.Name]), true
			}
		}
		return lines
	})
}

// Revoke takes users out of the password file and returns those that were in
// it. They stay connected until they connect anew.
func Revoke(dir string, names ...string) (gone []string, err error) {
	err = edit(filepath.Join(dir, PasswordFile), func(lines []string) []string {
		return slices.DeleteFunc(lines, func(line string) bool {
			name, _, ok := strings.Cut(line, ":")
			leaves := ok && slices.Contains(names, name)
			if leaves {
				gone = append(gone, name)
			}
			return leaves
		})
	})
	return gone, err
}

// Users returns the hashes of the folder's password file by name; a missing
// file has none.
func Users(dir string) (map[string]string, error) {
	data, err := keys.Read(filepath.Join(dir, PasswordFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	users := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if name, hash, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			users[name] = hash
		}
	}
	return users, nil
}

// validName keeps a name from being more than one in a line or a topic.
func validName(name string) bool {
	const most = 128
	return name != "" && len(name) <= most && strings.IndexFunc(name, func(r rune) bool {
		return r <= ' ' || r == 0x7f || r == 0xfffd || strings.ContainsRune("/+#:", r)
	}) < 0
}

func edit(path string, change func(lines []string) []string) error {
	unlock, err := keys.Lock(path)
	if err != nil {
		return err
	}
	defer unlock()
	data, err := keys.Read(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var lines []string
	if text := strings.TrimRight(string(data), "\r\n"); text != "" {
		lines = strings.Split(text, "\n")
	}
	var out bytes.Buffer
	for _, line := range change(lines) {
		out.WriteString(strings.TrimRight(line, "\r"))
		out.WriteByte('\n')
	}
	if bytes.Equal(out.Bytes(), data) {
		return nil
	}
	if err := keys.Replace(path, out.Bytes(), groupRead); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
