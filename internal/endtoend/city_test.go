package endtoend_test

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
)

// zone is the city's.
var zone = time.FixedZone("WIB", 7*60*60)

// renamed are the members and columns that name what a copy of the city has
// under another name.
var renamed = []string{"id", "site", "segment", "opposite", "nopd"}

// writeCity writes an inventory folder with one copy of testdata/city for each
// prefix, and returns it. Copies share operators, accounts and tariffs.
func writeCity(t *testing.T, prefixes ...string) string {
	t.Helper()
	dir := t.TempDir()
	names, err := os.ReadDir("testdata/city")
	require.NoError(t, err)
	for _, e := range names {
		text, err := os.ReadFile(filepath.Join("testdata/city", e.Name()))
		require.NoError(t, err)
		switch e.Name() {
		case "sites.geojson", "segments.geojson":
			text = copiesOfFeatures(t, text, prefixes)
		case "devices.csv", "closures.csv":
			text = copiesOfRows(t, filepath.Join("testdata/city", e.Name()), prefixes)
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, e.Name()), text, 0o600))
	}
	return dir
}

func copiesOfFeatures(t *testing.T, text []byte, prefixes []string) []byte {
	t.Helper()
	var features []any
	for _, prefix := range prefixes {
		var all struct {
			Features []map[string]any `json:"features"`
		}
		require.NoError(t, json.Unmarshal(text, &all))
		for _, f := range all.Features {
			properties := f["properties"].(map[string]any)
			for _, name := range renamed {
				if v, ok := properties[name].(string); ok && v != "" {
					properties[name] = prefix + v
				}
			}
			features = append(features, f)
		}
	}
	out, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": features})
	require.NoError(t, err)
	return out
}

func copiesOfRows(t *testing.T, name string, prefixes []string) []byte {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	head, all := rows[0], [][]string{rows[0]}
	for _, prefix := range prefixes {
		for _, row := range rows[1:] {
			row = slices.Clone(row)
			for i := range row {
				if row[i] != "" && slices.Contains(renamed, head[i]) {
					row[i] = prefix + row[i]
				}
			}
			all = append(all, row)
		}
	}
	out := filepath.Join(t.TempDir(), "rows.csv")
	w, err := os.Create(out)
	require.NoError(t, err)
	require.NoError(t, csv.NewWriter(w).WriteAll(all))
	require.NoError(t, w.Close())
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	return text
}

// loadCity reads an inventory folder, which must be without fault.
func loadCity(t *testing.T, dir string) *inventory.Version {
	t.Helper()
	location, err := time.LoadLocation("Asia/Jakarta")
	require.NoError(t, err)
	v, faults, err := inventory.Load(dir, location)
	require.NoError(t, err)
	require.Empty(t, faults)
	return v
}
