package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"sort"
	"strconv"
	"strings"
)

const formatVersion = "1"

// Keys of a file's metadata.
const (
	keyVersion = "simpang.version"
	keyDate    = "simpang.date"
	keyKind    = "simpang.kind"
	keyDevices = "simpang.devices"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// index tells where each device's entries lie in a file. It is kept in the
// file's footer as JSON, one array a column, devices sorted.
type index struct {
	Device  []string `json:"device"`
	First   []int64  `json:"first_row"` // of the file
	Rows    []int64  `json:"rows"`
	Entries []int64  `json:"entries"`
	MinAt   []int64  `json:"min_at"` // Unix ms; in the file of other entries the receive time
	MaxAt   []int64  `json:"max_at"`
	CRC32C  []uint32 `json:"crc32c"` // over the canonical bytes of the device's entries, in order
}

// add counts one entry of rows rows.
func (x *index) add(device string, at int64, rows int, canonical []byte) {
	i := len(x.Device) - 1
	if i < 0 || x.Device[i] != device {
		first := int64(0)
		if i >= 0 {
			first = x.First[i] + x.Rows[i]
		}
		x.Device, x.First, x.Rows, x.Entries = append(x.Device, device), append(x.First, first), append(x.Rows, 0), append(x.Entries, 0)
		x.MinAt, x.MaxAt, x.CRC32C = append(x.MinAt, at), append(x.MaxAt, at), append(x.CRC32C, 0)
		i++
	}
	x.Rows[i] += int64(rows)
	x.Entries[i]++
	x.MinAt[i], x.MaxAt[i] = min(x.MinAt[i], at), max(x.MaxAt[i], at)
	x.CRC32C[i] = crc32.Update(x.CRC32C[i], castagnoli, canonical)
}

// find returns the place of a device, -1 where the file has nothing of it.
func (x *index) find(device string) int {
	i := sort.SearchStrings(x.Device, device)
	if i == len(x.Device) || x.Device[i] != device {
		return -1
	}
	return i
}

// only returns the map of the device at a place, nil for -1.
func (x *index) only(i int) *index {
	if i < 0 {
		return nil
	}
	return &index{x.Device[i : i+1], x.First[i : i+1], x.Rows[i : i+1], x.Entries[i : i+1], x.MinAt[i : i+1], x.MaxAt[i : i+1], x.CRC32C[i : i+1]}
}

// columns of the map after the devices, in the order in which they are written.
var columns = [...]string{"first_row", "rows", "entries", "min_at", "max_at", "crc32c"}

// pick returns the map of one device out of the text of a map, nil where it has
// none; ok is false where the text has to be decoded whole to tell. In JSON no
// string has a quote, but behind a backslash: so a plain name in quotes is a
// name, and what parts two names is never within one.
func pick(text, device string) (x *index, ok bool) {
	if device == "" || strings.ContainsFunc(device, func(c rune) bool { return c < ' ' || c > '~' || strings.ContainsRune(`"\\<>&,`, c) }) {
		return nil, false
	}
	rest, ok := strings.CutPrefix(text, `{"device":[`)
	names, rest, more := strings.Cut(rest, `],"first_row":[`)
	if !ok || !more {
		return nil, false
	}
	at, quoted := 0, `"`+device+`"`
	for {
		found := strings.Index(names[at:], quoted)
		if found < 0 {
			return nil, true
		}
		at += found
		end := at + len(quoted)
		if (at == 0 || names[at-1] == ',') && (end == len(names) || names[end] == ',') {
			break
		}
		at++
	}
	place := strings.Count(names[:at+1], `","`)
	if !strings.Contains(names[:at], `\`) {
		place = strings.Count(names[:at], `"`) / 2 // of one byte it is counted many times as fast
	}
	var values [len(columns)]int64
	for i := range columns {
		column, after, whole := strings.Cut(rest, "]")
		if !whole {
			return nil, false
		}
		if i+1 < len(columns) {
			if after, whole = strings.CutPrefix(after, `,"`+columns[i+1]+`":[`); !whole {
				return nil, false
			}
		}
		column, whole = behindCommas(column, place)
		if !whole {
			return nil, false
		}
		value, _, _ := strings.Cut(column, ",")
		var err error
		if values[i], err = strconv.ParseInt(value, 10, 64); err != nil {
			return nil, false
		}
		rest = after
	}
	return &index{
		[]string{strings.Clone(device)}, values[0:1], values[1:2], values[2:3], values[3:4], values[4:5], []uint32{uint32(values[5])},
	}, true
}

// behindCommas returns what follows the n-th comma of a text; ok is false where
// there are fewer. To count those of a stretch is far quicker than to look for
// each.
func behindCommas(text string, n int) (rest string, ok bool) {
	const stretch = 256
	for len(text) > stretch {
		some := strings.Count(text[:stretch], ",")
		if some >= n {
			break
		}
		text, n = text[stretch:], n-some
	}
	for range n {
		if _, text, ok = strings.Cut(text, ","); !ok {
			return "", false
		}
	}
	return text, true
}

// rows returns the number of rows in the file.
func (x *index) rows() int64 {
	if n := len(x.Device); n > 0 {
		return x.First[n-1] + x.Rows[n-1]
	}
	return 0
}

func (x *index) encode() (string, error) {
	b, err := json.Marshal(x)
	return string(b), err
}

func decodeIndex(text string) (*index, error) {
	x := &index{}
	if err := json.Unmarshal([]byte(text), x); err != nil {
		return nil, fmt.Errorf("the map of devices: %w", err)
	}
	n := len(x.Device)
	if len(x.First) != n || len(x.Rows) != n || len(x.Entries) != n || len(x.MinAt) != n || len(x.MaxAt) != n || len(x.CRC32C) != n {
		return nil, errors.New("the map of devices has columns of different lengths")
	}
	return x, nil
}
