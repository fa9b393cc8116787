package influx

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// FuzzQuote: what is quoted is one literal of plain characters and bytes in hex,
// whatever it was.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "plain-1", `") |> drop()`, "${x}", `\`, "\x00é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q := quote(s)
		require.Equal(t, byte('"'), q[0])
		require.Equal(t, byte('"'), q[len(q)-1])
		inner := q[1 : len(q)-1]
		require.NotContains(t, inner, `"`)
		require.NotContains(t, inner, "$")
		for i, part := range strings.Split(inner, `\`) {
			if i > 0 {
				require.Regexp(t, `^x[0-9a-f]{2}`, part)
			}
		}
	})
}

// FuzzLine: tags and texts never end the line or the point's part in which they
// stand.
func FuzzLine(f *testing.F) {
	f.Add("Bekasi Timur", `a "b" \ c`)
	f.Add("x,y=z\n\\", "\n\r\x00")
	f.Fuzz(func(t *testing.T, tag, text string) {
		p := &fields{b: append(appendTag([]byte("m"), "k", tag), ' ')}
		p.text("s", text)
		p.int("n", 1)
		line := string(p.end(5))
		require.Equal(t, 1, strings.Count(line, "\n"))
		require.True(t, strings.HasSuffix(line, "n=1i 5\n"))
		// Outside of escapes and strings there are two blanks, whatever was written.
		blanks, in := 0, false
		for i := 0; i < len(line); i++ {
			switch {
			case line[i] == '\\':
				i++
			case line[i] == '"':
				in = !in
			case line[i] == ' ' && !in:
				blanks++
			}
		}
		if !strings.Contains(tag, `"`) { // quotes mean nothing in tags
			require.False(t, in)
			require.Equal(t, 2, blanks)
		}
	})
}

// FuzzDecode: a row of whatever columns is a reading or an error.
func FuzzDecode(f *testing.F) {
	f.Add("spot", "seq", int64(1), 2.5, "x", uint8(0))
	f.Add("traffic", "lane", int64(1), 2.5, "7", uint8(2))
	f.Fuzz(func(t *testing.T, measurement, key string, n int64, x float64, text string, pick uint8) {
		values := map[string]any{"_measurement": measurement, "_time": timeOf(n), "seq": int64(1), "pos": int64(1), "recv": int64(1), "occupied": n, "in": n, "period_s": n, "lane": "1", "place": n, "lanes": n}
		switch pick % 4 {
		case 0:
			values[key] = n
		case 1:
			values[key] = x
		case 2:
			values[key] = text
		default:
			delete(values, key)
		}
		p, err := decode(values, "d")
		if err == nil {
			require.Equal(t, measurement, p.entry.Reading.Kind.String())
		}
	})
}

// Readings of one device and time have times of their own, up to a million of
// them; the digits say nothing of the journal.
func TestTimesOfTheirOwn(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		boot, seq := rapid.Uint64().Draw(r, "boot"), rapid.Uint64Range(0, math.MaxUint64-2_000_000).Draw(r, "seq")
		seen := map[int64]bool{}
		for i := range uint64(50) {
			at := nanos(1_790_000_000_000, tieOf(boot, seq+i*19_999))
			require.False(t, seen[at])
			seen[at] = true
			require.Equal(t, int64(1_790_000_000_000), at/nsPerMs)
		}
		next := tieOf(boot+1, seq)
		for i := range uint64(1000) { // a boot later it does not begin where the last ones were
			require.NotEqual(t, next, tieOf(boot, seq+i))
		}
	})
	require.Negative(t, nanos(-1<<62, 0))
	require.Positive(t, nanos(1<<62, 999_999))
}

func timeOf(ns int64) time.Time { return time.Unix(0, ns) }
