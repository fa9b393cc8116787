package vendors_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// said is what a case expects, in units that people read.
func said(s vendors.Said) string {
	var b strings.Builder
	milli := func(name string, m city.Milli) {
		if m.OK {
			text, _ := m.MarshalJSON()
			b.WriteString(" " + name + "=" + string(text))
		}
	}
	number := func(name string, i city.Int) { milli(name, city.Milli{V: i.V * 1000, OK: i.OK}) }
	if x := s.Spot; x != nil {
		b.WriteString(map[bool]string{true: " occupied", false: " free"}[x.Occupied])
		number("dwell", x.DwellS)
		milli("V", x.Battery)
		milli("C", x.Temperature)
	}
	if x := s.Gate; x != nil {
		b.WriteString(map[bool]string{true: " out ", false: " in "}[x.Out] + x.Class.String())
		number("total", x.Total)
	}
	if x := s.Traffic; x != nil {
		number("period", city.SomeInt(int64(x.PeriodS)))
		for _, l := range x.Lanes {
			b.WriteString(" |" + map[bool]string{true: "b", false: "f"}[l.Backward])
			number("lane", city.SomeInt(int64(l.Lane)))
			number("total", l.Total)
			for name, n := range map[string]uint32{"SM": l.SM, "KR": l.KR, "KB": l.KB, "KTB": l.KTB, "unknown": l.Unknown} {
				number(name, city.Int{V: int64(n), OK: n > 0})
			}
			if !l.HasCounts {
				b.WriteString(" uncounted")
			}
			milli("kmh", l.Speed)
		}
	}
	if x := s.Health; x != nil {
		b.WriteString(" ;")
		milli("V", x.Battery)
		milli("%", x.BatteryPct)
		if x.Firmware != "" {
			b.WriteString(" fw " + x.Firmware)
		}
		for _, e := range x.Errors {
			b.WriteString(" (" + e + ")")
		}
	}
	return strings.TrimSpace(b.String())
}

// The bytes of the first half are those of the facts that we were given
// (section 5.3 and 5.4), with the values that stand there.
var cases = []struct {
	profile string
	port    uint8
	hex     string
	want    string
}{
	{"bosch-tps110", 1, "01", "occupied"},
	{"bosch-tps110", 2, "01 FF", "occupied C=-1 ;"},
	{"bosch-tpl110", 1, "00", "free"},
	{"nwave-nps310sm", 1, "01", "occupied"},
	{"nwave-nps310sm", 2, "00", "free ;"},
	{"nwave-nps405", 1, "95", "occupied dwell=4440"},
	{"nwave-nps405-old", 1, "95", "occupied dwell=1260"},
	{"nwave-nps405", 2, "00 D3 D8 00 59 0B", "free V=3.344 C=-10 ; V=3.344"},
	{"nwave-nps405", 3, "02 04 09 02 00", "free ; fw 2.4.9"},
	{"nwave-nps405", 10, "D1 1F 34 56 78", "occupied dwell=9600"},
	{"nwave-ncc405", 1, "06 AA", "in unknown total=1706"},
	{"nwave-ncc405", 2, "A8 66 61", "; V=2.908"},
	{"dingtek-do20x", 3, "80 00 02 01 15 00 00 00 00 01 6F 00 79 FF B0 FF F5 00 00 00 81", "free V=3.67 ; V=3.67"},
	{"pni-placepod", 1, "0302016D026700E1156600", "free V=3.65 C=22.5 ; V=3.65"},
	{"pni-placepod", 1, "156601", "occupied"},
	{"libelium-smart-parking", 1, "080A00001F00C60561ED91", "free C=31 ;"},
	{"parametric-tcr", 13, "a2 140a 03e8 32 044c 34 33", "period=300 |f lane=1 unknown=1000 kmh=50 |b lane=1 unknown=1100 kmh=52 ; V=5.1"},

	{"bosch-tps110", 2, "00", "free ;"},
	{"bosch-tps110", 3, "94 01 00 00 00 00 00 00 00 00 00 00 01 02 03 01 00", "free ; fw 1.2.3 (debug 404: detection is recalibrating) (reset: watchdog)"},
	{"nwave-nps310sm", 3, "01 02 03 04 01", "occupied ; fw 1.2.3 (reset: brownout)"},
	{"nwave-nps405", 1, "b2", "free dwell=5340"},      // code 89, the last of whole minutes
	{"nwave-nps405", 1, "b4", "free dwell=5400"},      // 90: 90 minutes
	{"nwave-nps405", 1, "ee", "free dwell=14100"},     // 119: 235
	{"nwave-nps405", 1, "f0", "free dwell=14400"},     // 120: 240
	{"nwave-nps405", 1, "fd", "occupied dwell=36000"}, // 126: 600
	{"nwave-nps405", 1, "fe", "free"},                 // 127: over 660, so it is not told
	{"nwave-nps405", 2, "03 63 00", "occupied V=2.896 C=10 ; V=2.896 (battery critical) (hardware status 1)"},
	{"nwave-nps405", 2, "00 63 d0", "free V=2.896 C=-14 ; V=2.896 (battery low)"}, // in the cold 100 mV less will do
	{"nwave-nps405-old", 2, "80 d3 d8", "occupied V=3.344 C=-10 ; V=3.344"},
	{"nwave-nps405", 10, "00 20 1f 34 56 78", ";"},
	{"nwave-ncc405-out", 1, "ff ff", "out unknown total=65535"},
	{"nwave-ncc405", 3, "01 02 03 01", "; fw 1.2.3 (reset: watchdog)"},
	{"dingtek-do20x", 3, "80 00 02 01 15 00 10 10 01 01 6F 00 79 FF B0 FF F5 00 00 00 81", "occupied V=3.67 ; V=3.67 (battery low)"},
	{"dingtek-do20x", 3, "80 00 02 02 17 00 10 10 00 01 6F 00 79 FF B0 FF F5 fb 32 00 01 00 81", "occupied V=3.67 C=-5 ; V=3.67"},
	{"dingtek-do20x", 3, "80 00 02 03 11 00 0B 18 02 0A 05 A0 00 3C 00 00 81", "; fw 0.11"},
	{"pni-placepod", 1, "3F0101 376600 210020 1C0101 156601 0302015E 026700F0 010101 CAFEBABE", "occupied V=3.5 C=24 ; V=3.5"},
	{"pni-placepod", 1, "156607", ";"}, // neither free nor occupied
	{"libelium-smart-parking", 1, "805B0009001400DE0A0801", "occupied C=9"},
	{"libelium-smart-parking", 1, "c1C60014053300D90C80C8", "occupied C=20 ; (battery low)"},
	{"libelium-smart-parking", 1, "04001E0E7CF2D9F91E0DDF", "free ; fw 30"},
	{"tekzitel-tekzipark", 1, "122c", "free C=44 ; (battery low) (obstruction) (reset)"},
	{"parametric-tcr", 13, "a2 140a 0000 32 0000 34 33", "period=300 |f lane=1 |b lane=1 ; V=5.1"}, // no vehicle, no speed
	{"parametric-tcr", 15, "be02016412c218b800000000010600000000020b00000000011e000000000000", "period=300 |f lane=1 |b lane=1 unknown=4 kmh=14.5 ; %=100"},
	{"parametric-tcr", 15, "be02021cc0000000a0000108000000000000000000000000000000000000000000", "period=300 |f lane=1 unknown=1 kmh=8 |b lane=1 ; V=7.36"},
	{"parametric-tcr", 190, "be020200010000000000000305a00000640000010708191a313278", "; fw 1.0.0"},
}

func bytesOf(t testing.TB, text string) []byte {
	t.Helper()
	p, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return p
}

func TestPayloads(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range cases {
		got, err := vendors.Decode(&vendors.Device{Profile: c.profile}, c.port, bytesOf(t, c.hex))
		require.NoError(t, err, "%s port %d %s", c.profile, c.port, c.hex)
		require.Equal(t, c.want, said(got), "%s port %d %s", c.profile, c.port, c.hex)
		seen[c.profile] = true
	}
	require.Len(t, seen, len(vendors.Names()), "every profile has a case")
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		profile string
		port    uint8
		hex     string
		reason  city.Reason
		detail  string
	}{
		{"", 1, "01", city.ReasonNoProfile, "fill it in"},
		{"milk-cow", 1, "01", city.ReasonNoProfile, "milk-cow"},
		{"bosch-tps110", 42, "012a", city.ReasonBadPayload, "port 42"},
		{"tekzitel-tekzipark", 42, "292e62", city.ReasonBadPayload, "port 42"},
		{"bosch-tps110", 3, "01", city.ReasonBadPayload, "at least 17"},
		{"bosch-tps110", 1, "", city.ReasonBadPayload, "at least 1"},
		{"nwave-nps405", 2, "00 d3", city.ReasonBadPayload, "at least 3"},
		{"nwave-ncc405", 1, "06", city.ReasonBadPayload, "at least 2"},
		{"dingtek-do20x", 3, "80 00 02 01 16 00 00 00 00 01 6F 00 79 FF B0 FF F5 00 00 00 81", city.ReasonBadPayload, "length"},
		{"pni-placepod", 1, "CAFEBABE", city.ReasonBadPayload, "PlacePod"},
		{"pni-placepod", 1, "0302", city.ReasonBadPayload, "PlacePod"},
		{"pni-placepod", 1, "0302FFFF156601", city.ReasonBadPayload, "battery"},
		{"libelium-smart-parking", 1, "00", city.ReasonBadPayload, "11"},
		{"parametric-tcr", 13, "c2 00", city.ReasonBadPayload, "a2 or be"},
		{"parametric-tcr", 14, "a2 140a 03e8 32 044c 34 33", city.ReasonNoProfile, "categories"},
	} {
		got, err := vendors.Decode(&vendors.Device{Profile: c.profile}, c.port, bytesOf(t, c.hex))
		var refused *wire.RefusedError
		require.ErrorAs(t, err, &refused, "%s %s", c.profile, c.hex)
		require.Equal(t, c.reason, refused.Reason, "%s %s", c.profile, c.hex)
		require.Contains(t, err.Error(), c.detail)
		require.Zero(t, got)
	}
}

// A radar's categories are what devices.csv says; each is a lane of its own,
// and lanes that nobody counts by themselves are filled up once.
func TestCategoriesOfARadar(t *testing.T) {
	d := &vendors.Device{Profile: "parametric-tcr", PeriodS: 600, Lanes: 3, Categories: []vendors.Vehicle{vendors.SM, vendors.KR}}
	payload := bytesOf(t, "a2 140a 03e8 32 044c 34 33")
	for port, want := range map[uint8]string{
		13: "; V=5.1", // the sum of the others
		14: "period=600 |f lane=1 SM=1000 kmh=50 |b lane=1 SM=1100 kmh=52 |f lane=3 |b lane=3 ; V=5.1",
		15: "period=600 |f lane=2 KR=1000 kmh=50 |b lane=2 KR=1100 kmh=52 ; V=5.1",
	} {
		got, err := vendors.Decode(d, port, payload)
		require.NoError(t, err)
		require.Equal(t, want, said(got), "port %d", port)
	}
	_, err := vendors.Decode(d, 16, payload)
	require.ErrorContains(t, err, "category 3")
}

func TestACounterOnARoad(t *testing.T) {
	got, err := vendors.Decode(&vendors.Device{Profile: "nwave-ncc405", Kind: city.KindTraffic, Lanes: 2}, 1, []byte{1, 0})
	require.NoError(t, err)
	require.Equal(t, "period=300 |f lane=1 total=256 uncounted |f lane=2", said(got))
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range cases[:17] {
		payload := bytesOf(b, c.hex)
		d := &vendors.Device{Profile: c.profile}
		b.Run(c.profile+"/"+c.hex, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := vendors.Decode(d, c.port, payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// FuzzDecode: every decoder either refuses by name or says something that our
// limits allow, and the same each time. The first byte chooses the profile.
func FuzzDecode(f *testing.F) {
	names := vendors.Names()
	for _, c := range cases {
		for i, name := range names {
			if name == c.profile {
				f.Add(uint8(i), c.port, bytesOf(f, c.hex))
			}
		}
	}
	f.Fuzz(func(t *testing.T, profile, port uint8, payload []byte) {
		fuzzOne(t, names[int(profile)%len(names)], port, payload)
	})
}
