// Package labelled reads series whose anomalies are labelled, as NAB's: a folder
// with windows.json ({"file": [["from", "to"], ..]}) and the CSV files that it names
// (timestamp,value with a heading).
package labelled

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/simpang-id/simpang/internal/watch/baseline"
)

// Folder is the folder of the series: SIMPANG_ANOMALY_DATA, else that beside the
// project, whose root is told.
func Folder(root string) string {
	if own := os.Getenv("SIMPANG_ANOMALY_DATA"); own != "" {
		return own
	}
	return filepath.Join(root, "..", "shared", "data", "anomaly")
}

// Series is a series with its windows.
type Series struct {
	Name    string // its file, as in windows.json
	List    []baseline.Reading
	Windows []baseline.Window
}

// Read returns the series of a folder by name. An error that is fs.ErrNotExist: the
// folder, or a file that it names, is not there.
func Read(dir string) ([]Series, error) {
	text, err := os.ReadFile(filepath.Join(dir, "windows.json"))
	if err != nil {
		return nil, fmt.Errorf("the labelled series: %w", err)
	}
	var labels map[string][][2]string
	if err := json.Unmarshal(text, &labels); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, "windows.json"), err)
	}
	var all []Series
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		s := Series{Name: name}
		if s.List, err = readCSV(filepath.Join(dir, name)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, span := range labels[name] {
			from, err := moment(span[0])
			if err != nil {
				return nil, fmt.Errorf("the windows of %s: %w", name, err)
			}
			to, err := moment(span[1])
			if err != nil {
				return nil, fmt.Errorf("the windows of %s: %w", name, err)
			}
			s.Windows = append(s.Windows, baseline.Window{From: from, To: to})
		}
		all = append(all, s)
	}
	return all, nil
}

// moment reads a time as NAB writes it, with or without a fraction of a second.
func moment(text string) (int64, error) {
	at, err := time.Parse(time.DateTime, text[:min(len(text), len(time.DateTime))])
	return at.UnixMilli(), err
}

func readCSV(path string) (list []baseline.Reading, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = 2
	rows, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		if i == 0 {
			continue // the heading
		}
		at, err := moment(row[0])
		if err != nil {
			return nil, err
		}
		v, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			return nil, err
		}
		list = append(list, baseline.Reading{At: at, Value: v})
	}
	return list, nil
}
