package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExample holds configs/example.yaml to the program: it loads, it shows
// every key, and where it shows a default it shows the real one.
func TestExample(t *testing.T) {
	t.Parallel()
	const file = "../../configs/example.yaml"
	c, faults := Load(file, nil, nil)
	require.Empty(t, faults)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, s := range settings(c) {
		key := regexp.MustCompile(`.*\.`).ReplaceAllString(s.key, "")
		require.Regexp(t, `(?m)^[\s#-]*`+key+`:`, string(data), "configs/example.yaml must show %s", s.key)
	}
	d := defaults()
	require.Equal(t, d.HTTP.Listen, c.HTTP.Listen)
	require.Equal(t, d.HTTP.AdminListen, c.HTTP.AdminListen)
	require.Equal(t, d.HTTP.RateLimit, c.HTTP.RateLimit)
	require.Equal(t, d.Retention, c.Retention)
	require.Equal(t, d.Log, c.Log)

	// Without what stands in the example for show, the defaults are the same.
	var bare strings.Builder
	for line := range strings.Lines(string(data)) {
		if !regexp.MustCompile(`^    (format: (native|frames)|(max_\w+|listen|credentials_file|topics|client_id|baud|data_bits|parity|stop_bits|idle):)`).MatchString(line) {
			bare.WriteString(line)
		}
	}
	b, faults := Parse(file, []byte(bare.String()), nil, nil)
	require.Empty(t, faults)
	require.Equal(t, c.Sources, b.Sources)
}

// TestBekasi loads the configuration of `make run`.
func TestBekasi(t *testing.T) {
	t.Parallel()
	c, faults := Load("../../configs/bekasi/simpang.yaml", nil, nil)
	require.Empty(t, faults)
	require.Empty(t, c.Warnings)
	require.Equal(t, City{ID: "bekasi", Name: "Kota Bekasi", Timezone: "Asia/Jakarta", RegionCode: "32.75", Zone: c.City.Zone}, c.City)
	require.Equal(t, "127.0.0.1:8080", c.HTTP.Listen)
	require.Equal(t, "127.0.0.1:1883", c.Sources[0].Listen)
	require.Equal(t, filepath.Clean("../../.run/data"), c.DataDir)
	require.Equal(t, filepath.Clean("../../configs/bekasi/inventory"), c.Inventory)
}
