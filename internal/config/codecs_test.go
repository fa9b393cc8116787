package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/config"
)

// codecFolder is a folder whose configuration names codecs.
func codecFolder(t *testing.T, codecs string, files map[string]string) string {
	t.Helper()
	path := folder(t, "0", "data_dir: data\ncodecs_file: codecs/codecs.yaml\nsources: [{id: broker, type: broker}]\n")
	dir := filepath.Dir(path)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "codecs"), 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "codecs", "codecs.yaml"), []byte(codecs), 0o600))
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return path
}

const goodScript = "function decodeUplink(input) { return {data: {occupied: true}} }"

func TestCheckCodecs(t *testing.T) {
	t.Parallel()
	path := codecFolder(t, `codecs:
  - profile: good
    file: good.js
    readings: [{kind: spot, occupied: data.occupied}]
  - profile: syntax
    file: syntax.js
    readings: [{kind: spot, occupied: data.occupied}]
  - {profile: none, file: none.js, readings: [{kind: health}]}
  - {profile: loops, file: loops.js, readings: [{kind: health}]}
`, map[string]string{
		"codecs/good.js": goodScript, "codecs/syntax.js": "function decodeUplink(input) {\n\n  return {data: };\n}", "codecs/none.js": "function Decoder(bytes, port) {}", "codecs/loops.js": "for (;;);",
		"inventory/devices.csv": "id,kind,site,profile,eui\na,spot,S-1,good,70B3D57ED0000001\nb,gate,S-2,good,70B3D57ED0000002\nc,spot,S-1,another,70B3D57ED0000003\n",
		"inventory/sites.geojson": `{"type":"FeatureCollection","features":[
{"type":"Feature","geometry":{"type":"Point","coordinates":[107,-6.2]},"properties":{"id":"S-1","name":"Satu","kind":"on_street","kecamatan":"Bekasi Timur","capacity":{"car":2},"detection":"spots"}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[107,-6.2]},"properties":{"id":"S-2","name":"Dua","kind":"on_street","kecamatan":"Bekasi Timur","capacity":{"car":2},"detection":"gates"}}]}`,
	})
	faults, warnings := check(t, path)
	require.Len(t, faults, 4, "%v", faults)
	for i, want := range []string{
		"codecs/syntax.js:3: not JavaScript (Unexpected token }): mend the syntax",
		"codecs/none.js: has no function decodeUplink: take the vendor's codec",
		"codecs/loops.js: takes longer than 50ms when it is loaded: mend it",
	} {
		require.Contains(t, faults[i], want)
	}
	require.Equal(t, "inventory/devices.csv:3: the codec of profile good makes readings of spot, but device b is a gate: correct the kind, the profile or the codec's readings", faults[3])
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], "inventory/devices.csv:4: profile another is none that is known, so its LoRaWAN payloads are set aside: add its vendor's codec to codecs_file, or use one of good, loops, none, syntax, bosch-tpl110")
}

func TestCodecFileFaults(t *testing.T) {
	t.Parallel()
	path := codecFolder(t, `codecs:
  - profile: a
    file: missing.js
    sha256: 0000000000000000000000000000000000000000000000000000000000000000
    readings:
      - kind: spot
        ocupied: data.x
  - profile: bosch-tps110
    file: good.js
`, nil)
	faults, _ := check(t, path)
	require.Equal(t, "codecs/codecs.yaml:7: unknown key codecs[0].readings[0].ocupied: did you mean occupied? (known: kind, when, at, occupied, dwell_s, temperature_c, battery_v, battery_pct, uptime_s, firmware, errors, direction, class, count, total, total_end, period_s, lanes, whole_direction)", faults[0])

	dir := filepath.Dir(path)
	write := func(text string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "codecs", "codecs.yaml"), []byte(text), 0o600))
	}
	write("codecs:\n  - profile: a\n    file: good.js\n    readings:\n      - kind: spot\n        occupied: data. x y\n      - kind: lamp\n  - profile: bosch-tps110\n    file: good.js\n    readings: [{kind: health}]\n")
	faults, _ = check(t, path)
	require.Len(t, faults, 3)
	require.Contains(t, faults[0], "codecs/codecs.yaml:6: codecs[0].readings[0].occupied is no expression (")
	require.Contains(t, faults[1], "codecs/codecs.yaml:7: codecs[0].readings[1].kind is \"lamp\"")
	require.Contains(t, faults[2], "codecs/codecs.yaml:8: codecs[1].profile is bosch-tps110, which is built in")

	write("codecs:\n  - profile: a\n    file: missing.js\n    readings: [{kind: health}]\n  - profile: b\n    file: good.js\n    sha256: \"" + "00000000000000000000000000000000000000000000000000000000000000ff\"\n    readings: [{kind: health}]\n  - {profile: c, file: big.js, readings: [{kind: health}]}\n")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "codecs", "good.js"), []byte(goodScript), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "codecs", "big.js"), make([]byte, 513<<10), 0o600))
	faults, _ = check(t, path)
	require.Len(t, faults, 3)
	require.Contains(t, faults[0], "codecs/codecs.yaml:3: codecs[0].file cannot be read (")
	require.Contains(t, faults[1], "codecs/codecs.yaml:7: codecs[1].sha256 is not that of good.js, which has ")
	require.Contains(t, faults[2], "codecs/codecs.yaml:9: codecs[2].file is big.js, which is larger than 512 KiB")

	require.NoError(t, os.Remove(filepath.Join(dir, "codecs", "codecs.yaml")))
	faults, _ = check(t, path)
	require.Len(t, faults, 1)
	require.Contains(t, faults[0], "codecs/codecs.yaml: cannot be read (")
}

// The codecs that the example shows are sound, and tried.
func TestExampleCodecs(t *testing.T) {
	t.Parallel()
	c, faults := config.Load("../../configs/example.yaml", nil, nil)
	require.Empty(t, faults)
	list, scripts, faults := config.Codecs(c)
	require.Empty(t, faults)
	require.Len(t, list, 4)
	require.Len(t, scripts, 4)
	require.Equal(t, []string{"codecs_file"}, config.Changed(c, func() *config.Config { other := *c; other.CodecsFile = ""; return &other }()))
}
