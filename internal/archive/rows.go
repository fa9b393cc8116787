package archive

import (
	"bytes"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// common are the columns of every kind of reading. Columns named *_milli are
// in thousandths of their unit; what was not sent is null.
type common struct {
	Device string  `parquet:"device,dict"`
	At     int64   `parquet:"at,timestamp(millisecond),delta"`   // the device's clock
	Recv   int64   `parquet:"recv,timestamp(millisecond),delta"` // ours
	Pos    uint64  `parquet:"pos,delta"`                         // in the journal
	Boot   *uint64 `parquet:"boot,dict"`                         // null: the device counts none
	Seq    uint64  `parquet:"seq,delta"`
	Flags  int32   `parquet:"flags,dict"` // journal.Flags
	Source string  `parquet:"source,dict"`
}

type spotRow struct {
	common
	Occupied    bool   `parquet:"occupied"`
	DwellS      *int64 `parquet:"dwell_s"`
	Battery     *int64 `parquet:"battery_v_milli,dict"`
	Temperature *int64 `parquet:"temperature_c_milli,dict"`
	RSSI        *int64 `parquet:"rssi_dbm_milli,dict"`
	SNR         *int64 `parquet:"snr_db_milli,dict"`
}

type gateRow struct {
	common
	Direction string `parquet:"direction,dict"`
	Class     string `parquet:"class,dict"`
	Count     int64  `parquet:"count,dict"`
	Total     *int64 `parquet:"total"` // of a counter that never goes back, as sent
}

type countRow struct {
	common
	Class    string `parquet:"class,dict"`
	Occupied int64  `parquet:"occupied,delta"`
}

// laneRow is one lane of a traffic reading; the rows of one reading share its
// position and lie together. A reading without lanes is one row without a lane.
type laneRow struct {
	common
	PeriodS   int64   `parquet:"period_s,dict"`
	Lane      *int64  `parquet:"lane,dict"`
	Direction *string `parquet:"direction,dict"`
	SM        *int64  `parquet:"sm"`
	KR        *int64  `parquet:"kr"`
	KB        *int64  `parquet:"kb"`
	KTB       *int64  `parquet:"ktb"`
	Unknown   *int64  `parquet:"unknown"`
	Speed     *int64  `parquet:"speed_kmh_milli"`
	Occupancy *int64  `parquet:"occupancy_pct_milli"`
	Total     *int64  `parquet:"total"` // of a counter that never goes back, as sent
}

type receiptRow struct {
	common
	Receipt     string `parquet:"receipt"`
	Amount      int64  `parquet:"amount_rupiah"`
	Method      string `parquet:"method,dict"`
	Class       string `parquet:"class,dict"` // "": named none
	EnteredAt   *int64 `parquet:"entered_at,timestamp(millisecond)"`
	LeftAt      *int64 `parquet:"left_at,timestamp(millisecond)"`
	Void        bool   `parquet:"void"`
	PlateHash   []byte `parquet:"plate_hash"` // keyed; never the plate
	TotalCount  *int64 `parquet:"total_count"`
	TotalAmount *int64 `parquet:"total_amount_rupiah"`
}

type healthRow struct {
	common
	Battery    *int64   `parquet:"battery_v_milli,dict"`
	UptimeS    *int64   `parquet:"uptime_s"`
	Firmware   string   `parquet:"firmware,dict"`
	Errors     []string `parquet:"errors,list"`
	RSSI       *int64   `parquet:"rssi_dbm_milli,dict"`
	SNR        *int64   `parquet:"snr_db_milli,dict"`
	BatteryPct *int64   `parquet:"battery_pct_milli,dict"`
}

// otherRow is an entry that is no reading, in its canonical bytes.
type otherRow struct {
	Pos    uint64 `parquet:"pos,delta"`
	Recv   int64  `parquet:"recv,timestamp(millisecond),delta"`
	Type   int32  `parquet:"type,dict"` // journal.Type
	Flags  int32  `parquet:"flags,dict"`
	Source string `parquet:"source,dict"`
	Body   []byte `parquet:"body"` // journal.EncodeBody
}

func commonOf(e *journal.Entry) common {
	c := common{Device: e.Reading.Device, At: e.Reading.At, Recv: e.Recv, Pos: e.Pos, Seq: e.Reading.Seq, Flags: int32(e.Flags), Source: e.Source}
	if e.Reading.HasBoot {
		c.Boot = &e.Reading.Boot
	}
	return c
}

// posColumn is the column of the position, by which lanes of one reading are
// known.
const posColumn = 3

// cells takes the values of one row, column by column. (parquet-go's own way
// back into structs gives embedded null columns as zeros.)
type cells struct {
	batch  *batch
	row    int
	column int

	device, source string         // of the entry before: most names are the same
	readings       []city.Reading // made for the rows of the batch, not given out yet
	spots          []city.Spot
}

// next takes the next column; one that the file is too old to have is null.
func (c *cells) next() parquet.Value {
	c.column++
	if c.column > len(c.batch.columns) {
		return parquet.Value{}
	}
	return c.batch.columns[c.column-1].value(c.row)
}

// name takes a string that is most often the one before.
func (c *cells) name(before *string) string {
	if b := c.next().ByteArray(); string(b) != *before {
		*before = string(b)
	}
	return *before
}

// same returns how many rows from this one on have its position.
func (c *cells) same() int {
	pos := &c.batch.columns[posColumn]
	n := 1
	for c.row+n < c.batch.rows && pos.value(c.row+n).Uint64() == pos.value(c.row).Uint64() {
		n++
	}
	return n
}

// give gives out one of the values that were made in one piece, as many as the
// batch has rows left.
func give[T any](made *[]T, c *cells) *T {
	if len(*made) == 0 {
		*made = make([]T, c.batch.rows-c.row)
	}
	v := &(*made)[0]
	*made = (*made)[1:]
	return v
}

func (c *cells) string() string { return string(c.next().ByteArray()) }
func (c *cells) int() int64     { return c.next().Int64() }
func (c *cells) int32() int32   { return c.next().Int32() }
func (c *cells) uint() uint64   { return c.next().Uint64() }
func (c *cells) bool() bool     { return c.next().Boolean() }

func (c *cells) bytes() []byte {
	if v := c.next(); !v.IsNull() && len(v.ByteArray()) > 0 {
		return bytes.Clone(v.ByteArray())
	}
	return nil
}

func (c *cells) someInt() city.Int {
	if v := c.next(); !v.IsNull() {
		return city.SomeInt(v.Int64())
	}
	return city.Int{}
}

func (c *cells) someMilli() city.Milli { return city.Milli(c.someInt()) }

// strings takes a list, which is the values of one column.
func (c *cells) strings() []string {
	var list []string
	for _, v := range c.batch.columns[c.column].all(c.row) {
		if !v.IsNull() {
			list = append(list, string(v.ByteArray()))
		}
	}
	c.column++
	return list
}

// reading takes the common columns.
func (c *cells) reading(kind city.Kind) (journal.Entry, *city.Reading) {
	r := give(&c.readings, c)
	*r = city.Reading{Kind: kind, Device: c.name(&c.device), At: c.int()}
	e := journal.Entry{Type: journal.TypeReading, Reading: r, Recv: c.int(), Pos: c.uint()}
	if boot := c.next(); !boot.IsNull() {
		r.HasBoot, r.Boot = true, boot.Uint64()
	}
	r.Seq = c.uint()
	e.Flags, e.Source = journal.Flags(c.int32()), c.name(&c.source)
	return e, r
}

func optInt(v *city.Int) *int64 {
	if !v.OK {
		return nil
	}
	return &v.V
}

func optMilli(v *city.Milli) *int64 {
	if !v.OK {
		return nil
	}
	return &v.V
}

func optCount(known bool, n uint32) *int64 {
	if !known {
		return nil
	}
	v := int64(n)
	return &v
}

const (
	in, out           = "in", "out"
	forward, backward = "forward", "backward"
)

func choose(second bool, a, b string) string {
	if second {
		return b
	}
	return a
}

func classOf(word string) (city.Class, error) {
	if word == "" {
		return city.ClassNone, nil
	}
	if class, ok := city.ParseClass(word); ok {
		return class, nil
	}
	var n uint8
	if _, err := fmt.Sscanf(word, "class(%d)", &n); err != nil {
		return 0, fmt.Errorf("unknown class %q", word)
	}
	return city.Class(n), nil
}

func methodOf(word string) (city.Method, error) {
	if word == "" {
		return city.MethodNone, nil
	}
	if method, ok := city.ParseMethod(word); ok {
		return method, nil
	}
	var n uint8
	if _, err := fmt.Sscanf(word, "method(%d)", &n); err != nil {
		return 0, fmt.Errorf("unknown method %q", word)
	}
	return city.Method(n), nil
}
