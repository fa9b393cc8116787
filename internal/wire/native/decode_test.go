package native_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/native"
)

var update = flag.Bool("update", false, "write expected.json of the cases anew; read the difference before you commit it")

type refusal struct {
	Index         int
	Reason        city.Reason
	Detail        string
	Raw           string
	Seq, Boot, At city.Int
}

type expected struct {
	Readings []city.Reading `json:",omitempty"`
	Refused  []refusal      `json:",omitempty"`
	Ignored  int            `json:",omitempty"`
}

func dump(t *testing.T, d wire.Decoded) string {
	t.Helper()
	e := expected{Readings: d.Readings, Ignored: d.Ignored}
	for _, r := range d.Refused {
		e.Refused = append(e.Refused, refusal{r.Index, r.Reason, r.Detail, string(r.Raw), r.Seq, r.Boot, r.At})
	}
	text, err := json.MarshalIndent(e, "", "  ")
	require.NoError(t, err)
	return string(text) + "\n"
}

func TestCases(t *testing.T) {
	inputs, err := filepath.Glob("testdata/cases/*/input")
	require.NoError(t, err)
	require.NotEmpty(t, inputs)
	for _, input := range inputs {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			payload, err := os.ReadFile(input)
			require.NoError(t, err)
			got := dump(t, native.Decode("dev-1", payload))
			name := filepath.Join(dir, "expected.json")
			if *update {
				require.NoError(t, os.WriteFile(name, []byte(got), 0o600))
			}
			want, err := os.ReadFile(name)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

func TestTooLarge(t *testing.T) {
	reading := `{"kind":"spot","seq":7,"at":"2026-03-02T08:15:00+07:00","occupied":true}`
	payload := []byte(reading + strings.Repeat(" ", wire.MaxPayload-len(reading)))
	require.Len(t, native.Decode("dev-1", payload).Readings, 1, "64 KiB are taken")

	payload = append(payload, ' ')
	d := native.Decode("dev-1", payload)
	require.Empty(t, d.Readings)
	require.Len(t, d.Refused, 1)
	require.Equal(t, city.ReasonTooLarge, d.Refused[0].Reason)
	require.Equal(t, payload, d.Refused[0].Raw)
}

func TestInstantsAndNumbers(t *testing.T) {
	for _, c := range []struct{ at, seq, battery, want string }{
		{"2024-02-29T23:59:59.9Z", "0", "0", "2024-02-29T23:59:59.9Z 0 0"},
		{"2026-03-02t08:15:00z", "-0", "-0.0", "2026-03-02T08:15:00Z 0 0"},
		{"2026-03-02T00:15:00-11:30", "10e-1", "3.6004", "2026-03-02T11:45:00Z 1 3.6"},
		{"2026-03-02T00:15:00+23:59", "120000000000000000000e-19", "3.6005", "2026-03-01T00:16:00Z 12 3.601"},
		{"2026-03-02T24:00:00Z", "1", "1", "impossible_value"},
		{"2026-03-02T23:59:60Z", "1", "1", "2026-03-03T00:00:00Z 1 1"},
		{"2026-03-02T23:58:60Z", "1", "1", "impossible_value"},
		{"2100-02-29T00:00:00Z", "1", "1", "impossible_value"},
		{"0001-01-01T00:00:00+01:00", "1", "1", "impossible_value"},
		{"2026-03-02T08:15:00+0700", "1", "1", "wrong_type"},
		{"2026-03-02 08:15:00Z", "1", "1", "wrong_type"},
		{"2026-03-02T08:15:00.Z", "1", "1", "wrong_type"},
		{"2026-03-02T08:15:00Z", "1.5", "1", "wrong_type"},
		{"2026-03-02T08:15:00Z", "1e99999999999", "1", "impossible_value"},
		{"2026-03-02T08:15:00Z", "1e-99999999999", "1", "wrong_type"},
		{"2026-03-02T08:15:00Z", "1", "1e-99999999999", "2026-03-02T08:15:00Z 1 0"},
		{"2026-03-02T08:15:00Z", "1", "1e30", "impossible_value"},
		{"2026-03-02T08:15:00Z", "01", "1", "not_json"},
		{"2026-03-02T08:15:00Z", "1.", "1", "not_json"},
		{"2026-03-02T08:15:00Z", "+1", "1", "not_json"},
		{"2026-03-02T08:15:00Z", "1", "NaN", "not_json"},
	} {
		t.Run(c.at+" "+c.seq+" "+c.battery, func(t *testing.T) {
			d := native.Decode("dev-1", []byte(`{"kind":"health","seq":`+c.seq+`,"at":"`+c.at+`","battery_v":`+c.battery+`}`))
			if len(d.Refused) > 0 {
				require.Equal(t, c.want, string(d.Refused[0].Reason))
				return
			}
			var again struct {
				At      string
				Seq     json.Number
				Battery json.Number `json:"battery_v"`
			}
			require.NoError(t, json.Unmarshal(native.Encode(&d.Readings[0]), &again))
			require.Equal(t, c.want, again.At+" "+again.Seq.String()+" "+again.Battery.String())
		})
	}
}

func TestEncodeArray(t *testing.T) {
	payload := []byte(`[` + benched["spot"] + `,` + benched["traffic"] + `,` + benched["receipt"] + `]`)
	d := native.Decode("dev-1", payload)
	require.Empty(t, d.Refused)
	again := native.Decode("dev-1", native.EncodeArray(d.Readings))
	require.Equal(t, d.Readings, again.Readings)
	require.Empty(t, again.Refused)
	require.Len(t, d.Elements, len(d.Readings))
	require.Equal(t, benched["traffic"], string(d.Elements[1]), "each reading's own bytes")
}

func FuzzDecode(f *testing.F) {
	inputs, err := filepath.Glob("testdata/cases/*/input")
	require.NoError(f, err)
	for _, name := range inputs {
		payload, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		kept := bytes.Clone(payload)
		d := native.Decode("dev-1", payload)
		require.Equal(t, kept, payload, "the payload is left as it was")
		elements(t, payload, d)
		for i, r := range d.Readings {
			require.Equal(t, "dev-1", r.Device)
			again := native.Decode("dev-1", native.Encode(&d.Readings[i]))
			require.Empty(t, again.Refused)
			require.Equal(t, []city.Reading{r}, again.Readings)
		}
		for _, r := range d.Refused {
			require.NotEmpty(t, r.Detail)
			require.Contains(t, city.Reasons, r.Reason)
			if len(r.Raw) > 0 && r.Raw[0] == '{' { // a retry says the same
				again := native.Decode("dev-1", r.Raw)
				require.Len(t, again.Refused, 1)
				require.Equal(t, r.Reason, again.Refused[0].Reason)
			}
		}
	})
}

// elements holds Decode against the standard library: what is JSON to it and
// an object or a filled array is taken element by element.
func elements(t *testing.T, payload []byte, d wire.Decoded) {
	t.Helper()
	n := 1
	var list []json.RawMessage
	if json.Unmarshal(payload, &list) == nil && len(list) > 0 {
		n = len(list)
	}
	whole := len(d.Readings) == 0 && len(d.Refused) == 1 && (d.Refused[0].Reason == city.ReasonNotJSON || d.Refused[0].Reason == city.ReasonTooLarge)
	if !whole {
		require.Equal(t, n, len(d.Readings)+len(d.Refused))
		require.True(t, json.Valid(payload), "taken, so it is JSON")
		return
	}
	first := bytes.TrimLeft(payload, " \t\r\n")
	if json.Valid(payload) && len(first) > 0 && (first[0] == '{' || n > 1) && len(payload) <= wire.MaxPayload {
		require.True(t, strings.Contains(d.Refused[0].Detail, "deep") || strings.Contains(d.Refused[0].Detail, "UTF-8"),
			"JSON that is refused: %s", d.Refused[0].Detail)
	}
}
