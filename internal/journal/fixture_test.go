package journal_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

var jakarta = time.FixedZone("WIB", 7*3600)

// day0 is 2026-03-02 00:00 in the city, Unix ms.
var day0 = time.Date(2026, 3, 2, 0, 0, 0, 0, jakarta).UnixMilli()

const hour = int64(3600_000)

func spot(device string, seq uint64, at int64) *city.Reading {
	return &city.Reading{
		Device: device, Kind: city.KindSpot, HasBoot: true, Boot: 3, Seq: seq, At: at,
		Spot: &city.Spot{Occupied: seq%2 == 1, DwellS: city.SomeInt(600), Battery: city.SomeMilli(3612), Temperature: city.SomeMilli(31500), RSSI: city.SomeMilli(-97000)},
	}
}

// batchOf returns n readings received from recv on, one a millisecond.
func batchOf(n int, recv int64) []journal.Entry {
	entries := make([]journal.Entry, n)
	for i := range entries {
		at := recv + int64(i)
		entries[i] = journal.Entry{Recv: at, Type: journal.TypeReading, Source: "broker", Reading: spot(fmt.Sprintf("spot-%04d", i%300), uint64(i), at-1500)}
	}
	return entries
}

func open(tb testing.TB, dir string) *journal.Journal {
	tb.Helper()
	j, err := journal.Open(tb.Context(), dir, journal.Options{Zone: jakarta})
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = j.Close() })
	return j
}

func folder(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(tb.TempDir(), "journal")
}

// everything reads the journal from its begin to its head.
func everything(tb testing.TB, j *journal.Journal) []journal.Entry {
	tb.Helper()
	var all []journal.Entry
	after := uint64(0)
	if days := j.Days(); len(days) > 0 {
		after = days[0].First - 1
	}
	for after < j.Head() {
		got, err := j.Read(tb.Context(), after, 1000)
		require.NoError(tb, err)
		require.NotEmpty(tb, got)
		for i := range got {
			require.Equal(tb, after+1, got[i].Pos)
			after++
		}
		all = append(all, got...)
	}
	return all
}

func genInt(t *rapid.T, name string) city.Int {
	if !rapid.Bool().Draw(t, name+" known") {
		return city.Int{}
	}
	return city.SomeInt(rapid.Int64().Draw(t, name))
}

func genMilli(t *rapid.T, name string) city.Milli { return city.Milli(genInt(t, name)) }

func genReading(t *rapid.T) *city.Reading {
	r := &city.Reading{
		Device: rapid.String().Draw(t, "device"), Kind: rapid.SampledFrom(city.Kinds).Draw(t, "kind"),
		HasBoot: rapid.Bool().Draw(t, "has boot"), Seq: rapid.Uint64().Draw(t, "seq"), At: rapid.Int64().Draw(t, "at"),
	}
	if r.HasBoot {
		r.Boot = rapid.Uint64().Draw(t, "boot")
	}
	class := city.Class(rapid.Uint8().Draw(t, "class"))
	switch r.Kind {
	case city.KindSpot:
		r.Spot = &city.Spot{Occupied: rapid.Bool().Draw(t, "occupied"), DwellS: genInt(t, "dwell"), Battery: genMilli(t, "battery"), Temperature: genMilli(t, "temp"), RSSI: genMilli(t, "rssi")}
	case city.KindGate:
		r.Gate = &city.Gate{Out: rapid.Bool().Draw(t, "out"), Class: class, Count: rapid.Uint32().Draw(t, "count")}
	case city.KindCount:
		r.Count = &city.Count{Class: class, Occupied: rapid.Uint32().Draw(t, "occupied")}
	case city.KindTraffic:
		r.Traffic = &city.Traffic{PeriodS: rapid.Uint32().Draw(t, "period"), Lanes: rapid.SliceOfN(rapid.Custom(genLane), 0, 100).Draw(t, "lanes")}
		if len(r.Traffic.Lanes) == 0 {
			r.Traffic.Lanes = nil
		}
	case city.KindReceipt:
		r.Receipt = &city.Receipt{
			Number: rapid.String().Draw(t, "number"), Amount: city.Rupiah(rapid.Int64().Draw(t, "amount")), Method: city.Method(rapid.Uint8().Draw(t, "method")), Class: class,
			EnteredAt: genInt(t, "entered"), LeftAt: genInt(t, "left"), Void: rapid.Bool().Draw(t, "void"), TotalCount: genInt(t, "total count"), TotalAmount: genInt(t, "total amount"),
		}
		if hash := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "plate hash"); len(hash) > 0 {
			r.Receipt.PlateHash = hash
		}
	case city.KindHealth:
		r.Health = &city.Health{Battery: genMilli(t, "battery"), UptimeS: genInt(t, "uptime"), Firmware: rapid.String().Draw(t, "firmware"), Errors: rapid.SliceOfN(rapid.String(), 0, 5).Draw(t, "errors")}
		if len(r.Health.Errors) == 0 {
			r.Health.Errors = nil
		}
	case city.KindNone:
	}
	return r
}

func genLane(t *rapid.T) city.Lane {
	l := city.Lane{Lane: rapid.Uint16().Draw(t, "lane"), Backward: rapid.Bool().Draw(t, "backward"), HasCounts: rapid.Bool().Draw(t, "has counts"), Speed: genMilli(t, "speed"), Occupancy: genMilli(t, "occupancy")}
	if l.HasCounts {
		for _, n := range []*uint32{&l.SM, &l.KR, &l.KB, &l.KTB, &l.Unknown} {
			*n = rapid.Uint32().Draw(t, "n")
		}
	}
	return l
}

func genClosure(t *rapid.T) journal.Closure {
	return journal.Closure{
		ID: rapid.String().Draw(t, "id"), Site: rapid.String().Draw(t, "site"), Segment: rapid.String().Draw(t, "segment"), From: rapid.Int64().Draw(t, "from"), Until: rapid.Int64().Draw(t, "until"),
		Reason: rapid.String().Draw(t, "reason"), Note: rapid.String().Draw(t, "note"), PlacesLost: genInt(t, "lost"), By: rapid.String().Draw(t, "by"),
	}
}

func genEntry(t *rapid.T) journal.Entry {
	e := journal.Entry{
		Recv: rapid.Int64Range(0, 1<<50).Draw(t, "recv"), Flags: journal.Flags(rapid.Uint8().Draw(t, "flags")), Source: rapid.SampledFrom([]string{"", "broker", "modbus", "ttyUSB0"}).Draw(t, "source"),
		Type: rapid.SampledFrom([]journal.Type{
			journal.TypeReading, journal.TypeTick, journal.TypeTally, journal.TypeInventory, journal.TypeClosure, journal.TypeReopen, journal.TypeArchive,
			journal.TypeDeposit, journal.TypeKarcis, journal.TypeHandover, journal.TypeDeclaration, journal.TypeClose, journal.TypeAccess, journal.TypeCertificates,
		}).Draw(t, "type"),
	}
	files := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) journal.FileHash {
		return journal.FileHash{Name: rapid.String().Draw(t, "name"), SHA256: rapid.String().Draw(t, "sha")}
	}), 1, 5)
	switch e.Type {
	case journal.TypeReading:
		e.Reading = genReading(t)
	case journal.TypeTally:
		e.Tally = &journal.Tally{Device: rapid.String().Draw(t, "device"), Duplicates: rapid.Uint32().Draw(t, "dup"), Quarantined: rapid.SliceOfN(rapid.Custom(genQuarantined), 1, 5).Draw(t, "quarantined")}
	case journal.TypeInventory:
		e.Inventory = &journal.InventoryVersion{Hash: rapid.String().Draw(t, "hash"), Files: files.Draw(t, "files")}
	case journal.TypeClosure, journal.TypeReopen:
		c := genClosure(t)
		e.Closure = &c
	case journal.TypeArchive:
		e.Archive = &journal.Archive{Date: rapid.String().Draw(t, "date"), Files: files.Draw(t, "files"), Rows: rapid.Uint64().Draw(t, "rows"), First: rapid.Uint64().Draw(t, "first"), Last: rapid.Uint64().Draw(t, "last")}
	case journal.TypeDeposit, journal.TypeKarcis, journal.TypeHandover, journal.TypeDeclaration, journal.TypeClose, journal.TypeAccess, journal.TypeCertificates:
		e.Act = &journal.Act{By: rapid.String().Draw(t, "by")}
		for range rapid.IntRange(1, 5).Draw(t, "lines") {
			e.Act.Lines = append(e.Act.Lines, genLine(t, e.Type))
		}
	case journal.TypeTick, journal.TypeDay:
	}
	return e
}

func genLine(t *rapid.T, kind journal.Type) journal.Line {
	text := func() string { return rapid.String().Draw(t, "text") }
	money := func() city.Rupiah { return city.Rupiah(rapid.Int64().Draw(t, "money")) }
	switch kind {
	case journal.TypeDeposit:
		return &journal.Deposit{Reference: text(), Kind: text(), Account: text(), CreditedOn: text(), Gross: money(), Fee: money(), Net: money(), Reverses: text()}
	case journal.TypeKarcis:
		return &journal.Karcis{Reference: text(), Series: text(), First: rapid.Uint64().Draw(t, "first"), Last: rapid.Uint64().Draw(t, "last"), Class: city.Class(rapid.Uint8().Draw(t, "class")), Price: money()}
	case journal.TypeHandover:
		return &journal.Handover{Reference: text(), Hop: text(), From: text(), To: text(), Amount: money()}
	case journal.TypeDeclaration:
		return &journal.Declaration{Reference: text(), NPWPD: text(), NOPD: text(), Gross: money(), Tax: money()}
	case journal.TypeClose:
		return &journal.Close{Period: text()}
	case journal.TypeCertificates:
		return &journal.Certificates{Date: text(), Revision: rapid.Uint64().Draw(t, "revision"), Places: 2, Devices: 3, SHA256: text()}
	default:
		return &journal.Access{Token: text(), At: rapid.Int64().Draw(t, "at"), Route: text(), Filter: text()}
	}
}

func genQuarantined(t *rapid.T) journal.Quarantined {
	q := journal.Quarantined{HasSeq: rapid.Bool().Draw(t, "has seq"), HasBoot: rapid.Bool().Draw(t, "has boot"), At: rapid.Int64().Draw(t, "at"), Reason: rapid.SampledFrom(city.Reasons).Draw(t, "reason")}
	if q.HasSeq {
		q.Seq = rapid.Uint64().Draw(t, "seq")
	}
	if q.HasBoot {
		q.Boot = rapid.Uint64().Draw(t, "boot")
	}
	return q
}
