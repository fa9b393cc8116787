package journal_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

var update = flag.Bool("update", false, "write testdata/golden.txt; for new lines only, an old line never changes")

// golden are entries whose bytes stay as they are for as long as journals are
// kept.
func golden() map[string]journal.Entry {
	reading := func(r city.Reading) journal.Entry { return journal.Entry{Type: journal.TypeReading, Reading: &r} }
	closure := journal.Closure{ID: "c-1", Site: "alun-alun", From: 1772380800000, Until: 1772388000000, Reason: "event", Note: "pasar malam", PlacesLost: city.SomeInt(12), By: "tok-9"}
	files := []journal.FileHash{{Name: "devices.csv", SHA256: "ab12"}, {Name: "sites.geojson", SHA256: "cd34"}}
	return map[string]journal.Entry{
		"spot_full":       reading(*spot("spot-0001", 12345, 1772380800123)),
		"spot_bare":       reading(city.Reading{Device: "s", Kind: city.KindSpot, Seq: 0, At: 0, Spot: &city.Spot{}}),
		"spot_before1970": reading(city.Reading{Device: "s", Kind: city.KindSpot, Seq: 1 << 63, At: -1, Spot: &city.Spot{Occupied: true, Temperature: city.SomeMilli(-500)}}),
		"gate":            reading(city.Reading{Device: "gate-7", Kind: city.KindGate, HasBoot: true, Boot: 1, Seq: 900, At: 1772380800123, Gate: &city.Gate{Out: true, Class: city.Motorcycle, Count: 2}}),
		"count":           reading(city.Reading{Device: "cam-1", Kind: city.KindCount, HasBoot: true, Seq: 5, At: 1772380800123, Count: &city.Count{Class: city.Car, Occupied: 301}}),
		"traffic": reading(city.Reading{Device: "trf-1", Kind: city.KindTraffic, HasBoot: true, Boot: 2, Seq: 77, At: 1772380860000, Traffic: &city.Traffic{PeriodS: 60, Lanes: []city.Lane{
			{Lane: 1, HasCounts: true, SM: 31, KR: 12, KB: 1, KTB: 0, Unknown: 2, Speed: city.SomeMilli(31500), Occupancy: city.SomeMilli(12500)},
			{Lane: 2, Backward: true},
		}}}),
		"receipt": reading(city.Reading{Device: "meter-3", Kind: city.KindReceipt, HasBoot: true, Boot: 9, Seq: 4321, At: 1772380800123, Receipt: &city.Receipt{
			Number: "JKT-000123", Amount: 5000, Method: city.QRIS, Class: city.Car, EnteredAt: city.SomeInt(1772377200000), LeftAt: city.SomeInt(1772380800000), Void: true,
			TotalCount: city.SomeInt(98), TotalAmount: city.SomeInt(-4000), PlateHash: []byte{1, 2, 3, 4},
		}}),
		"receipt_bare": reading(city.Reading{Device: "meter-3", Kind: city.KindReceipt, Seq: 1, At: 1, Receipt: &city.Receipt{}}),
		"health":       reading(city.Reading{Device: "spot-0001", Kind: city.KindHealth, HasBoot: true, Boot: 3, Seq: 12346, At: 1772380800123, Health: &city.Health{Battery: city.SomeMilli(3601), UptimeS: city.SomeInt(86400), Firmware: "2.1.0", Errors: []string{"radar", "flash"}}}),
		"spot_snr":     reading(city.Reading{Device: "s", Kind: city.KindSpot, Seq: 1, At: 1, Spot: &city.Spot{RSSI: city.SomeMilli(-97000), SNR: city.SomeMilli(6500)}}),
		"gate_total":   reading(city.Reading{Device: "gate-7", Kind: city.KindGate, Seq: 900, At: 1772380800123, Gate: &city.Gate{Class: city.Car, Count: 2, Total: city.SomeInt(65535)}}),
		"traffic_total": reading(city.Reading{Device: "trf-1", Kind: city.KindTraffic, Seq: 77, At: 1772380860000, Traffic: &city.Traffic{PeriodS: 60, Lanes: []city.Lane{
			{Lane: 1, HasCounts: true, Unknown: 2, Total: city.SomeInt(7)},
		}}}),
		"health_signal": reading(city.Reading{Device: "spot-0001", Kind: city.KindHealth, HasBoot: true, Boot: city.BesideBoot, Seq: 1, At: 1, Health: &city.Health{RSSI: city.SomeMilli(-97000), SNR: city.SomeMilli(-6500), BatteryPct: city.SomeMilli(83000)}}),
		"tick":          {Type: journal.TypeTick},
		"tally": {Type: journal.TypeTally, Tally: &journal.Tally{Device: "spot-0001", Duplicates: 3, Quarantined: []journal.Quarantined{
			{HasSeq: true, HasBoot: true, Boot: 3, Seq: 4, At: 1772380800123, Reason: city.ReasonSequenceConflict}, {Reason: city.ReasonNotJSON},
		}}},
		"inventory": {Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{Hash: "ef56", Files: files}},
		"closure":   {Type: journal.TypeClosure, Closure: &closure},
		"reopen":    {Type: journal.TypeReopen, Closure: &journal.Closure{ID: "c-1", By: "tok-9"}},
		"day":       {Type: journal.TypeDay, Day: &journal.Day{Date: "2026-03-02", PrevHash: "aa", InventoryHash: "ef56", Closures: []journal.Closure{closure}}},
		"deposit": act(&journal.Deposit{
			Reference: "NTPN-1", Kind: "settlement", Account: "4.1.02.01.04.0001", Operator: "city", Site: "alun-alun", PeriodFrom: "2026-03-01", PeriodTo: "2026-03-01",
			CreditedOn: "2026-03-02", Gross: 100000, Fee: 700, Net: 99300, Channel: "qris", Reverses: "NTPN-0",
		}, &journal.Deposit{}),
		"karcis": act(&journal.Karcis{
			Reference: "k-1", State: "sold", Series: "A", First: 1, Last: 100, Class: city.Motorcycle, Price: 2000, Site: "alun-alun", Attendant: "at-1", Date: "2026-03-01", Reverses: "k-0",
		}),
		"handover": act(&journal.Handover{
			Reference: "h-1", Hop: "collector", From: "at-1", To: "co-1", Site: "alun-alun", CollectedOn: "2026-03-01", HandedOn: "2026-03-02", Amount: 150000, Reverses: "h-0",
		}),
		"declaration": act(&journal.Declaration{Reference: "sptpd-1", NPWPD: "P.1", NOPD: "NOPD-1", Period: "2026-03", FiledOn: "2026-04-10", Gross: 5000000, Tax: 500000, Corrects: "sptpd-0"}),
		"close":       act(&journal.Close{Period: "2026-03"}),
		"access":      act(&journal.Access{Token: "tok-9", At: 1772380800000, Route: "listReceipts", Filter: "ab12"}, &journal.Access{Token: "tok-8", At: 1772380800001, Route: "listDeposits"}),
		"certificates": {Type: journal.TypeCertificates, Act: &journal.Act{Lines: []journal.Line{
			&journal.Certificates{Date: "2026-03-02", Revision: 2, Places: 31, Devices: 412, SHA256: "00ff"},
		}}},
		"archive": {Type: journal.TypeArchive, Archive: &journal.Archive{Date: "2026-03-01", Files: files, Rows: 300000, First: 2, Last: 300400}},
	}
}

func act(lines ...journal.Line) journal.Entry {
	return journal.Entry{Type: lines[0].Type(), Act: &journal.Act{By: "tok-9", Lines: lines}}
}

func TestGoldenBytes(t *testing.T) {
	path := filepath.Join("testdata", "golden.txt")
	entries := golden()
	if *update {
		names := make([]string, 0, len(entries))
		for name := range entries {
			names = append(names, name)
		}
		require.NoError(t, writeGolden(path, names, entries))
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	seen := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		name, digits, _ := strings.Cut(lines.Text(), " ")
		want, err := hex.DecodeString(digits)
		require.NoError(t, err, name)
		e, ok := entries[name]
		require.True(t, ok, "%s is in golden.txt but no longer in the test", name)
		seen[name] = true
		got, err := journal.EncodeBody(nil, &e)
		require.NoError(t, err)
		require.Equal(t, digits, hex.EncodeToString(got), name)
		back := journal.Entry{Type: e.Type}
		require.NoError(t, journal.DecodeBody(&back, want), name)
		require.Equal(t, e, back, name)
	}
	require.Len(t, seen, len(entries), "entries without golden bytes: run with -update")
}

func writeGolden(path string, names []string, entries map[string]journal.Entry) error {
	var out bytes.Buffer
	for _, name := range names {
		e := entries[name]
		b, err := journal.EncodeBody(nil, &e)
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%s %x\n", name, b)
	}
	return os.WriteFile(path, out.Bytes(), 0o600)
}

func TestReadingsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genReading(t)
		b := journal.EncodeReading(nil, want)
		got, err := journal.DecodeReading(b)
		require.NoError(t, err)
		require.Equal(t, want, got)
		for cut := range b {
			_, err := journal.DecodeReading(b[:cut])
			require.Error(t, err, "cut at %d", cut)
		}
		_, err = journal.DecodeReading(append(b, 0))
		require.Error(t, err, "a byte too many")
	})
}

func TestContentHash(t *testing.T) {
	base := golden()["receipt"].Reading
	change := func(f func(*city.Reading, *city.Receipt)) [16]byte {
		r, body := *base, *base.Receipt
		r.Receipt = &body
		f(&r, &body)
		return journal.ContentHash(&r)
	}
	same := journal.ContentHash(base)
	require.Equal(t, same, change(func(*city.Reading, *city.Receipt) {}))
	require.Equal(t, same, change(func(_ *city.Reading, b *city.Receipt) { b.PlateHash = []byte("another month's key") }))
	require.Equal(t, same, change(func(_ *city.Reading, b *city.Receipt) { b.PlateHash = nil }))
	require.Equal(t, same, change(func(_ *city.Reading, b *city.Receipt) { b.Plate = "B 1234 XYZ" }))
	require.NotEqual(t, same, change(func(_ *city.Reading, b *city.Receipt) { b.Amount++ }))
	require.NotEqual(t, same, change(func(_ *city.Reading, b *city.Receipt) { b.Void = false }))
	require.NotEqual(t, same, change(func(r *city.Reading, _ *city.Receipt) { r.Seq++ }))
	require.NotEqual(t, same, change(func(r *city.Reading, _ *city.Receipt) { r.At++ }))
}

func TestThePlateIsNeverEncoded(t *testing.T) {
	r := *golden()["receipt"].Reading
	body := *r.Receipt
	body.Plate = "B 1234 XYZ"
	r.Receipt = &body
	require.NotContains(t, string(journal.EncodeReading(nil, &r)), "1234")
}

// FuzzDecodeReading reads readings, and whole entries as the archive keeps
// them.
func FuzzDecodeReading(f *testing.F) {
	for _, e := range golden() {
		if e.Type == journal.TypeReading {
			f.Add(journal.EncodeReading(nil, e.Reading))
		}
		whole, err := journal.EncodeEntry(nil, &e)
		require.NoError(f, err)
		f.Add(whole)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := journal.DecodeReading(b); err == nil {
			require.Equal(t, b, journal.EncodeReading(nil, r), "one reading, one encoding")
		}
		var d journal.EntryDecoder
		if e, err := d.Decode(b); err == nil {
			again, err := journal.EncodeEntry(nil, &e)
			require.NoError(t, err)
			require.Equal(t, b, again, "one entry, one encoding")
		}
	})
}

// FuzzDecodeLine reads lines of acts, as the books keep them.
func FuzzDecodeLine(f *testing.F) {
	for _, e := range golden() {
		if e.Act != nil {
			f.Add(uint8(e.Type), journal.EncodeLine(nil, e.Act.Lines[0]))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		if line, err := journal.DecodeLine(journal.Type(kind), b); err == nil {
			require.Equal(t, b, journal.EncodeLine(nil, line), "one line, one encoding")
		}
	})
}
