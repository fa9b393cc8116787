package archive

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/journal"
)

// FuzzStored reads what stands in manifests and footers: what is taken is
// written the same again.
func FuzzStored(f *testing.F) {
	day := Day{Date: "2026-03-02", First: 7, Last: 9, Readings: 2, Files: []File{{Kind: "spot", Bytes: 9, Rows: 2, MinAt: -1, Footer: 5, Removed: true}}}
	manifest, err := day.encode()
	require.NoError(f, err)
	f.Add(manifest)
	x := &index{}
	x.add("d1", 5, 2, []byte("a"))
	x.add("d2", -5, 0, nil)
	text, err := x.encode()
	require.NoError(f, err)
	f.Add([]byte(text))
	f.Add([]byte(`{"device":["d"],"first_row":[-1]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, b := range [][]byte{data, fmt.Appendf(slices.Clip(data), "\n%x\n", sha256.Sum256(data))} {
			d, err := decodeDay(b)
			if err != nil {
				continue
			}
			once, err := d.encode()
			require.NoError(t, err)
			again, err := decodeDay(once)
			require.NoError(t, err)
			require.Equal(t, d.Archive(), again.Archive())
			twice, err := again.encode()
			require.NoError(t, err)
			require.Equal(t, once, twice)
		}
		x, err := decodeIndex(string(data))
		if err != nil {
			return
		}
		for i, device := range x.Device {
			if at := x.find(device); at >= 0 {
				require.Equal(t, device, x.Device[at])
			}
			_ = x.rows() + x.MinAt[i] + x.MaxAt[i] + x.Entries[i] + int64(x.CRC32C[i])
		}
		text, err := x.encode()
		require.NoError(t, err)
		again, err := decodeIndex(text)
		require.NoError(t, err)
		require.Len(t, again.Device, len(x.Device))
	})
}

// FuzzDamage writes any bytes anywhere over a file: what it answers then is
// what it answered before, or a *DamageError. First the manifest still has the
// footer's checksum, then one that fits, as if someone had made it so.
func FuzzDamage(f *testing.F) {
	day := makeDay(3, 1, 60)
	dir := f.TempDir()
	s := openStore(f, dir)
	_, err := s.Write(f.Context(), day.info("2026-03-02"), day.read)
	require.NoError(f, err)
	var files [][]byte
	for _, t := range tables {
		data, err := os.ReadFile(filepath.Join(dir, t.name(), "2026-03-02.parquet"))
		require.NoError(f, err)
		files = append(files, data)
	}
	f.Add(uint8(0), uint16(4), []byte{1}, false)
	f.Add(uint8(3), uint16(300), []byte{0xff, 0xff}, false)
	for which, data := range files {
		n := binary.LittleEndian.Uint32(data[len(data)-8:])
		f.Add(uint8(which), uint16(len(data))-uint16(n), []byte{0x15}, true)
		f.Add(uint8(which), uint16(len(data)-9), []byte{9, 9}, true)
	}
	manifest, ok := s.Day("2026-03-02")
	require.True(f, ok)
	path := filepath.Join(dir, "damaged.parquet")
	f.Fuzz(func(t *testing.T, which uint8, offset uint16, xor []byte, fits bool) {
		table := tables[int(which)%len(tables)]
		data := append([]byte(nil), files[int(which)%len(tables)]...)
		for i, x := range xor {
			data[(int(offset)+i)%len(data)] ^= x
		}
		require.NoError(t, os.WriteFile(path, data, 0o600))
		meta := *manifest.File(table.name())
		if sum, err := footerCRC(bytesAt(data), int64(len(data))); fits && err == nil {
			meta.Footer = sum
		}
		file, err := openFile(path, table, &meta)
		if err != nil {
			isDamage(t, err)
			return
		}
		defer func() { require.NoError(t, file.f.Close()) }()
		whole, err := file.whole()
		if err != nil {
			isDamage(t, err)
			return
		}
		err = file.scan(whole, func(entries []journal.Entry) error {
			for i := range entries {
				if !fits { // who makes the checksums fit may write what he likes
					require.Equal(t, day[entries[i].Pos-1], entries[i])
				}
			}
			return nil
		})
		if err != nil {
			isDamage(t, err)
		}
	})
}

func isDamage(t *testing.T, err error) {
	t.Helper()
	_, ok := errors.AsType[*DamageError](err)
	require.True(t, ok, "%v", err)
}

type bytesAt []byte

func (b bytesAt) ReadAt(p []byte, off int64) (int, error) { return copy(p, b[off:]), nil }
