package inventory_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/simpang-id/simpang/internal/inventory"
)

// names of the files that the fuzzer fills, by number.
var fuzzNames = []string{
	"sites.geojson", "segments.geojson", "devices.csv", "accounts.csv", "targets.csv", "operators.csv", "attendants.csv",
	"holidays.csv", "closures.csv", "tariffs.yaml", "agencies.yaml", "rules.yaml", "pkji2023.yaml", "other.csv",
}

// FuzzParse changes one file of an inventory: Parse gives a version or
// faults, each with its place, and the same ones again.
func FuzzParse(f *testing.F) {
	for _, kind := range []string{"good", "bad"} {
		dirs, err := filepath.Glob(filepath.Join("testdata", kind, "*"))
		if err != nil {
			f.Fatal(err)
		}
		for _, dir := range dirs {
			files, err := inventory.ReadDir(dir)
			if err != nil {
				f.Fatal(err)
			}
			for name, data := range files {
				f.Add(uint8(max(slices.Index(fuzzNames, name), 0)), data)
			}
		}
	}
	base := map[string][]byte{}
	for _, dir := range []string{"spreadsheet", "two-ways"} {
		files, err := inventory.ReadDir(filepath.Join("testdata", "good", dir))
		if err != nil {
			f.Fatal(err)
		}
		for name, data := range files {
			if base[name] == nil {
				base[name] = data
			}
		}
	}
	zone := time.FixedZone("WIB", 7*3600)
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		files := map[string][]byte{fuzzNames[int(which)%len(fuzzNames)]: data}
		for name, content := range base {
			if _, ok := files[name]; !ok {
				files[name] = content
			}
		}
		v, faults := inventory.Parse(files, zone)
		if (v == nil) != (len(faults) > 0) {
			t.Fatalf("version %v with faults %v", v != nil, faults)
		}
		for _, fault := range faults {
			lines := bytes.Count(files[fault.File], []byte("\n")) + bytes.Count(files[fault.File], []byte("\r")) // YAML ends a line with either
			if fault.Line < 1 || fault.Line > lines+2 || fault.Message == "" {
				t.Fatalf("fault without place or message: %+v", fault)
			}
		}
		again, twice := inventory.Parse(files, zone)
		if !slices.Equal(faults, twice) {
			t.Fatalf("faults differ: %v and %v", faults, twice)
		}
		if v == nil {
			return
		}
		if again.Hash != v.Hash {
			t.Fatal("hashes differ")
		}
		set := inventory.NewClosureSet()
		for _, c := range v.Closures {
			set.State(v, c.Site, c.Segment, c.From)
		}
		for _, s := range v.Sites {
			v.IsOpen(s, 1767225600000)
		}
	})
}
