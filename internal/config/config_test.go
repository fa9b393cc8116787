package config_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/config"
)

const good = `city: {id: bekasi, name: Kota Bekasi, timezone: Asia/Jakarta, region_code: 32.75}
data_dir: data
inventory: /srv/inventory
sources:
  - {id: broker, type: broker}
  - {id: outside, type: mqtt, url: "tcp://localhost:1884", password_file: secret, username: x}
  - {id: line, type: serial, port: /dev/ttyUSB0, max_age: 30d}
`

// TestBad walks the bad configurations: each has its faults beside it, whole
// and in order. Lines `# env: N=V` and `# flag: K=V` set variables and flags.
func TestBad(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			var env []string
			flags := map[string]string{}
			for line := range strings.Lines(string(data)) {
				if pair, ok := strings.CutPrefix(strings.TrimSpace(line), "# env: "); ok {
					env = append(env, pair)
				}
				if pair, ok := strings.CutPrefix(strings.TrimSpace(line), "# flag: "); ok {
					k, v, _ := strings.Cut(pair, "=")
					flags[k] = v
				}
			}
			c, faults := config.Parse(filepath.Base(file), data, env, flags)
			require.Nil(t, c)
			var text strings.Builder
			for _, f := range faults {
				fmt.Fprintln(&text, f)
			}
			want := strings.TrimSuffix(file, ".yaml") + ".txt"
			if os.Getenv("UPDATE") != "" {
				require.NoError(t, os.WriteFile(want, []byte(text.String()), 0o600))
			}
			expected, err := os.ReadFile(want)
			require.NoError(t, err, "write the faults that are expected, or run with UPDATE=1 and read them")
			require.NotEmpty(t, expected)
			require.Equal(t, string(expected), text.String())
		})
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, faults := config.Parse("/etc/simpang/simpang.yaml", []byte(good), nil, nil)
	require.Empty(t, faults)
	require.Equal(t, "Asia/Jakarta", c.City.Zone.String())
	require.Equal(t, "32.75", c.City.RegionCode)
	require.Equal(t, "/etc/simpang/data", c.DataDir)
	require.Equal(t, "/srv/inventory", c.Inventory)
	require.Equal(t, "127.0.0.1:8080", c.HTTP.Listen)
	require.Equal(t, "127.0.0.1:9090", c.HTTP.AdminListen)
	require.Equal(t, 50, c.HTTP.RateLimit)
	require.Equal(t, 3650*24*time.Hour, c.Retention.Money.Duration)
	require.Equal(t, config.Log{Level: "info", Format: "text"}, c.Log)

	broker := c.Sources[0]
	require.Equal(t, "127.0.0.1:1883", broker.Listen)
	require.Equal(t, "native", broker.Format)
	require.Equal(t, "/etc/simpang/data/keys/broker.credentials", broker.CredentialsFile)
	require.Equal(t, 168*time.Hour, broker.MaxAge.Duration)
	require.Equal(t, 5*time.Minute, broker.MaxAhead.Duration)
	require.Zero(t, broker.MaxSilence)

	outside := c.Sources[1]
	require.Equal(t, []string{"sg/v1/+/up"}, outside.Topics)
	require.Equal(t, "simpang-bekasi-outside", outside.ClientID)
	require.Equal(t, "/etc/simpang/secret", outside.PasswordFile)

	line := c.Sources[2]
	require.Equal(t, "frames", line.Format)
	require.Equal(t, 115200, line.Baud)
	require.Equal(t, 8, line.DataBits)
	require.Equal(t, 1, line.StopBits)
	require.Equal(t, "none", line.Parity)
	require.Equal(t, 30*24*time.Hour, line.MaxAge.Duration)
}

func TestWhoWins(t *testing.T) {
	t.Parallel()
	text := good + "http: {listen: \"127.0.0.1:1\", admin_listen: \"127.0.0.1:2\", rate_limit: 3}\n"
	c, faults := config.Parse("simpang.yaml", []byte(text), []string{
		"SIMPANG_HTTP_LISTEN=127.0.0.1:11", "SIMPANG_HTTP_ADMIN_LISTEN=127.0.0.1:12", "SIMPANG_SOURCES_BROKER_LISTEN=127.0.0.1:13",
		"SIMPANG_SOURCES_1_TOPICS=a/+/up, b/#", "SIMPANG_SOURCES_LINE_MAX_AGE=2h", "SIMPANG_DATA_DIR=elsewhere", "PATH=/bin", "SIMPANG_HTP_LISTEN=x", "SIMPANG_ZZZ=1",
	}, map[string]string{"http.listen": "127.0.0.1:21", "sources.line.baud": "9600", "sources.2.stop_bits": "2", "log.level": "debug"})
	require.Empty(t, faults)
	require.Equal(t, "127.0.0.1:21", c.HTTP.Listen)
	require.Equal(t, "127.0.0.1:12", c.HTTP.AdminListen)
	require.Equal(t, 3, c.HTTP.RateLimit)
	require.Equal(t, "127.0.0.1:13", c.Sources[0].Listen)
	require.Equal(t, []string{"a/+/up", "b/#"}, c.Sources[1].Topics)
	require.Equal(t, 2*time.Hour, c.Sources[2].MaxAge.Duration)
	require.Equal(t, 9600, c.Sources[2].Baud)
	require.Equal(t, 2, c.Sources[2].StopBits)
	require.Equal(t, "debug", c.Log.Level)
	require.Equal(t, "elsewhere", c.DataDir, "a path of a variable is not relative to the file")
	require.Equal(t, "elsewhere/keys/broker.credentials", c.Sources[0].CredentialsFile)
	require.Len(t, c.Warnings, 2)
	require.Equal(t, "SIMPANG_HTP_LISTEN: the variable sets no key: did you mean SIMPANG_HTTP_LISTEN?", c.Warnings[0].String())
	require.Equal(t, "SIMPANG_ZZZ", c.Warnings[1].File)
}

// TestEnvironmentAlone starts without anything but sources in the file.
func TestEnvironmentAlone(t *testing.T) {
	t.Parallel()
	c, faults := config.Parse("simpang.yaml", []byte("sources: [{id: broker, type: broker}]"), []string{
		"SIMPANG_CITY_ID=bekasi", "SIMPANG_CITY_NAME=Kota Bekasi", "SIMPANG_CITY_TIMEZONE=Asia/Jakarta", "SIMPANG_DATA_DIR=d", "SIMPANG_INVENTORY=i",
	}, nil)
	require.Empty(t, faults)
	require.Equal(t, "bekasi", c.City.ID)
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	text := strings.Replace(good, "{id: broker, type: broker}", "{id: broker, type: broker, listen: \"0.0.0.0:1883\"}", 1) +
		"http: {admin_listen: \"0.0.0.0:9090\"}\nretention: {money: 1000d}\n"
	c, faults := config.Parse("simpang.yaml", []byte(strings.Replace(text, "localhost:1884", "far.example:1884", 1)), nil, nil)
	require.Empty(t, faults)
	var all []string
	for _, w := range c.Warnings {
		all = append(all, w.String())
	}
	require.Len(t, all, 4, "%v", all)
	require.Contains(t, all[0], "simpang.yaml:8: http.admin_listen")
	require.Contains(t, all[1], "sources[0].listen")
	require.Contains(t, all[2], "sources[1].url sends the password in the clear")
	require.Contains(t, all[3], "retention.money")
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"7d": 168 * time.Hour, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "0s": 0, "0d": 0, "0": 0} {
		var d config.Duration
		require.NoError(t, d.UnmarshalScalar(text), text)
		require.Equal(t, want, d.Duration, text)
	}
	for _, text := range []string{"", "7", "d", "-1d", "-5m", "1.5d", "7 days", "99999999999d", "1w"} {
		var d config.Duration
		require.Error(t, d.UnmarshalScalar(text), text)
	}
	require.Equal(t, "7d", config.Duration{Duration: 168 * time.Hour}.String())
	require.Equal(t, "1m30s", config.Duration{Duration: 90 * time.Second}.String())
}

func TestSecret(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte("geheim\r\n"), 0o600))
	s, err := config.ReadSecret(file)
	require.NoError(t, err)
	require.Equal(t, "geheim", s.Reveal())
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "a", s, "b", struct{ S config.Secret }{s})
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "a", s, "b", struct{ S config.Secret }{s})
	shown := fmt.Sprintf("%s %v %+v %#v %q", s, s, struct{ S config.Secret }{s}, s, s) + logged.String()
	require.NotContains(t, shown, "geheim")
	require.Contains(t, shown, "<secret>")

	require.NoError(t, os.WriteFile(file, []byte("\n"), 0o600))
	_, err = config.ReadSecret(file)
	require.ErrorContains(t, err, "is empty")
	_, err = config.ReadSecret(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good), "SIMPANG_HTTP_LISTEN=x", "log.level", "debug")
	if files, err := filepath.Glob("testdata/bad/*.yaml"); err == nil {
		for _, file := range files {
			if data, err := os.ReadFile(file); err == nil {
				f.Add(data, "SIMPANG_SOURCES_0_ID=", "sources.0.max_age", "1d")
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, env, key, value string) {
		c, faults := config.Parse("simpang.yaml", data, []string{env}, map[string]string{key: value})
		if (c == nil) != (len(faults) > 0) {
			t.Fatalf("config %v with faults %v", c, faults)
		}
		for _, fault := range faults {
			if fault.File == "simpang.yaml" && fault.Line < 1 || fault.Message == "" {
				t.Fatalf("fault without place or message: %+v", fault)
			}
		}
		if c != nil && (c.City.Zone == nil || len(c.Sources) == 0 || c.DataDir == "") {
			t.Fatalf("incomplete: %+v", c)
		}
	})
}
