package ledger

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

// golden is an entry with every field set, and its bytes of version 1. They
// must never change: entries are leaves of a proof that others keep.
var golden = Entry{
	N: 300, Kind: KindRevoid, Pos: 70000, Cause: 70512, Ref: 299, Device: "meter-a", HasBoot: true, Boot: 3, Seq: 1000, At: 1772384400123,
	Content: [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, Number: "A-000001", Site: "site-a", Kecamatan: "Bekasi Timur",
	Operator: "op-1", NPWPD: "P.1", NOPD: "N-1", Levy: "pbjt", Account: "4.1.01.19.04.0001", Tariff: "hourly@2020-01-01",
	Class: city.Motorcycle, Method: city.QRIS, Face: 2000, Amount: -2000, Count: -1, Day: 20514, Flags: FlagLate | FlagCorrected,
}

const goldenHex = "0106ac02f0a204ff07ab02076d657465722d610103e807f6cbbda59567000102030405060708090a0b0c0d0e0f08412d303030303031" +
	"06736974652d610c42656b6173692054696d7572046f702d3103502e31034e2d310470626a7411342e312e30312e31392e30" +
	"342e3030303111686f75726c7940323032302d30312d30310202a01f9f1f01c4c0028108"

func TestCanonicalBytes(t *testing.T) {
	require.Equal(t, goldenHex, hex.EncodeToString(AppendEntry(nil, &golden)))
	data, err := hex.DecodeString(goldenHex)
	require.NoError(t, err)
	e, err := DecodeEntry(data)
	require.NoError(t, err)
	require.Equal(t, &golden, e)
}

// goldenAct is an act's entry with every field set, and its bytes of version 2.
var goldenAct = Entry{
	N: 301, Kind: KindDeposit, Pos: 70000, Cause: 70000, Ref: 299, At: 1772384400123,
	Content: [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, Account: "4.1.01.19.04.0001", Operator: "op-1", NPWPD: "P.1", NOPD: "N-1",
	Site: "site-a", Kecamatan: "Bekasi Timur", Levy: "pbjt", Class: city.Car, Amount: -99300, Count: -1, Day: 20514, Flags: FlagLate, Body: []byte{1, 2, 3},
}

const goldenActHex = "0207ad02f0a204ab02f6cbbda59567000102030405060708090a0b0c0d0e0f11342e312e30312e31392e30342e30303031046f702d3103502e31034e2d31" +
	"06736974652d610c42656b6173692054696d75720470626a7401c78f0c01c4c0020103010203"

func TestCanonicalBytesOfAnAct(t *testing.T) {
	require.Equal(t, goldenActHex, hex.EncodeToString(AppendEntry(nil, &goldenAct)))
	data, err := hex.DecodeString(goldenActHex)
	require.NoError(t, err)
	e, err := DecodeEntry(data)
	require.NoError(t, err)
	require.Equal(t, &goldenAct, e)
	for n := range data {
		_, err := DecodeEntry(data[:n])
		require.Error(t, err, "cut at %d", n)
	}
}

func TestOtherBytesAreNoEntry(t *testing.T) {
	data := AppendEntry(nil, &golden)
	for n := range data {
		_, err := DecodeEntry(data[:n])
		require.Error(t, err, "cut at %d", n)
	}
	_, err := DecodeEntry(append(data, 0))
	require.Error(t, err, "one byte too many")
	data[0] = 3
	_, err = DecodeEntry(data)
	require.Error(t, err, "another version")
}

// Whatever bytes: an error, or exactly the bytes that the entry is written as.
func FuzzDecodeEntry(f *testing.F) {
	f.Add(AppendEntry(nil, &golden))
	f.Add(AppendEntry(nil, &goldenAct))
	f.Add(AppendEntry(nil, &Entry{Kind: KindUnused}))
	f.Add(AppendEntry(nil, &Entry{Kind: KindReceipt}))
	f.Add([]byte{1, 1, 0x80, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := DecodeEntry(data)
		if err == nil {
			require.Equal(t, data, AppendEntry(nil, e))
		}
	})
}

// FuzzDecodeCells reads sums of a day, and cursors of pages of receipts.
func FuzzDecodeCells(f *testing.F) {
	f.Add(appendCells(nil, []cell{{1, city.Car, city.Cash, sums{3, 1, 5000}}, {2, city.ClassNone, city.QRIS, sums{-1, 1, -2000}}}))
	f.Add([]byte{1, 0x80})
	f.Add([]byte(listRow{at: -5, pos: 77}.cursor()))
	f.Fuzz(func(t *testing.T, data []byte) {
		if row, err := parseCursor(string(data)); err == nil && len(data) > 0 {
			again, err := parseCursor(row.cursor())
			require.NoError(t, err)
			require.Equal(t, row, again)
		}
		cells, err := decodeCells(nil, data)
		if err != nil {
			return
		}
		again, err := decodeCells(nil, appendCells(nil, cells))
		require.NoError(t, err)
		require.Equal(t, cells, again)
	})
}

func TestFlagsHaveNames(t *testing.T) {
	require.Equal(t, []string{}, Flags(0).Names())
	require.Equal(t, []string{"late", "total_reset"}, (FlagLate | FlagTotalReset).Names())
	require.Len(t, (FlagAfterClose<<1 - 1).Names(), len(flagNames))
	for k := KindReceipt; k <= KindCertificates; k++ {
		require.NotEmpty(t, k.String())
	}
}
