package inventory_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// golden compares text with a file; UPDATE=1 writes it, to be read.
func golden(t *testing.T, file, text string) {
	t.Helper()
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotEmpty(t, want)
	require.Equal(t, string(want), text)
}

func cases(t *testing.T, kind string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join("testdata", kind))
	require.NoError(t, err)
	require.NotEmpty(t, entries)
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// TestBad walks the bad inventories: each has its faults in faults.txt, whole
// and in order.
func TestBad(t *testing.T) {
	t.Parallel()
	for _, name := range cases(t, "bad") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join("testdata", "bad", name)
			v, faults, err := inventory.Load(dir, jakarta(t))
			require.NoError(t, err)
			require.Nil(t, v)
			var text strings.Builder
			for _, f := range faults {
				require.Positive(t, f.Line, "%s has no line", f)
				fmt.Fprintln(&text, strings.TrimPrefix(f.String(), dir+"/"))
			}
			golden(t, filepath.Join(dir, "faults.txt"), text.String())
		})
	}
}

// TestGood walks the good inventories: what was read of each stands in
// read.txt.
func TestGood(t *testing.T) {
	t.Parallel()
	for _, name := range cases(t, "good") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join("testdata", "good", name)
			v, faults, err := inventory.Load(dir, jakarta(t))
			require.NoError(t, err)
			require.Empty(t, faults)
			golden(t, filepath.Join(dir, "read.txt"), dump(t, v))
		})
	}
}

// dump writes what a person would check.
func dump(t *testing.T, v *inventory.Version) string {
	t.Helper()
	var b strings.Builder
	for _, s := range v.Sites {
		shown := *s
		require.True(t, json.Valid(s.Geometry), "%s", s.Geometry)
		shown.Geometry = nil
		fmt.Fprintf(&b, "site %+v\n", shown)
	}
	for _, s := range v.Segments {
		shown := *s
		require.True(t, json.Valid(s.Geometry), "%s", s.Geometry)
		shown.Geometry, shown.LengthM = nil, math.Round(s.LengthM)
		fmt.Fprintf(&b, "segment %+v\n", shown)
	}
	for _, d := range v.Devices {
		fmt.Fprintf(&b, "device %+v\n", *d)
	}
	for _, list := range []any{v.Accounts, v.Targets, v.Operators, v.Attendants, v.Holidays, v.Closures, v.Agencies} {
		if text := fmt.Sprintf("%T %+v", list, list); !strings.HasSuffix(text, "[]") {
			fmt.Fprintln(&b, text)
		}
	}
	faults, warnings := v.CheckProfiles(nil)
	require.Empty(t, faults)
	for _, w := range append(warnings, v.Warnings...) {
		fmt.Fprintln(&b, "warning", w)
	}
	return b.String()
}

func TestLookups(t *testing.T) {
	t.Parallel()
	v, faults, err := inventory.Load("testdata/good/spreadsheet", jakarta(t))
	require.NoError(t, err)
	require.Empty(t, faults)
	require.Equal(t, "S-1", v.Site("S-1").ID)
	require.Nil(t, v.Site("S-9"))
	require.Equal(t, inventory.DeviceMeter, v.Device("m").Kind)
	require.Nil(t, v.Device("x"))
	require.Len(t, v.SiteDevices("S-1"), 3)
	require.Equal(t, "a", v.SiteDevices("S-1")[0].ID)
	require.Equal(t, `PT "Satu"; parkir`, v.Operator("op-1").Name)
	require.Nil(t, v.Operator("op-0"))
	require.Equal(t, []city.Class{city.Car, city.Motorcycle}, v.Site("S-1").Classes)
	require.Equal(t, inventory.DetectSpots, v.Site("S-1").Detection, "by its devices")

	require.Equal(t, int64(200_000), v.AccountFor(inventory.LevyPBJT, "2024-01-04").RatePPM)
	require.Equal(t, int64(100_000), v.AccountFor(inventory.LevyPBJT, "2024-01-05").RatePPM)
	require.Nil(t, v.AccountFor(inventory.LevyStreet, "2024-01-05"))

	require.True(t, v.Calendar().Holiday("2026-03-20"))
	require.False(t, v.Calendar().Holiday("2026-03-21"))

	s, faults, err := inventory.Load("testdata/good/two-ways", jakarta(t))
	require.NoError(t, err)
	require.Empty(t, faults)
	require.Len(t, s.SegmentDevices("A-1"), 1)
	require.Equal(t, "B-1", s.Segment("B-1").ID)
	require.InDelta(t, 110.54, s.Segment("A-1").LengthM, 0.01)
	require.InDelta(t, 60, s.Segment("A-2").LargerShare(), 0)
	require.True(t, s.Segment("A-1").HasCapacity())
}

func TestReadDir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"sites.geojson", ".~lock.devices.csv#", ".hidden.csv", "~temp.csv", "devices.csv~", "README", "notes.md", "city.qgz", "Devices.CSV"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "old.csv"), 0o750))
	require.NoError(t, os.Symlink(filepath.Join(dir, "README"), filepath.Join(dir, "accounts.csv")))
	files, err := inventory.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 3)
	require.Contains(t, files, "sites.geojson")
	require.Contains(t, files, "accounts.csv")
	require.Contains(t, files, "Devices.CSV", "to be told as unknown: did you mean devices.csv")

	_, _, err = inventory.Load(filepath.Join(dir, "none"), jakarta(t))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	v, faults := inventory.Parse(map[string][]byte{"sites.geojson": make([]byte, inventory.MaxFile+1)}, jakarta(t))
	require.Nil(t, v)
	require.Equal(t, "sites.geojson:1: the file is larger than 32 MiB: split the city or remove what is not ours", faults[0].String())
}

// TestManyFaults tells all of them.
func TestManyFaults(t *testing.T) {
	t.Parallel()
	site, err := os.ReadFile("testdata/good/site-alone/sites.geojson")
	require.NoError(t, err)
	rows := "id,name\n" + strings.Repeat("a b,x\n", 2000)
	_, faults := inventory.Parse(map[string][]byte{"sites.geojson": site, "operators.csv": []byte(rows)}, jakarta(t))
	require.Len(t, faults, 2000)
}

// TestDeterministic reads the same files in any order to the same version.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	files, err := inventory.ReadDir("testdata/good/spreadsheet")
	require.NoError(t, err)
	first, faults := inventory.Parse(files, jakarta(t))
	require.Empty(t, faults)
	for range 20 {
		v, faults := inventory.Parse(files, jakarta(t))
		require.Empty(t, faults)
		require.Equal(t, first.Hash, v.Hash)
		require.Equal(t, dump(t, first), dump(t, v))
	}
	files["operators.csv"] = append(files["operators.csv"], '\n')
	require.NotEqual(t, first.Hash, inventory.HashFiles(files))
}
