package labelled_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/watch/baseline"
	"github.com/simpang-id/simpang/internal/watch/baseline/labelled"
)

// TestLabelledTraffic: on the series of NAB realTraffic that are here, with the
// defaults, every window is found with one false alarm a series at most.
func TestLabelledTraffic(t *testing.T) {
	t.Parallel()
	all, err := labelled.Read(labelled.Folder(filepath.Join("..", "..", "..", "..")))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the labelled series are not here: put NAB realTraffic with a windows.json into ../shared/data/anomaly, or name its folder in SIMPANG_ANOMALY_DATA")
	}
	require.NoError(t, err)
	p := baseline.Defaults()
	for _, s := range all {
		j := baseline.Judge(s.List, s.Windows, baseline.Flags(&p, s.List))
		t.Logf("%-24s found %d of %d, false %d", s.Name, j.Found, j.Windows, j.False)
		assert.Equal(t, j.Windows, j.Found, s.Name)
		assert.LessOrEqual(t, j.False, 1, s.Name)
	}
}

// TestRead reads a folder and tells what is wrong with one.
func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	_, err := labelled.Read(dir)
	require.ErrorIs(t, err, fs.ErrNotExist)
	write("windows.json", `{"a.csv": [["1970-01-01 00:00:01.000000", "1970-01-01 00:00:02.000000"]]}`)
	_, err = labelled.Read(dir)
	require.ErrorIs(t, err, fs.ErrNotExist)
	write("a.csv", "timestamp,value\n1970-01-01 00:00:01,4.5\n")
	all, err := labelled.Read(dir)
	require.NoError(t, err)
	require.Equal(t, []labelled.Series{{Name: "a.csv", List: []baseline.Reading{{At: 1000, Value: 4.5}}, Windows: []baseline.Window{{From: 1000, To: 2000}}}}, all)
	for _, wrong := range []string{"timestamp,value\nnoon,4\n", "timestamp,value\n1970-01-01 00:00:01,four\n", "timestamp\n1970-01-01 00:00:01\n"} {
		write("a.csv", wrong)
		_, err = labelled.Read(dir)
		require.ErrorContains(t, err, "a.csv")
	}
	write("windows.json", `{"a.csv": [["", ""]]}`)
	write("a.csv", "timestamp,value\n")
	_, err = labelled.Read(dir)
	require.ErrorContains(t, err, "windows of a.csv")
}
