package vendors_test

import (
	"encoding/hex"
	"os"
	"strconv"
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

type payloadCase struct {
	profile string
	port    uint8
	hex     string
	want    string
}

// payloads reads testdata/cases.txt, which the tests of the networks read too.
func payloads(tb testing.TB) (cases []payloadCase) {
	tb.Helper()
	data, err := os.ReadFile("testdata/cases.txt")
	require.NoError(tb, err)
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		parts := strings.Split(line, " | ")
		require.Len(tb, parts, 4, line)
		port, err := strconv.ParseUint(parts[1], 10, 8)
		require.NoError(tb, err)
		cases = append(cases, payloadCase{parts[0], uint8(port), parts[2], parts[3]})
	}
	require.NotEmpty(tb, cases)
	return cases
}

func bytesOf(tb testing.TB, text string) []byte {
	tb.Helper()
	p, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(tb, err)
	return p
}

func TestPayloads(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range payloads(t) {
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
		{"pni-placepod", 1, "0302FFFF156601", city.ReasonImpossible, "655 V"},
		{"bosch-tps110", 2, "018f", city.ReasonImpossible, "-113 degrees"},
		{"libelium-smart-parking", 1, "0000008000000000000000", city.ReasonImpossible, "-128 degrees"},
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
	for _, c := range payloads(b) {
		payload := bytesOf(b, c.hex)
		d := &vendors.Device{Profile: c.profile}
		b.Run(c.profile+"/"+strconv.Itoa(int(c.port))+"/"+strings.ReplaceAll(c.hex, " ", ""), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := vendors.Decode(d, c.port, payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
