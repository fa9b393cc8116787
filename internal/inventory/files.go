package inventory

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// NamedHash is one file of a version by its content.
type NamedHash struct {
	Name   string
	SHA256 string // hex
}

// FileHashes returns the hash of each file, sorted by name.
func FileHashes(files map[string][]byte) []NamedHash {
	out := make([]NamedHash, 0, len(files))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256(files[name])
		out = append(out, NamedHash{name, hex.EncodeToString(sum[:])})
	}
	return out
}

// HashFiles returns the hash of a whole inventory: hex SHA-256 over the lines
// `name<tab>sha256<newline>`, sorted by name.
func HashFiles(files map[string][]byte) string { return hashOf(FileHashes(files)) }

func hashOf(files []NamedHash) string {
	var lines []byte
	for _, f := range files {
		lines = fmt.Appendf(lines, "%s\t%s\n", f.Name, f.SHA256)
	}
	sum := sha256.Sum256(lines)
	return hex.EncodeToString(sum[:])
}

// FileHashes returns the hash of each of the version's files, sorted by name.
func (v *Version) FileHashes() []NamedHash { return FileHashes(v.Files) }

// ReadDir reads the files of an inventory folder: those that end in .csv,
// .yaml, .yml, .geojson or .json. Others (notes, QGIS projects, what editors
// leave behind) and folders are not ours.
func ReadDir(dir string) (map[string][]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("inventory folder: %w", err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		name := e.Name()
		switch strings.ToLower(filepath.Ext(name)) {
		case ".csv", ".yaml", ".yml", ".geojson", ".json":
		default:
			continue
		}
		if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") {
			continue
		}
		path := filepath.Join(dir, name)
		info, err := os.Stat(path) // follows links
		if err != nil {
			return nil, fmt.Errorf("inventory file: %w", err)
		}
		if !info.Mode().IsRegular() {
			continue
		}
		data, err := readFile(path)
		if err != nil {
			return nil, fmt.Errorf("inventory file: %w", err)
		}
		files[name] = data
	}
	return files, nil
}

// readFile reads one byte more than Parse takes at most, so that it can tell.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	return data, errors.Join(err, f.Close())
}

// Load reads and parses an inventory folder. Faults name their file by its
// path. The error is of the file system.
func Load(dir string, zone *time.Location) (*Version, []Fault, error) {
	files, err := ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	v, faults := Parse(files, zone)
	for i := range faults {
		faults[i].File = filepath.Join(dir, faults[i].File)
	}
	return v, faults, nil
}
