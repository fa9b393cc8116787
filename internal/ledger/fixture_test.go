package ledger

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

var wib = time.FixedZone("WIB", 7*3600)

// day0 is 2026-03-02 00:00 in the city, Unix ms.
var day0 = time.Date(2026, 3, 2, 0, 0, 0, 0, wib).UnixMilli()

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

const (
	accountPBJT    = "4.1.01.19.04.0001"
	accountStreet  = "4.1.02.01.04.0001"
	accountSpecial = "4.1.02.02.14.0001"
)

// testFiles is a city of six sites: street (a), special (b), four of PBJT by
// three taxpayers (c to f), each with one meter of its name.
func testFiles() map[string][]byte {
	sites := []string{}
	devices := []string{"id,kind,site,spot,segment,class,profile,eui,interval_s,note"}
	for _, s := range []struct{ id, levy, kind, operator, kecamatan, tariff string }{
		{"site-a", "street", "on_street", "city", "Bekasi Timur", "street"},
		{"site-b", "special", "off_street", "city", "Bekasi Timur", "hourly"},
		{"site-c", "pbjt", "off_street", "op-1", "Bekasi Barat", "hourly"},
		{"site-d", "pbjt", "off_street", "op-2", "Bekasi Barat", "hourly"},
		{"site-e", "pbjt", "off_street", "op-3", "Bekasi Utara", "hourly"},
		{"site-f", "pbjt", "off_street", "op-3", "Bekasi Utara", "hourly"},
	} {
		sites = append(sites, fmt.Sprintf(`{"type":"Feature","geometry":{"type":"Point","coordinates":[107.0,-6.24]},"properties":{"id":%q,"name":%q,"kind":%q,"address":"Jl. Contoh",
"kecamatan":%q,"operator":%q,"nopd":%q,"levy":%q,"tariff":%q,"detection":"count","capacity":{"car":20,"motorcycle":20}}}`,
			s.id, strings.ToUpper(s.id), s.kind, s.kecamatan, s.operator, "NOPD-"+s.id, s.levy, s.tariff))
		devices = append(devices, fmt.Sprintf("meter-%s,meter,%s,,,,,,300,", s.id[5:], s.id))
	}
	return map[string][]byte{
		"sites.geojson":    []byte(`{"type":"FeatureCollection","features":[` + strings.Join(sites, ",\n") + `]}`),
		"segments.geojson": []byte(`{"type":"FeatureCollection","features":[]}`),
		"devices.csv":      []byte(strings.Join(devices, "\n") + "\n"),
		"operators.csv":    []byte("id,name,npwpd\ncity,Kota,\nop-1,Operator Satu,P.1\nop-2,Operator Dua,P.2\nop-3,Operator Tiga,P.3\n"),
		"accounts.csv": []byte("account,name,levy,agency,rate,share,from\n" + accountPBJT + ",PBJT Parkir,pbjt,bapenda,0.1,,\n" +
			accountStreet + ",Tepi Jalan,street,dishub,,,\n" + accountSpecial + ",Tempat Khusus,special,dishub,,0.7,\n"),
		"attendants.csv": []byte("id,site,collector,from,to\nat-1,site-a,co-1,2026-01-01,\nat-2,site-a,co-1,2026-01-01,2026-02-28\n"),
		"targets.csv": []byte("year,month,account,site,budget,target\n2026,," + accountPBJT + ",,murni,1000000\n2026,," + accountPBJT + ",,perubahan,900000\n" +
			"2026,1," + accountStreet + ",,murni,10000\n2026,2," + accountStreet + ",,murni,20000\n"),
		"tariffs.yaml": []byte("tariffs:\n- {id: street, name: s, versions: [{from: 2020-01-01, legal_basis: t, classes: {car: {flat: 2000}}}]}\n" +
			"- {id: hourly, name: h, versions: [{from: 2020-01-01, until: 2026-03-02, legal_basis: t, classes: {car: {flat: 5000}}}, {from: 2026-03-03, legal_basis: t, classes: {car: {flat: 6000}}}]}\n"),
	}
}

func parseVersion(t require.TestingT, files map[string][]byte) *inventory.Version {
	v, faults := inventory.Parse(files, wib)
	require.Empty(t, faults)
	return v
}

func testTimeline(t require.TestingT) *inventory.Timeline {
	tl := &inventory.Timeline{}
	tl.Accept(1, day0-400*day, parseVersion(t, testFiles()))
	return tl
}

func testFollower(tb testing.TB, path string, tl *inventory.Timeline) *Follower {
	tb.Helper()
	f, err := Open(tb.Context(), path, Options{Timeline: tl, Zone: wib})
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = f.Close() })
	return f
}

func newFollower(tb testing.TB) *Follower {
	tb.Helper()
	return testFollower(tb, filepath.Join(tb.TempDir(), "ledger.db"), testTimeline(tb))
}

// till makes the readings of one device, one seq after the other.
type till struct {
	device string
	boot   uint64
	seq    uint64
}

func (m *till) paper(at int64, number string, amount int64, method city.Method) *city.Reading {
	m.seq++
	return &city.Reading{
		Device: m.device, Kind: city.KindReceipt, HasBoot: true, Boot: m.boot, Seq: m.seq, At: at,
		Receipt: &city.Receipt{Number: number, Amount: city.Rupiah(amount), Method: method, Class: city.Car},
	}
}

func (m *till) void(at int64, number string, amount int64) *city.Reading {
	r := m.paper(at, number, amount, city.Cash)
	r.Receipt.Void = true
	return r
}

// log makes journal entries from position 2 on (1 is the inventory's).
func log(readings ...*city.Reading) []journal.Entry {
	entries := make([]journal.Entry, len(readings))
	for i, r := range readings {
		entries[i] = journal.Entry{Pos: uint64(i) + 2, Recv: day0 + int64(i)*second, Type: journal.TypeReading, Source: "test", Reading: r}
	}
	return entries
}

func apply(t require.TestingT, f *Follower, entries []journal.Entry) {
	require.NoError(t, f.Apply(entries))
	require.NoError(t, f.Flush())
}

func allReceipts(t *testing.T, f *Follower) []Receipt {
	t.Helper()
	rs, next, err := f.Receipts(t.Context(), ReceiptQuery{From: -1 << 60, To: 1 << 60, Limit: 1000})
	require.NoError(t, err)
	require.Empty(t, next)
	return rs
}

func entriesOf(t require.TestingT, f *Follower) []*Entry {
	rows, err := f.db.R.Query("SELECT data FROM entry ORDER BY n")
	require.NoError(t, err)
	defer rows.Close()
	var out []*Entry
	for rows.Next() {
		var data []byte
		require.NoError(t, rows.Scan(&data))
		e, err := DecodeEntry(data)
		require.NoError(t, err)
		require.Equal(t, data, AppendEntry(nil, e), "canonical")
		out = append(out, e)
		require.Equal(t, uint64(len(out)), e.N, "no holes")
	}
	require.NoError(t, rows.Err())
	return out
}

// dump writes every table, so that two files can be compared.
func dump(t require.TestingT, f *Follower) string {
	var b strings.Builder
	for _, table := range tables {
		dumpTable(t, f, &b, table.name, table.key)
	}
	return b.String()
}

func dumpTable(t require.TestingT, f *Follower, b *strings.Builder, table, key string) {
	fmt.Fprintln(b, "--", table)
	rows, err := f.db.R.Query("SELECT * FROM " + table + " ORDER BY " + key)
	require.NoError(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	row := newRow(columns)
	for rows.Next() {
		require.NoError(t, scanRow(rows, true, row))
		for _, v := range row {
			fmt.Fprintf(b, "%x|", v)
		}
		b.WriteByte('\n')
	}
	require.NoError(t, rows.Err())
}
