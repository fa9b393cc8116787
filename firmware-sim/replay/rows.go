package replay

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// row is one observation.
type row struct {
	device string
	at     int64 // Unix ms
	seq    uint64
	again  bool // an equal one came before
	values map[string]string
	lanes  []map[string]string
}

// equal tells whether two observations of one device and time say the same.
func (r *row) key() string {
	var b strings.Builder
	write := func(values map[string]string) {
		names := make([]string, 0, len(values))
		for name := range values {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			b.WriteString(name + "\x00" + values[name] + "\x01")
		}
	}
	b.WriteString(r.device + "\x00" + strconv.FormatInt(r.at, 10) + "\x01")
	write(r.values)
	for _, lane := range r.lanes {
		b.WriteByte('\x02')
		write(lane)
	}
	return b.String()
}

// FaultError is a row that cannot be mapped; such rows are skipped and told.
type FaultError struct {
	Line int
	Err  error
}

// Error names the line.
func (f FaultError) Error() string { return fmt.Sprintf("line %d: %v", f.Line, f.Err) }

// Unwrap returns the cause.
func (f FaultError) Unwrap() error { return f.Err }

// readRows reads the CSV, sorts it by time (rows of one time keep the order of
// the file) and numbers it: each device counts from 1, equal rows have the
// number of the first of them.
func (m *Mapping) readRows(r io.Reader) (rows []row, faults []FaultError, err error) {
	c := csv.NewReader(r)
	c.Comma = []rune(m.Delimiter)[0]
	c.FieldsPerRecord = -1
	c.ReuseRecord = true
	head, err := c.Read()
	if err != nil {
		return nil, nil, fmt.Errorf("csv: no line with the names of the columns: %w", err)
	}
	head = slices.Clone(head)
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	place := map[string]int{}
	for i, name := range head {
		place[strings.TrimSpace(name)] = i
	}
	for _, name := range m.columns() {
		if _, ok := place[name]; !ok {
			err = errors.Join(err, fmt.Errorf("csv: there is no column %s, only %s", name, strings.Join(head, ", ")))
		}
	}
	if err != nil {
		return nil, nil, err
	}
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("csv: %w", err)
		}
		line, _ := c.FieldPos(0)
		text := func(name string) string {
			if i := place[name]; i < len(record) {
				return strings.TrimSpace(record[i])
			}
			return ""
		}
		row, ok, err := m.row(text)
		if err != nil {
			faults = append(faults, FaultError{line, err})
		} else if ok {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		default:
			return 0
		}
	})
	number(rows)
	return rows, faults, nil
}

func number(rows []row) {
	last := map[string]uint64{}
	seen := map[string]uint64{}
	at := int64(0)
	for i := range rows {
		r := &rows[i]
		if r.at != at { // equal rows have equal times
			clear(seen)
			at = r.at
		}
		key := r.key()
		if seq := seen[key]; seq > 0 {
			r.seq, r.again = seq, true
			continue
		}
		last[r.device]++
		r.seq = last[r.device]
		seen[key] = r.seq
	}
}

// row maps one record; ok is false where Where leaves it out.
func (m *Mapping) row(text func(column string) string) (r row, ok bool, err error) {
	for name, want := range m.Where {
		if text(name) != want {
			return row{}, false, nil
		}
	}
	r.device = m.Device.Fixed
	if m.Device.Column != "" {
		r.device = text(m.Device.Column)
		if m.Device.Lower {
			r.device = strings.ToLower(r.device)
		}
		if r.device == "" {
			return row{}, false, errors.New("no device")
		}
		if m.Device.Template != "" {
			r.device = strings.ReplaceAll(m.Device.Template, "{value}", r.device)
		}
		r.device = strings.Map(ofID, r.device)
	}
	parts := make([]string, len(m.Time.Columns))
	for i, name := range m.Time.Columns {
		parts[i] = text(name)
	}
	if r.at, err = m.time(strings.Join(parts, " ")); err != nil {
		return row{}, false, err
	}
	r.values = pick(m.Values, text)
	for _, lane := range m.Lanes {
		r.lanes = append(r.lanes, pick(lane, text))
	}
	return r, true, nil
}

// ofID makes "-" of what no id of an inventory can have, so that a name with
// spaces or a comma becomes a device that there can be.
func ofID(c rune) rune {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		return c
	}
	return '-'
}

func (m *Mapping) time(s string) (int64, error) {
	scale := int64(1000)
	switch m.Time.Layout {
	case "unix_ms":
		scale = 1
		fallthrough
	case "unix":
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("time: %w", err)
		}
		return v * scale, nil
	}
	t, err := time.ParseInLocation(m.Time.Layout, s, m.zone)
	if err != nil {
		return 0, fmt.Errorf("time: %w", err)
	}
	return t.UnixMilli(), nil
}

func pick(values map[string]Value, text func(string) string) map[string]string {
	out := make(map[string]string, len(values))
	for name, v := range values {
		s := v.Fixed
		if v.Column != "" {
			if s = text(v.Column); slices.Contains(v.Absent, s) {
				s = ""
			}
			if mapped, ok := v.Map[s]; ok {
				s = mapped
			}
		}
		if s != "" {
			out[name] = s
		}
	}
	return out
}
