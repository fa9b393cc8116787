package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// line is one row of the table.
type line struct {
	key    string // of the suite's own
	name   string
	bar    float64 // 0: none
	atMost bool    // the bar is the most, not the least
}

// suite measures some rows.
type suite struct {
	name string
	load string // what makes the load
	rows []line
	run  func(*bench, context.Context) error
}

// suites are all, in the order in which they run.
func suites() []suite {
	return []suite{
		journalSuite, mosquittoSuite, brokerSuite, pubackSuite, freshSuite, apiSuite, busySuite,
		historySuite, revenueSuite, proofSuite, startSuite, memorySuite, devicesSuite, connectionsSuite, catchUpSuite,
		watchSuite, monevSuite, influxSuite,
	}
}

// chosen returns the suites of a comma separated list, all for "".
func chosen(only string) ([]suite, error) {
	all := suites()
	if only == "" {
		return all, nil
	}
	names := strings.Split(only, ",")
	var out []suite
	for _, s := range all {
		if i := slices.Index(names, s.name); i >= 0 {
			out = append(out, s)
			names = slices.Delete(names, i, i+1)
		}
	}
	if len(names) > 0 {
		known := make([]string, len(all))
		for i := range all {
			known[i] = all[i].name
		}
		return nil, fmt.Errorf("-only: no suite %s; there are %s", strings.Join(names, ", "), strings.Join(known, ", "))
	}
	return out, nil
}

// report prints the rows of one suite.
type report struct {
	to   io.Writer
	rows []line // not printed yet
	late map[string]time.Duration
}

// level notes how long followers took to the journal's head after a round.
func (r *report) level(after time.Duration, keys ...string) {
	for _, key := range keys {
		r.late[key] = max(r.late[key], after)
	}
}

// levelWithin is how soon after a round every follower has to be level.
const levelWithin = time.Second

// row prints one row by its key.
func (r *report) row(key string, value float64, figure string) {
	i := slices.IndexFunc(r.rows, func(l line) bool { return l.key == key })
	if i < 0 {
		panic("bench: no row " + key + ", or it was printed already") // a mistake in its suite
	}
	l := r.rows[i]
	r.rows = slices.Delete(r.rows, i, i+1)
	met := l.bar == 0 || value >= l.bar
	if l.atMost {
		met = l.bar == 0 || value <= l.bar
	}
	if late := r.late[key]; late > levelWithin {
		figure += fmt.Sprintf("; followers level %.1f s after the end", late.Seconds())
		met = false
	}
	l.print(r.to, figure, met)
}

// missing prints what could not be measured, and why.
func (r *report) missing(err error) {
	if err == nil {
		err = errors.New("the suite ended without it")
	}
	for _, l := range r.rows {
		l.print(r.to, "not measured: "+strings.ReplaceAll(firstLine(err.Error()), "|", "/"), false)
	}
	r.rows = nil
}

func (l *line) print(to io.Writer, figure string, met bool) {
	want, verdict := "-", "ok"
	if l.bar > 0 {
		sign := ">="
		if l.atMost {
			sign = "<="
		}
		want = fmt.Sprintf("%s %g", sign, l.bar)
	}
	if !met {
		verdict = "short"
	}
	fmt.Fprintf(to, "%s | %s | %s | %s\n", l.name, figure, want, verdict)
}

func firstLine(s string) string {
	before, _, _ := strings.Cut(s, "\n")
	return before
}

// machineLoad is the kernel's load average.
func machineLoad() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	fields := strings.Fields(string(data))
	return strings.Join(fields[:min(3, len(fields))], " ")
}
