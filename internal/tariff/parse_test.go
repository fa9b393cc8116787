package tariff_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/tariff"
)

// Each testdata/bad/*.yaml marks the faulty lines with "# FAULT part of the
// message"; a fault on line 0 or 1 without a place to mark stands in a first
// line "# FAULT@1 ...".
func TestFaultsAreAllToldWithTheirLine(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			type fault struct {
				line int
				part string
			}
			var want []fault
			for i, line := range strings.Split(string(data), "\n") {
				for _, mark := range strings.Split(line, "# FAULT")[1:] {
					number := i + 1
					if rest, ok := strings.CutPrefix(mark, "@"); ok {
						digits, part, _ := strings.Cut(rest, " ")
						number, err = strconv.Atoi(digits)
						require.NoError(t, err)
						mark = part
					}
					want = append(want, fault{number, strings.TrimSpace(mark)})
				}
			}
			book, faults := tariff.ParseYAML(data)
			require.Empty(t, book.IDs(), "a faulty file gives no tariffs")
			require.Len(t, faults, len(want), "%v", faults)
			for _, w := range want {
				found := false
				for _, f := range faults {
					found = found || f.Line == w.line && strings.Contains(f.Message, w.part)
				}
				require.True(t, found, "no fault on line %d with %q in %v", w.line, w.part, faults)
			}
		})
	}
}

func TestEmptyFile(t *testing.T) {
	_, faults := tariff.ParseYAML(nil)
	require.Len(t, faults, 1)
	require.Contains(t, faults[0].Message, "empty")
}

// Whatever the bytes: faults or a Book that prices without panic, never less
// than nothing, never less for a longer stay.
func FuzzParseYAML(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.yaml")
	require.NoError(f, err)
	for _, file := range append(files, "testdata/book.yaml", "../../configs/bekasi/inventory/tariffs.yaml") {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data, int64(1773500000000), int64(7_200_000))
	}
	f.Fuzz(func(t *testing.T, data []byte, entered, length int64) {
		book, faults := tariff.ParseYAML(data)
		if len(faults) > 0 {
			require.Empty(t, book.IDs())
			for _, fault := range faults {
				require.NotEmpty(t, fault.Message)
				require.GreaterOrEqual(t, fault.Line, 0)
			}
			return
		}
		entered = entered % (1 << 42)
		length = (length & (1<<62 - 1)) % (100 * dayMs)
		for _, id := range book.IDs() {
			for _, class := range city.Classes {
				short, err := book.Price(id, tariff.Stay{Class: class, Entered: entered, Left: entered + length/2}, calendar())
				if err != nil {
					continue
				}
				long, err := book.Price(id, tariff.Stay{Class: class, Entered: entered, Left: entered + length}, calendar())
				require.NoError(t, err)
				require.GreaterOrEqual(t, short.Amount, city.Rupiah(0))
				require.GreaterOrEqual(t, long.Amount, short.Amount)
			}
			_, _ = book.Describe(id, entered, calendar())
		}
	})
}
