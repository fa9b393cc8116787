package codec_test

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/strictyaml"
	"github.com/simpang-id/simpang/internal/wire/codec"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

const examples = "../../../configs/codecs"

type example struct {
	script  *codec.Script
	mapping *codec.Mapping
}

// exampleOf is one of the codecs that the configuration's example shows.
func exampleOf(tb testing.TB, profile string) *example {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(examples, "codecs.yaml"))
	require.NoError(tb, err)
	var f codec.File
	_, faults := strictyaml.Decode(text, &f)
	require.Empty(tb, faults)
	all, problems := codec.Load(&f)
	require.Empty(tb, problems)
	for _, one := range all {
		if one.Profile == profile {
			source, err := os.ReadFile(filepath.Join(examples, one.File))
			require.NoError(tb, err)
			return &example{compiled(tb, string(source)), one.Mapping}
		}
	}
	tb.Fatalf("there is no codec %s", profile)
	return nil
}

// read returns what the codec makes of a payload; ok is false where it refuses it.
func (x *example) read(tb testing.TB, d *vendors.Device, port uint8, payload []byte) (said vendors.Said, ok bool) {
	tb.Helper()
	call := codec.Call{Payload: payload, Port: port, At: 1_772_414_100_000}
	r := x.script.Decode(call, within(time.Minute))
	require.Equal(tb, codec.OK, r.Failure, "%+v", r)
	if len(r.Errors) > 0 {
		return said, false
	}
	said, err := x.mapping.Apply(d, &call, r.Data, r.Warnings)
	require.NoError(tb, err)
	return said, true
}

// A codec and our own decoder of the same device say the same, member by member.
func TestACodecSaysWhatTheBuiltInDecoderSays(t *testing.T) {
	for profile, builtIn := range map[string]string{"example-nps405": "nwave-nps405", "example-ncc405": "nwave-ncc405"} {
		x, compared, refused := exampleOf(t, profile), 0, 0
		same := func(port uint8, payload []byte) {
			t.Helper()
			d := &vendors.Device{Profile: builtIn, Kind: city.KindGate, Class: city.Car}
			want, err := vendors.Decode(d, port, payload)
			got, ok := x.read(t, d, port, payload)
			require.Equal(t, err == nil, ok, "port %d, %x: %v", port, payload, err)
			if ok {
				require.Equal(t, want, got, "port %d, %x", port, payload)
				compared++
			} else {
				refused++
			}
		}
		for _, port := range []uint8{1, 2, 3, 6, 9, 10} {
			for length := range 6 {
				for b := range 256 {
					same(port, []byte{byte(b), byte(7 * b), byte(b + 128), byte(b % 9), byte(b), 1}[:length])
					if length == 0 {
						break
					}
				}
			}
		}
		require.Greater(t, compared, 3000)
		require.Greater(t, refused, 1000)
		cases, err := os.ReadFile("../vendors/testdata/cases.txt")
		require.NoError(t, err)
		for line := range strings.Lines(string(cases)) {
			if parts := strings.Split(line, " | "); parts[0] == builtIn {
				port, err := strconv.ParseUint(parts[1], 10, 8)
				require.NoError(t, err)
				payload, err := hex.DecodeString(strings.ReplaceAll(parts[2], " ", ""))
				require.NoError(t, err)
				same(uint8(port), payload)
			}
		}
	}
}

func TestTheOtherExamples(t *testing.T) {
	read := func(profile, text string) vendors.Said {
		t.Helper()
		payload, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		require.NoError(t, err)
		said, ok := exampleOf(t, profile).read(t, &vendors.Device{PeriodS: 60}, 1, payload)
		require.True(t, ok)
		return said
	}
	require.Equal(t, vendors.Said{
		Traffic: &city.Traffic{PeriodS: 300, Lanes: []city.Lane{
			{Lane: 1, HasCounts: true, SM: 300, KR: 12, KB: 2, Speed: city.SomeMilli(41_500)}, {Lane: 1, Backward: true, HasCounts: true},
		}},
		At: city.SomeInt(1_772_414_100_000), Health: &city.Health{Battery: city.SomeMilli(3600), Errors: []string{"tilted"}},
	}, read("example-radar", "03 0e10 69a4e494 05 012c 000c 02 53 0000 0000 00 ff"))
	require.Equal(t, vendors.Said{Health: &city.Health{Battery: city.SomeMilli(3600)}}, read("example-radar", "00 0e10"))
	require.Equal(t, vendors.Said{
		Gate: &city.Gate{Class: city.Motorcycle, Count: 3}, More: []vendors.Said{{Gate: &city.Gate{Out: true, Class: city.Motorcycle, Count: 4}}},
		Health: &city.Health{BatteryPct: city.SomeMilli(80_000)},
	}, read("example-two-way", "d0 03 04"))
	require.Equal(t, vendors.Said{
		Gate: &city.Gate{Out: true, Class: city.Car, Count: 4}, Health: &city.Health{BatteryPct: city.SomeMilli(80_000)},
	}, read("example-two-way", "50 00 04"))
}

func BenchmarkExamples(b *testing.B) {
	for profile, payload := range map[string]string{"example-nps405": "b5ff20", "example-radar": "030e1069a4e49405012c000c02530000000000ff"} {
		x := exampleOf(b, profile)
		p, err := hex.DecodeString(payload)
		require.NoError(b, err)
		d := &vendors.Device{PeriodS: 60}
		b.Run(profile, func(b *testing.B) {
			for b.Loop() {
				if _, ok := x.read(b, d, 2, p); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
}
