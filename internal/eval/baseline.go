package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/simpang-id/simpang/internal/watch/baseline"
	"github.com/simpang-id/simpang/internal/watch/baseline/labelled"
)

// baselines streams the labelled series of a folder through the learned baseline,
// by the rule of issue 5 (How good), with one set of defaults for all.
func baselines(dir string) error {
	const name, bar = "labelled traffic", "all windows, <= 1 false alarm"
	all, err := labelled.Read(dir)
	if errors.Is(err, fs.ErrNotExist) {
		row(name, "not measured: there are no series in "+dir+" (SIMPANG_ANOMALY_DATA names another folder)", bar, false)
		return nil
	}
	if err != nil {
		return err
	}
	p := baseline.Defaults()
	for i := range all {
		s := &all[i]
		j := baseline.Judge(s.List, s.Windows, baseline.Flags(&p, s.List))
		row(name+" "+s.Name, fmt.Sprintf("%d of %d windows found, %d false alarms (%d readings)", j.Found, j.Windows, j.False, len(s.List)), bar, j.Good())
	}
	if len(all) == 0 {
		row(name, "not measured: windows.json in "+dir+" names no series", bar, false)
	}
	return nil
}
