package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/config"
)

const oneSite = `{"type":"FeatureCollection","features":[
{"type":"Feature","geometry":{"type":"Point","coordinates":[107,-6.2]},"properties":{"id":"S-1","name":"Satu","kind":"on_street","kecamatan":"Bekasi Timur","capacity":{"car":CARS}}}]}`

// folder makes a configuration with an inventory in a folder of its own.
func folder(t *testing.T, cars, more string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("inventory/sites.geojson", strings.Replace(oneSite, "CARS", cars, 1))
	write("not-a-folder", "x")
	write("empty", "")
	write("simpang.yaml", "city: {id: bekasi, name: Kota Bekasi, timezone: Asia/Jakarta}\ninventory: inventory\n"+more)
	return filepath.Join(dir, "simpang.yaml")
}

func check(t *testing.T, path string) (faults, warnings []string) {
	t.Helper()
	c, found := config.Load(path, nil, nil)
	require.Empty(t, found)
	bad, odd := config.Check(c)
	return strip(path, bad), strip(path, odd)
}

func strip(path string, list []config.Fault) (out []string) {
	for _, f := range list {
		out = append(out, strings.ReplaceAll(f.String(), filepath.Dir(path)+"/", ""))
	}
	return out
}

func TestCheckGood(t *testing.T) {
	t.Parallel()
	path := folder(t, "0", "data_dir: new/data\nsources: [{id: broker, type: broker}]\n")
	faults, warnings := check(t, path)
	require.Empty(t, faults)
	require.Empty(t, warnings)
	require.NoDirExists(t, filepath.Join(filepath.Dir(path), "new"), "a check writes nothing")
}

func TestCheckFaults(t *testing.T) {
	t.Parallel()
	path := folder(t, "-1", `data_dir: not-a-folder/data
http: {tls_cert_file: empty, tls_key_file: empty}
sources:
  - {id: a, type: mqtt, url: "ssl://localhost:1", username: x, password_file: empty, ca_file: empty}
  - {id: b, type: broker, credentials_file: inventory}
  - {id: c, type: serial, port: /dev/no-such-port}
`)
	faults, warnings := check(t, path)
	require.Len(t, faults, 6, "%v", faults)
	for i, want := range []string{
		"simpang.yaml:3: data_dir not-a-folder", "simpang.yaml:4: http.tls_cert_file and its key cannot be used",
		"simpang.yaml:6: sources[0].ca_file cannot be used (no PEM", "simpang.yaml:6: sources[0].password_file secret file empty is empty",
		"simpang.yaml:7: sources[1].credentials_file cannot be read", "inventory/sites.geojson:2: S-1: capacity of car is -1",
	} {
		require.Contains(t, faults[i], want)
	}
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], "port /dev/no-such-port is not there now")
}

func TestCheckInventory(t *testing.T) {
	t.Parallel()
	path := folder(t, "3", "data_dir: data\nsources: [{id: broker, type: broker}]\n")
	faults, warnings := check(t, path)
	require.Empty(t, faults)
	require.Equal(t, []string{"inventory/sites.geojson:2: S-1: 0 of 3 places for car have a spot sensor: the others stay unknown; add sensors, or say so in `observed`"}, warnings)

	require.NoError(t, os.RemoveAll(filepath.Join(filepath.Dir(path), "inventory")))
	faults, _ = check(t, path)
	require.Len(t, faults, 1)
	require.Contains(t, faults[0], "simpang.yaml:2: inventory cannot be read")
}

func TestLoadMissing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "none.yaml")
	c, faults := config.Load(path, nil, nil)
	require.Nil(t, c)
	require.Len(t, faults, 1)
	require.Equal(t, path+": the file is not there: name the configuration with -config FILE", faults[0].String())

	_, faults = config.Load(filepath.Dir(path), nil, nil)
	require.Len(t, faults, 1)
	require.Contains(t, faults[0].String(), "cannot be read")
}

// TestCheckFileTellsAllAtOnce: configuration, what it names, and inventory.
func TestCheckFileTellsAllAtOnce(t *testing.T) {
	t.Parallel()
	path := folder(t, "-1", `data_dir: not-a-folder/data
http: {listen: nowhere, tls_cert_file: empty, tls_key_file: empty}
colour: red
sources:
  - {id: b, type: broker, credentials_file: devices.credentials, max_age: soon}
  - {id: c, type: carrier-pigeon}
`)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "devices.credentials"), []byte("# ours\nd1\n\na/b:x\n"), 0o600))
	faults, _ := config.CheckFile(path, nil, map[string]string{"log.level": "loud"})
	got := strip(path, faults)
	want := []string{
		"simpang.yaml:4: http.listen is \"nowhere\"", "simpang.yaml:5: ", "simpang.yaml:7: sources[0].max_age", "simpang.yaml:8: sources[1].type",
		"flag log.level: log.level is \"loud\"",
		"simpang.yaml:3: data_dir not-a-folder", "simpang.yaml:4: http.tls_cert_file and its key cannot be used",
		"devices.credentials:2: no colon", "devices.credentials:4: \"a/b\" cannot be a device id",
		"inventory/sites.geojson:2: S-1: capacity of car is -1",
	}
	require.Len(t, got, len(want), "%v", strings.Join(got, "\n"))
	for i := range want {
		require.Contains(t, got[i], want[i])
	}
}

func TestCheckFileWithoutWhatItNeeds(t *testing.T) {
	t.Parallel()
	const rest = "data_dir: data\nsources: [{id: b, type: broker}]\n"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"no YAML":      {"city: [", []string{"simpang.yaml:1: "}},
		"no zone":      {"city: {id: b, name: B, timezone: Asia/Bekasi}\ninventory: inventory\n" + rest, []string{"simpang.yaml:1: city.timezone is"}},
		"no city":      {"inventory: inventory\n" + rest, []string{"city is missing"}},
		"no inventory": {"city: {id: b, name: B, timezone: Asia/Jakarta}\n" + rest, []string{"inventory is missing"}},
		"only there":   {"city: {id: b, name: B, timezone: Asia/Jakarta}\ninventory: inventory\n" + rest, []string{"inventory/sites.geojson:2: S-1: capacity of car is -1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := folder(t, "-1", "")
			require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
			faults, warnings := config.CheckFile(path, nil, nil)
			got := strip(path, faults)
			require.Len(t, got, len(c.want), "%v", got)
			for i := range c.want {
				require.Contains(t, got[i], c.want[i])
			}
			require.Empty(t, warnings)
		})
	}
	faults, _ := config.CheckFile(filepath.Join(t.TempDir(), "none.yaml"), nil, nil)
	require.Len(t, faults, 1)

	path := folder(t, "3", "data_dir: data\nsources: [{id: broker, type: broker}]\n")
	faults, warnings := config.CheckFile(path, []string{"SIMPANG_COLOUR=red"}, nil)
	require.Empty(t, faults)
	require.Len(t, warnings, 2, "of the configuration and of the inventory")
}

func TestCheckReadsTemplatesAndMaps(t *testing.T) {
	t.Parallel()
	path := folder(t, "0", `data_dir: data
sources:
  - {id: till, type: serial, format: escpos, port: /dev/null, device: METER-1, templates_file: t.yaml}
  - {id: bus, type: serial, format: modbus, port: /dev/zero, map_file: m.yaml}
  - {id: gone, type: serial, format: modbus, port: /dev/full, map_file: gone.yaml}
  - {id: twin, type: serial, format: escpos, port: /dev/tty, device: METER-1, templates_file: t.yaml}
`)
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte(text), 0o600))
	}
	write("t.yaml", "templates:\n  - name: a\n    match: [x]\n    number: ['no (.*)']\n    amount: ['(']\n    method: cash\n")
	write("m.yaml", "units:\n  - {unit: 1, device: TC-1, kind: count, registers: [{function: input, means: occupied, class: boat}]}\n")
	faults, warnings := check(t, path)
	require.Len(t, faults, 5)
	require.Contains(t, faults[4], "sources[3].id twin speaks for device METER-1, and so does source till")
	require.Contains(t, faults[0], "t.yaml:5: templates[0].amount[0] is no regular expression")
	require.Contains(t, faults[1], "m.yaml:2: units[0].registers[0].class is \"boat\": write car")
	require.Contains(t, faults[2], "gone.yaml: cannot be read")
	require.Contains(t, warnings, "simpang.yaml:5: source till speaks for device METER-1, which is not in devices.csv: add it, until then its readings are set aside")
}

// TestCheckCodes: a service that has another code in the city's system is one of
// ours.
func TestCheckCodes(t *testing.T) {
	t.Parallel()
	path := folder(t, "0", `data_dir: data
complaints: {endpoint: "https://pengaduan.example.go.id/v2", key_file: empty, codes: {illegal_parkng: LIAR, no_karcis: KARCIS}}
sources: [{id: broker, type: broker}]
`)
	faults, _ := check(t, path)
	require.Contains(t, faults, "simpang.yaml:4: complaints.codes.illegal_parkng is no service of agencies.yaml: did you mean illegal_parking?")
	require.NotContains(t, strings.Join(faults, "\n"), "no_karcis")
	c, found := config.Parse("simpang.yaml", []byte(good), []string{"SIMPANG_COMPLAINTS_CODES=no_karcis=KARCIS, wrong_data=DATA"}, map[string]string{"complaints.endpoint": "https://x.go.id/v2", "complaints.key_file": "key"})
	require.Empty(t, found)
	require.Equal(t, config.Codes{"no_karcis": "KARCIS", "wrong_data": "DATA"}, c.Complaints.Codes)
}
