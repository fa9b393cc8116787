package codec_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/strictyaml"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/codec"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// load reads a file of one codec whose readings are given.
func load(readings string) ([]codec.Codec, []string) {
	return loadFile("codecs:\n  - profile: x\n    file: x.js\n    readings:\n" + readings)
}

func loadFile(text string) ([]codec.Codec, []string) {
	var f codec.File
	doc, faults := strictyaml.Decode([]byte(text), &f)
	var said []string
	for _, fault := range faults {
		said = append(said, fault.Message)
	}
	if len(said) > 0 {
		return nil, said
	}
	all, problems := codec.Load(&f)
	for _, p := range problems {
		if !doc.Has(strings.TrimSuffix(p.Path, ".")) && doc.Line(p.Path) == 1 {
			said = append(said, "(no line) "+p.Path)
		}
		said = append(said, p.Path+" "+p.Message)
	}
	return all, said
}

var data = map[string]any{
	"n": 5.0, "half": 0.5, "yes": true, "word": "parking", "big": 1e300, "nothing": nil, "time": "2026-03-02T01:15:00Z", "digits": " 42 ",
	"list": []any{1.0, "two", nil}, "o": map[string]any{"deep": map[string]any{"n": 3.0}, "a b": 7.0},
}

func apply(tb testing.TB, readings string) (vendors.Said, error) {
	tb.Helper()
	all, faults := load(readings)
	require.Empty(tb, faults, readings)
	return all[0].Mapping.Apply(&vendors.Device{Class: city.Car, PeriodS: 60, Lanes: 3}, &codec.Call{Port: 7, Payload: []byte{1, 200}}, data, []string{"low"})
}

// What an expression is.
func TestExpressions(t *testing.T) {
	for text, want := range map[string]any{
		`data.n == 5`: true, `data.n != 5`: false, `data.n % 2 == 1`: true, `data["n"] > 4.5 and not data.yes`: false, `data.o.deep.n == 3`: true,
		`data.o["a b"] == 7`: true, `data?.gone == 1`: false, `data?.gone?.deeper == nil`: true, `data?.nothing == "x"`: false, `(data?.gone ?? 3) == 3`: true,
		`data.word in ["parking", "x"]`: true, `data.word not in ["parking"]`: false, `"n" in data`: true, `"gone" in data`: false, `"nothing" in data`: false,
		`data.word startsWith "park" && data.word matches "^p.r"`: true, `data.list[1] == "two"`: true, `data?.list[9] == nil`: "there is no element 9: write ?. before it where it may be missing",
		`bytes[1] == 200 and len(bytes) == 2 and port == 7`: true, `"low" in warnings`: true, `bitand(bytes[1], 0x40) != 0`: true, `shr(bytes[1], 4) == 12`: true,
		`shl(data.n, 60) > 0`: "shl gives more than 9007199254740992", `data.yes ? data.n > 9 : data.gone`: false, `data.half * 2 == 1 and -data.n < 0 and data.n ** 2 == 25`: true,
		`round(data.half * 3) == 2 and floor(1.5) == 1 and ceil(1.5) == 2 and int(-1.5) == -1 and abs(-2) == 2 and min(1, 2) == 1 and max(1, 2) == 2`: true,
		`number(data.digits) == 42 and lower("A") == "a" and upper("a") == "A" and trim(" a ") == "a"`:                                                true,

		// Nothing is guessed.
		`data.gone == 1`: "there is no gone: write ?. before it where it may be missing", `data.nothing == 1`: "there is no nothing: write ?. before it where it may be missing",
		`data.word == 5`: "a text is compared with a number", `data.n == "5"`: "a number is compared with a text", `data.o == data.o`: "an object is compared: only true, false, numbers and texts can be",
		`data.n in ["5"]`: "a number is compared with a text", `data.word.x == 1`: "x is asked of a text, which is no object", `data.list["x"] == 1`: "an element of a list has a whole number",
		`data.n`: "readings[0].occupied is a number, and it must be true or false", `data?.gone`: "readings[0].occupied is nil, and a reading of kind spot must have it: let when choose the payloads that do",
		`data.n % 0 == 1`: "% by 0", `data.word % 2 == 1`: "% of a text", `bitand(data.half, 1) == 1`: "bitand is of whole numbers from 0 on", `number(data.word) == 1`: "number of a text that is none",
		`lower(data.n) == "x"`: "lower of a number", `len(data.n) == 1`: "len of a number", `data.n in data.n`: "in is of a list or an object, not of a number",
		`data[5] == 1`: "a member has a name, and it is a number",
	} {
		said, err := apply(t, "      - {kind: spot, occupied: '"+strings.ReplaceAll(text, "'", "''")+"'}\n")
		if detail, ok := want.(string); ok {
			require.ErrorContains(t, err, detail, text)
			require.Empty(t, said)
			continue
		}
		require.NoError(t, err, text)
		require.Equal(t, want, said.Spot.Occupied, text)
	}
	for _, text := range []string{`data.word > 5`, `data.n + data.word == 1`, `!data.n`, `data.yes and data.n`, `data.n ? true : false`, `data.n contains "x"`, `data.n matches "x"`, `-data.word == 1`} {
		_, err := apply(t, "      - {kind: spot, occupied: '"+text+"'}\n")
		var refused *wire.RefusedError
		require.ErrorAs(t, err, &refused, text)
		require.Equal(t, city.ReasonWrongType, refused.Reason, text)
		require.NotContains(t, err.Error(), "parking", "nothing of the payload")
		t.Log(err)
	}
}

func TestReadings(t *testing.T) {
	at := city.SomeInt(1_772_414_100_000)
	for readings, want := range map[string]vendors.Said{
		`{kind: spot, occupied: data.yes, battery_v: data.n - data.half, temperature_c: -2.5, dwell_s: data.n * 60, at: data.time}`: {
			Spot: &city.Spot{Occupied: true, Battery: city.SomeMilli(4500), Temperature: city.SomeMilli(-2500), DwellS: city.SomeInt(300)}, At: at,
		},
		`{kind: spot, occupied: "true", battery_v: 'data?.gone', at: 'data?.gone'}`: {Spot: &city.Spot{Occupied: true}},
		`{kind: gate, direction: in}`: {Gate: &city.Gate{Class: city.Car, Count: 1}},
		`{kind: gate, direction: 'data.yes ? "out" : "in"', class: bus, count: data.n, at: data.n * 1000}`: {Gate: &city.Gate{Out: true, Class: city.Bus, Count: 5}, At: city.SomeInt(5000)},
		`{kind: gate, direction: out, total: data.n}`:                                                      {Gate: &city.Gate{Out: true, Class: city.Car, Total: city.SomeInt(5)}},
		`{kind: count, occupied: data.n}`:                                                                  {Count: &city.Count{Class: city.Car, Occupied: 5}},
		`{kind: traffic, period_s: 300, lanes: [{SM: 1, KR: data.n, speed_kmh: 40.5, occupancy_pct: 3}, {direction: backward, lane: 2, unknown: 'data?.gone'}, {lane: 3, SM: 1, KB: 'data?.gone'}]}`: {Traffic: &city.Traffic{PeriodS: 300, Lanes: []city.Lane{
			{Lane: 1, HasCounts: true, SM: 1, KR: 5, Speed: city.SomeMilli(40_500), Occupancy: city.SomeMilli(3000)}, {Lane: 2, Backward: true}, {Lane: 3},
		}}},
		`{kind: traffic, whole_direction: true, lanes: [{total: data.n}]}`: {Traffic: &city.Traffic{PeriodS: 60, Lanes: []city.Lane{
			{Lane: 1, Total: city.SomeInt(5)}, {Lane: 2, HasCounts: true}, {Lane: 3, HasCounts: true},
		}}},
		`{kind: health, battery_v: 3.6, battery_pct: 80, uptime_s: 9, firmware: 1.25, errors: '["a", data?.gone, ""]'}`: {
			Health: &city.Health{Battery: city.SomeMilli(3600), BatteryPct: city.SomeMilli(80_000), UptimeS: city.SomeInt(9), Firmware: "1.25", Errors: []string{"a"}},
		},
		`{kind: health}`: {Health: &city.Health{}},
		"{kind: spot, when: data.n == 4, occupied: data.gone}\n      - {kind: health, when: port == 7, firmware: '\"a\"'}\n      - {kind: health, firmware: '\"b\"', errors: data.word}": {
			Health: &city.Health{Firmware: "a", Errors: []string{"parking"}},
		},
		"{kind: gate, direction: in, count: 2}\n      - {kind: gate, direction: out, count: data.n}": {
			Gate: &city.Gate{Class: city.Car, Count: 2}, More: []vendors.Said{{Gate: &city.Gate{Out: true, Class: city.Car, Count: 5}}},
		},
	} {
		said, err := apply(t, "      - "+readings+"\n")
		require.NoError(t, err, readings)
		require.Equal(t, want, said, readings)
	}
}

func TestRefusedReadings(t *testing.T) {
	for readings, want := range map[string]struct {
		reason city.Reason
		detail string
	}{
		`{kind: spot, occupied: data.yes, battery_v: data.n * 100}`:                             {city.ReasonImpossible, "readings[0].battery_v is 500, and it can be 0 to 100"},
		`{kind: spot, occupied: data.yes, battery_v: data.n / 0}`:                               {city.ReasonImpossible, "readings[0].battery_v is +Inf, and it can be 0 to 100"},
		`{kind: spot, occupied: data.yes, temperature_c: data.big}`:                             {city.ReasonImpossible, "readings[0].temperature_c is 1e+300, and it can be -90 to 150"},
		`{kind: spot, occupied: data.yes, dwell_s: data.half}`:                                  {city.ReasonWrongType, "readings[0].dwell_s is no whole number"},
		`{kind: spot, occupied: data.yes, at: data.word}`:                                       {city.ReasonWrongType, "readings[0].at is no time of RFC 3339: of seconds write at: data.time * 1000"},
		`{kind: spot, occupied: data.yes, at: data.big}`:                                        {city.ReasonImpossible, "readings[0].at is 1e+300, and it can be 0 to 9.007199254740992e+15"},
		`{kind: spot, when: 'data?.gone', occupied: data.yes}`:                                  {city.ReasonWrongType, "readings[0].when is nil, and it must be true or false"},
		`{kind: spot, when: data.n == 4, occupied: data.yes}`:                                   {city.ReasonBadPayload, "no reading of its mapping fits what the codec said on port 7"},
		`{kind: gate, direction: data.word}`:                                                    {city.ReasonWrongType, "readings[0].direction is none of in, out"},
		`{kind: gate, direction: in, count: -data.n}`:                                           {city.ReasonImpossible, "readings[0].count is -5, and it can be 0 to 1e+06"},
		`{kind: gate, direction: in, count: 'data?.gone'}`:                                      {city.ReasonMissingMember, "readings[0].count is nil"},
		`{kind: gate, direction: in, total: 'data?.gone'}`:                                      {city.ReasonMissingMember, "readings[0].total is nil"},
		`{kind: count, class: data.word, occupied: 1}`:                                          {city.ReasonWrongType, "readings[0].class is none of car"},
		`{kind: traffic, lanes: [{SM: 1000000, KR: data.n}]}`:                                   {city.ReasonImpossible, "lane 1 has 1000005 vehicles"},
		`{kind: traffic, period_s: data.n * 1000, lanes: [{KR: 1}]}`:                            {city.ReasonImpossible, "readings[0].period_s is 5000, and it can be 1 to 3600"},
		`{kind: health, errors: data.list}`:                                                     {city.ReasonWrongType, "readings[0].errors has a number among its texts"},
		`{kind: health, firmware: data.yes}`:                                                    {city.ReasonWrongType, "readings[0].firmware is true or false, and it must be a text or a number"},
		"{kind: gate, direction: in, total: 1}\n      - {kind: gate, direction: out, total: 2}": {city.ReasonWrongType, "two of its readings tell a total at once"},
	} {
		said, err := apply(t, "      - "+readings+"\n")
		require.Empty(t, said)
		var refused *wire.RefusedError
		require.ErrorAs(t, err, &refused, readings)
		require.Equal(t, want.reason, refused.Reason, "%s: %v", readings, err)
		require.Contains(t, err.Error(), want.detail, readings)
	}
}

func TestFaultsOfAFile(t *testing.T) {
	for readings, want := range map[string]string{
		`{kind: lamp}`:                                                                                 `codecs[0].readings[0].kind is "lamp": write spot, gate, count, traffic or health`,
		`{kind: spot}`:                                                                                 `codecs[0].readings[0] has no occupied, which a reading of kind spot must have: add it`,
		`{kind: spot, occupied: data.}`:                                                                `codecs[0].readings[0].occupied is no expression (unexpected end of expression`,
		`{kind: spot, occupied: dta.x}`:                                                                `codecs[0].readings[0].occupied is no expression (unknown name dta`,
		`{kind: spot, occupied: "1"}`:                                                                  `codecs[0].readings[0].occupied is a number, and it must be true or false`,
		`{kind: spot, occupied: data.x, battery_v: "-1"}`:                                              `codecs[0].readings[0].battery_v is -1, and it can be 0 to 100`,
		`{kind: spot, occupied: data.x, class: car}`:                                                   `codecs[0].readings[0].class means nothing to kind spot: remove it (known: occupied, at, battery_v, dwell_s, temperature_c)`,
		`{kind: spot, ocupied: data.x}`:                                                                `unknown key codecs[0].readings[0].ocupied: did you mean occupied?`,
		`{kind: spot, when: data.x + 1, occupied: data.x}`:                                             ``,
		`{kind: spot, when: '"x"', occupied: data.x}`:                                                  `codecs[0].readings[0].when is a text, and it must be true or false`,
		`{kind: gate, direction: north}`:                                                               `codecs[0].readings[0].direction is no expression (unknown name north`,
		`{kind: gate, direction: in, count: 1, total: 2}`:                                              `codecs[0].readings[0].total stands beside count`,
		`{kind: traffic, lanes: [{SM: 1}, {KR: 1}]}`:                                                   `codecs[0].readings[0].lanes[1] is the lane of lanes[0] too: keep one`,
		`{kind: traffic, lanes: [{total: 1, KR: 1}]}`:                                                  `codecs[0].readings[0].lanes[0].total stands beside another count`,
		`{kind: traffic, lanes: [{lane: 99, direction: up}]}`:                                          `codecs[0].readings[0].lanes[0].lane is 99: write 1 to 64`,
		`{kind: health, errors: '{"a": 1}'}`:                                                           `loops, variables, slices and maps are not known here`,
		`{kind: health, errors: 'filter(data.list, # > 1)'}`:                                           `is no expression`,
		`{kind: health, errors: 'let x = data.a; x'}`:                                                  `loops, variables, slices and maps are not known here`,
		`{kind: health, errors: '1..1000000'}`:                                                         `the operator .. is not known here`,
		`{kind: health, errors: 'data.list[0:1]'}`:                                                     `loops, variables, slices and maps are not known here`,
		`{kind: health, errors: 'now()'}`:                                                              `is no expression`,
		`{kind: health, errors: 'data.list.join("x")'}`:                                                `is no expression`,
		`{kind: health, errors: 'repeat("x", 9)'}`:                                                     `is no expression`,
		`{kind: health, errors: 'data.a matches data.b'}`:                                              `a pattern is a text that stands there`,
		`{kind: health, errors: 'data.a matches "("'}`:                                                 `is no expression`,
		`{kind: health, errors: "` + strings.Repeat("a", 1001) + `"}`:                                  `is longer than 1000 bytes`,
		`{kind: health, battery_v: ` + strings.Repeat("1 + ", 150) + `1}`:                              `is no expression`,
		`{kind: health, battery_v: ` + strings.Repeat("(", 400) + `1` + strings.Repeat(")", 400) + `}`: ``,
	} {
		_, faults := load("      - " + readings + "\n")
		if want == "" {
			require.Empty(t, faults, readings)
			continue
		}
		require.NotEmpty(t, faults, readings)
		require.Contains(t, faults[0], want, readings)
		require.NotContains(t, faults[0], "(no line)")
	}
	for file, want := range map[string]string{
		`codecs: []`: `codecs has 0 codecs`,
		`codecs: [{profile: bosch-tps110, file: a, readings: [{kind: health}]}]`:                                         `codecs[0].profile is bosch-tps110, which is built in: give the codec a name of its own`,
		`codecs: [{profile: "a b", file: a, readings: [{kind: health}]}]`:                                                `codecs[0].profile is "a b": write the name that devices.csv uses`,
		`codecs: [{profile: a, readings: [{kind: health}]}]`:                                                             `codecs[0].file is missing`,
		`codecs: [{profile: a, file: a, sha256: 12, readings: [{kind: health}]}]`:                                        `codecs[0].sha256 is no SHA-256`,
		`codecs: [{profile: a, file: a, time_limit: 1h, readings: [{kind: health}]}]`:                                    `codecs[0].time_limit is "1h": write a time span from 1ms to 1s`,
		`codecs: [{profile: a, file: a}]`:                                                                                `codecs[0].readings has 0: name 1 to 8`,
		`codecs: [{profile: a, file: a, readings: [{kind: health}]}, {profile: a, file: a, readings: [{kind: health}]}]`: `codecs[1].profile is a, as that of codecs[0]`,
	} {
		_, faults := loadFile("\n" + file)
		require.NotEmpty(t, faults, file)
		require.Contains(t, faults[0], want, file)
	}
}
