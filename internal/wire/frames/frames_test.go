package frames_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire/frames"
)

var update = flag.Bool("update", false, "write expected.json of the cases anew; read the difference before you commit it")

type refusal struct {
	Reason        city.Reason
	Detail        string
	Seq, Boot, At city.Int
}

type expected struct {
	Device   string         `json:",omitempty"`
	Readings []city.Reading `json:",omitempty"`
	Refused  []refusal      `json:",omitempty"`
	Ignored  int            `json:",omitempty"`
}

func TestCases(t *testing.T) {
	inputs, err := filepath.Glob("testdata/cases/*/input")
	require.NoError(t, err)
	require.NotEmpty(t, inputs)
	for _, input := range inputs {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			line, err := os.ReadFile(input)
			require.NoError(t, err)
			d, device := frames.Decode(line)
			e := expected{Device: device, Readings: d.Readings, Ignored: d.Ignored}
			for _, r := range d.Refused {
				require.Equal(t, line, r.Raw)
				e.Refused = append(e.Refused, refusal{r.Reason, r.Detail, r.Seq, r.Boot, r.At})
			}
			text, err := json.MarshalIndent(e, "", "  ")
			require.NoError(t, err)
			name := filepath.Join(dir, "expected.json")
			if *update {
				require.NoError(t, os.WriteFile(name, append(text, '\n'), 0o600))
			}
			want, err := os.ReadFile(name)
			require.NoError(t, err)
			require.Equal(t, string(want), string(text)+"\n")
		})
	}
}

func TestAck(t *testing.T) {
	for _, c := range []struct {
		want frames.Acked
		line string
	}{
		{frames.Acked{Device: "A-017", HasBoot: true, Boot: 3, Seq: 41}, "$PSGAK,A-017,3,41*0E\r\n"},
		{frames.Acked{Device: "A-017", Seq: 18446744073709551615}, "$PSGAK,A-017,,18446744073709551615*39\r\n"},
	} {
		line := frames.Ack(c.want.Device, c.want.HasBoot, c.want.Boot, c.want.Seq)
		require.Equal(t, c.line, string(line))
		got, err := frames.ParseAck(line)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	for _, line := range []string{"", "$PSGAK,A-017,3,41*00\r\n", "$PSGSP,A-1,3,41,1772414100123,1*44\r\n", "PSGAK,A-017,3,41"} {
		_, err := frames.ParseAck([]byte(line))
		require.ErrorIs(t, err, frames.ErrNoAck, line)
	}
}

func TestEncodeRefuses(t *testing.T) {
	spot := &city.Spot{}
	for name, r := range map[string]city.Reading{
		"comma in the device":     {Device: "a,b", Kind: city.KindSpot, Spot: spot},
		"asterisk in the receipt": {Device: "a", Kind: city.KindReceipt, Receipt: &city.Receipt{Number: "1*2"}},
		"line end in the device":  {Device: "a\n", Kind: city.KindSpot, Spot: spot},
		"no UTF-8":                {Device: "a\xff", Kind: city.KindSpot, Spot: spot},
		"too long":                {Device: string(bytes.Repeat([]byte("a"), 255)), Kind: city.KindSpot, Spot: spot},
		"two lanes":               {Device: "a", Kind: city.KindTraffic, Traffic: &city.Traffic{PeriodS: 60, Lanes: make([]city.Lane, 2)}},
		"vehicles of no class":    {Device: "a", Kind: city.KindTraffic, Traffic: &city.Traffic{PeriodS: 60, Lanes: []city.Lane{{Lane: 1, HasCounts: true, Unknown: 1}}}},
		"two vehicles at a gate":  {Device: "a", Kind: city.KindGate, Gate: &city.Gate{Class: city.Car, Count: 2}},
		"health":                  {Device: "a", Kind: city.KindHealth, Health: &city.Health{}},
	} {
		_, err := frames.Encode(&r)
		require.ErrorIs(t, err, frames.ErrCannotSay, name)
	}
}

// said is what a scanner gave, as text.
func said(s *frames.Scanner, pieces ...[]byte) (out []string) {
	for _, p := range pieces {
		s.Feed(p, func(line []byte, r *city.Refusal) {
			if r != nil {
				out = append(out, fmt.Sprintf("%s %d", r.Reason, len(r.Raw)))
				return
			}
			out = append(out, string(line))
		})
	}
	return out
}

func TestScanner(t *testing.T) {
	const good = "$PSGAK,A-017,3,41*0E\r\n"
	long := string(bytes.Repeat([]byte("x"), 300))
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"two", good + good, []string{good, good}},
		{"blank lines", "\r\n\r\n" + good + "\n\r\n", []string{good}},
		{"LF alone", "$PSGAK,A-017,3,41*0E\n", []string{"$PSGAK,A-017,3,41*0E\n"}},
		{"noise before", "\x00\xffabc" + good, []string{"not_frame 5", good}},
		{"noise with line ends", "ab\ncd\r\n" + good, []string{"not_frame 2", "not_frame 3", good}},
		{"long noise", long + good, []string{"not_frame 255", good}},
		{"cut off", "$PSGAK,A-0" + good, []string{"not_frame 10", good}},
		{"bad checksum", "$PSGAK,A-017,3,41*7E\r\n" + good, []string{"bad_checksum 22", good}},
		{"too long", "$" + long + "\r\n" + good, []string{"line_too_long 255", good}},
		{"too long without end", "$" + long + good, []string{"line_too_long 255", good}},
		{"a sentence behind a long one that was cut off", "$" + long[:240] + good, []string{"not_frame 241", good}},
		{"dollar in noise", "$$$" + good, []string{"not_frame 1", "not_frame 1", "not_frame 1", good}},
		{"not whole yet", "$PSGAK,A-017,3,41*0E\r", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, said(new(frames.Scanner), []byte(c.in)))
		})
	}
}

func TestScannerBoundsNoise(t *testing.T) {
	noise := bytes.Repeat([]byte{0xAA}, 10*4096)
	require.Len(t, said(new(frames.Scanner), noise), 10)
}

func seeds(f *testing.F) {
	f.Helper()
	inputs, err := filepath.Glob("testdata/cases/*/input")
	require.NoError(f, err)
	for _, name := range inputs {
		line, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(line)
	}
}

// FuzzDecode seals what it is given, so that most tries pass the checksum; it
// reads acknowledgements too.
func FuzzDecode(f *testing.F) {
	seeds(f)
	f.Add(frames.Ack("A-017", true, 3, 41))
	f.Add(frames.Ack("A-017", false, 0, 1<<63))
	f.Fuzz(func(t *testing.T, line []byte) {
		check(t, line)
		if i := bytes.LastIndexByte(line, '*'); i > 0 && line[0] == '$' {
			var sum byte
			for _, c := range line[1:i] {
				sum ^= c
			}
			sealed := fmt.Appendf(nil, "%s*%02X\r\n", line[:i], sum)
			check(t, sealed)
			if a, err := frames.ParseAck(sealed); err == nil {
				again, err := frames.ParseAck(frames.Ack(a.Device, a.HasBoot, a.Boot, a.Seq))
				require.NoError(t, err)
				require.Equal(t, a, again)
			}
		}
	})
}

func check(t *testing.T, line []byte) {
	t.Helper()
	kept := bytes.Clone(line)
	d, device := frames.Decode(line)
	require.Equal(t, kept, line)
	require.Equal(t, 1, len(d.Readings)+len(d.Refused))
	for i, r := range d.Readings {
		require.Equal(t, device, r.Device)
		again, err := frames.Encode(&d.Readings[i])
		if err != nil { // a speed of 000.1 may be longer when written anew; nothing else may fail
			require.Greater(t, len(line), 200, err)
			continue
		}
		back, _ := frames.Decode(again)
		require.Equal(t, []city.Reading{r}, back.Readings)
	}
	for _, r := range d.Refused {
		require.Contains(t, city.Reasons, r.Reason)
		require.NotEmpty(t, r.Detail)
	}
}

// FuzzScanner: however the stream is cut, the same is said; a sentence behind
// any noise is found; every line that is given is a whole one.
func FuzzScanner(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, stream []byte) {
		whole := said(new(frames.Scanner), stream)
		half := len(stream) / 2
		require.Equal(t, whole, said(new(frames.Scanner), stream[:half], stream[half:]))
		single := make([][]byte, 0, len(stream))
		for i := range stream {
			single = append(single, stream[i:i+1])
		}
		require.Equal(t, whole, said(new(frames.Scanner), single...))

		const good = "$PSGAK,A-017,3,41*0E\r\n"
		after := said(new(frames.Scanner), stream, []byte("\r\n"+good))
		require.Equal(t, good, after[len(after)-1])
		new(frames.Scanner).Feed(stream, func(line []byte, r *city.Refusal) {
			require.NotEqual(t, r == nil, line == nil)
			if line != nil {
				d, _ := frames.Decode(line)
				for _, r := range d.Refused {
					require.NotContains(t, []city.Reason{city.ReasonChecksum, city.ReasonLineTooLong}, r.Reason)
				}
			}
		})
	})
}

func BenchmarkDecode(b *testing.B) {
	line, err := frames.Encode(&city.Reading{Device: "spot-a017", Kind: city.KindSpot, HasBoot: true, Boot: 3, Seq: 41872, At: 1772414100123, Spot: &city.Spot{Occupied: true}})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if d, _ := frames.Decode(line); len(d.Readings) != 1 {
			b.Fatal(d.Refused)
		}
	}
}
