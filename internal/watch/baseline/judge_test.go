package baseline

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// reading is one value of a series.
type reading struct {
	at    int64
	value float64
}

// window is a time that is labelled as anomalous, both ends inclusive.
type window struct{ from, to int64 }

// kindOf is the kind of day as a calendar without holidays has it.
func kindOf(at int64) (Kind, int64) {
	t := time.UnixMilli(at).UTC()
	if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
		return Weekend, at % dayMs
	}
	return Working, at % dayMs
}

// flags streams a series and returns which readings were anomalies.
func flags(p *Params, list []reading) (flagged []int) {
	var s Series
	for i, r := range list {
		kind, hour := kindOf(r.at)
		v, ok := s.Add(p, r.at, kind, hour, r.value)
		if ok && v.Anomalous && v.Score > 1 {
			flagged = append(flagged, i)
		}
	}
	return flagged
}

// judged is how good a detector was on one series.
type judged struct{ windows, found, falses int }

// judge counts windows with a flag, and runs of flags outside of all; flags less
// than 1 % of the series apart are one run, the first 15 % is learning.
func judge(list []reading, windows []window, flagged []int) (j judged) {
	j.windows = len(windows)
	learning := len(list) * 15 / 100
	found := make([]bool, len(windows))
	last := -len(list)
	for _, i := range flagged {
		if i < learning {
			continue
		}
		in := false
		for w, x := range windows {
			if list[i].at >= x.from && list[i].at <= x.to {
				in, found[w] = true, true
			}
		}
		if in {
			continue
		}
		if float64(i-last) >= 0.01*float64(len(list)) {
			j.falses++
		}
		last = i
	}
	for _, ok := range found {
		if ok {
			j.found++
		}
	}
	return j
}

// TestLabelledTraffic: on the series of NAB realTraffic that are here, with the
// defaults, every window is found with one false alarm a series at most.
func TestLabelledTraffic(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "..", "shared", "data", "anomaly")
	if own := os.Getenv("SIMPANG_ANOMALY_DATA"); own != "" {
		dir = own
	}
	text, err := os.ReadFile(filepath.Join(dir, "windows.json"))
	if err != nil {
		t.Skip("the labelled series are not here: put NAB realTraffic with a windows.json into ../shared/data/anomaly, or name its folder in SIMPANG_ANOMALY_DATA")
	}
	var labels map[string][][2]string
	require.NoError(t, json.Unmarshal(text, &labels))
	p := Defaults()
	for name, spans := range labels {
		list := readCSV(t, filepath.Join(dir, name))
		var windows []window
		for _, s := range spans {
			windows = append(windows, window{moment(t, s[0]), moment(t, s[1])})
		}
		flagged := flags(&p, list)
		j := judge(list, windows, flagged)
		t.Logf("%-24s found %d of %d, false %d, flags %d", name, j.found, j.windows, j.falses, len(flagged))
		if os.Getenv("SIMPANG_ANOMALY_SAY") != "" {
			say(t, list, windows, flagged)
		}
		assert.Equal(t, j.windows, j.found, name)
		assert.LessOrEqual(t, j.falses, 1, name)
	}
}

// say prints the runs.
func say(t *testing.T, list []reading, windows []window, flagged []int) {
	t.Helper()
	last := -100
	for _, i := range flagged {
		if i-last > 24 {
			in := "outside"
			for _, x := range windows {
				if list[i].at >= x.from && list[i].at <= x.to {
					in = "IN"
				}
			}
			t.Log("  ", i, time.UnixMilli(list[i].at).UTC().Format("Mon 2006-01-02 15:04"), list[i].value, in)
		}
		last = i
	}
}

func moment(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.Parse(time.DateTime, text[:len(time.DateTime)])
	require.NoError(t, err)
	return at.UnixMilli()
}

func readCSV(t *testing.T, path string) (list []reading) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	for _, row := range rows[1:] {
		v, err := strconv.ParseFloat(row[1], 64)
		require.NoError(t, err, fmt.Sprint(row))
		list = append(list, reading{moment(t, row[0]), v})
	}
	return list
}
