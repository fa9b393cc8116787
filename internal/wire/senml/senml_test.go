package senml_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/native"
	"github.com/simpang-id/simpang/internal/wire/senml"
)

const now = 1_772_413_800_000

// The readings are shown in format native, refusals by their reason.
var cases = []struct{ name, pack, want string }{
	{
		"the facts' example", `[{"bn":"urn:dev:bks:spot-a017/","bt":1772413700,"n":"occupied","vb":true},{"n":"batt","u":"V","v":3.4}]`,
		`spot-a017 {"kind":"spot","boot":4503599627370496,"seq":14179309600001,"at":"2026-03-02T01:08:20Z","occupied":true,"battery_v":3.4}`,
	},
	{
		"base values add up, and hold until they change", `[{"bn":"d1/","bt":1772413700,"bu":"V","bv":3},{"n":"battery_v","v":0.5,"t":1.5},{"bn":"d2/","n":"battery_v","v":0.25}]`,
		`d1 {"kind":"health","boot":4503599627370496,"seq":14179309612006,"at":"2026-03-02T01:08:21.5Z","battery_v":3.5}` +
			` d2 {"kind":"health","boot":4503599627370496,"seq":14179309600006,"at":"2026-03-02T01:08:20Z","battery_v":3.25}`,
	},
	{
		"relative times", `[{"bn":"d1/","bt":-60,"n":"occupied","vb":true},{"n":"occupied","vb":false,"t":50}]`,
		`d1 {"kind":"spot","boot":4503599627370496,"seq":14179309920001,"at":"2026-03-02T01:09:00Z","occupied":true}` +
			` d1 {"kind":"spot","boot":4503599627370496,"seq":14179310320001,"at":"2026-03-02T01:09:50Z","occupied":false}`,
	},
	{
		"no time at all is now", `[{"n":"occupied","vb":true}]`,
		`topic {"kind":"spot","boot":4503599627370496,"seq":14179310400001,"at":"2026-03-02T01:10:00Z","occupied":true}`,
	},
	{
		"a passage with seq", `[{"bn":"g1:","n":"direction","vs":"out"},{"n":"class","vs":"car"},{"n":"count","v":2},{"n":"boot","v":3},{"n":"seq","v":7}]`,
		`g1 {"kind":"gate","boot":3,"seq":7,"at":"2026-03-02T01:10:00Z","direction":"out","class":"car","count":2}`,
	},
	{
		"a count", `[{"bn":"c1/","bt":1772413700},{"n":"occupied","v":12},{"n":"class","vs":"motorcycle"}]`,
		`c1 {"kind":"count","boot":4503599627370496,"seq":14179309600003,"at":"2026-03-02T01:08:20Z","class":"motorcycle","occupied":12}`,
	},
	{
		"health", `[{"bn":"d1/","bt":1772413700},{"n":"firmware","vs":"1.2"},{"n":"error","vs":"radar"},{"n":"uptime_s","v":60},{"n":"colour","vs":"red"}]`,
		`d1 {"kind":"health","boot":4503599627370496,"seq":14179309600006,"at":"2026-03-02T01:08:20Z","uptime_s":60,"firmware":"1.2","errors":["radar"]} ignored 1`,
	},
	{"mV", `[{"bn":"d1/","bt":1772413700,"n":"batt","u":"mV","v":3400}]`, `d1 {"kind":"health","boot":4503599627370496,"seq":14179309600006,"at":"2026-03-02T01:08:20Z","battery_v":3.4}`},
	{"one that is refused harms no other", `[{"bn":"d1/","bt":1772413700,"n":"occupied","vb":true},{"bn":"d2/","n":"occupied","vs":"yes"}]`, `d1 {"kind":"spot","boot":4503599627370496,"seq":14179309600001,"at":"2026-03-02T01:08:20Z","occupied":true} missing_member`},
	{"a passage that could count twice", `[{"bn":"g1/","n":"direction","vs":"in"},{"n":"class","vs":"car"}]`, "missing_member"},
	{"no array", `{"n":"x","v":1}`, "not_json"},
	{"cut off", `[{"n":"x","v":1}`, "not_json"},
	{"an empty pack", `[]`, "missing_member"},
	{"null", `[null]`, "missing_member"},
	{"a member that must be understood", `[{"n":"x","v":1,"foo_":1}]`, "wrong_type"},
	{"another version", `[{"bver":11,"n":"d1/occupied","vb":true}]`, "wrong_type"},
	{"a text for a number", `[{"n":"batt","v":"3"}]`, "wrong_type"},
	{"twice", `[{"n":"d1/occupied","vb":true},{"n":"d1/occupied","vb":false}]`, `d1 {"kind":"spot","boot":4503599627370496,"seq":14179310400001,"at":"2026-03-02T01:10:00Z","occupied":true} impossible_value`},
	{"an impossible battery", `[{"n":"batt","v":3400}]`, "impossible_value"},
	{"an impossible time", `[{"n":"occupied","vb":true,"t":1e300}]`, "impossible_value"},
	{"half a vehicle", `[{"n":"occupied","v":1.5},{"n":"class","vs":"car"}]`, "wrong_type"},
	{"boot alone", `[{"n":"occupied","vb":true},{"n":"boot","v":1}]`, "missing_member"},
}

func shown(d wire.Decoded) string {
	var words []string
	for i := range d.Readings {
		words = append(words, d.Readings[i].Device, string(native.Encode(&d.Readings[i])))
	}
	for _, r := range d.Refused {
		words = append(words, string(r.Reason))
	}
	if d.Ignored > 0 {
		words = append(words, "ignored", string('0'+rune(d.Ignored)))
	}
	return strings.Join(words, " ")
}

func TestPacks(t *testing.T) {
	for _, c := range cases {
		require.Equal(t, c.want, shown(senml.Decode("topic", []byte(c.pack), now)), c.name)
	}
}

func TestRetriedRelativeTimesAreRefused(t *testing.T) {
	d := senml.Decode("topic", []byte(`[{"n":"occupied","vb":true}]`), 0)
	require.Empty(t, d.Readings)
	require.Contains(t, d.Refused[0].Detail, "retried")
}

func FuzzDecode(f *testing.F) {
	for _, c := range cases {
		f.Add([]byte(c.pack))
	}
	f.Fuzz(func(t *testing.T, pack []byte) {
		d := senml.Decode("topic", pack, now)
		require.Equal(t, shown(d), shown(senml.Decode("topic", pack, now)))
		require.NotZero(t, len(d.Readings)+len(d.Refused), "every pack is a reading or refused")
		for i := range d.Readings {
			r := &d.Readings[i]
			require.NotEmpty(t, r.Device)
			if r.Spot != nil { // what was taken is what native would take
				again := native.Decode(r.Device, native.Encode(r))
				require.Empty(t, again.Refused)
			}
			_, err := json.Marshal(r)
			require.NoError(t, err)
		}
		for _, r := range d.Refused {
			require.NotEmpty(t, r.Detail)
			require.Equal(t, pack, r.Raw)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	pack := []byte(cases[0].pack)
	b.ReportAllocs()
	for b.Loop() {
		if d := senml.Decode("topic", pack, now); len(d.Readings) != 1 {
			b.Fatal(d.Refused)
		}
	}
}
