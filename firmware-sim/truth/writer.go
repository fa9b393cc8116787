package truth

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"sync"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// Writer writes lines, from any goroutine, and counts them. The zero Writer
// writes nothing and only counts.
type Writer struct {
	mu     sync.Mutex
	buf    *bufio.Writer
	totals map[string]uint64
	err    error
}

// NewWriter returns a Writer to w; nil writes nothing.
func NewWriter(w io.Writer) *Writer {
	if w == nil {
		return &Writer{}
	}
	return &Writer{buf: bufio.NewWriterSize(w, 1<<16)}
}

// Line writes one line. The first error is kept for Close.
func (w *Writer) Line(l Line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count(l)
	if w.buf == nil || w.err != nil {
		return
	}
	text, err := json.Marshal(&l)
	if err == nil {
		_, err = w.buf.Write(append(text, '\n'))
	}
	w.err = err
}

func (w *Writer) count(l Line) {
	if w.totals == nil {
		w.totals = map[string]uint64{}
	}
	w.totals[l.What]++
	if l.What == Fault {
		w.totals["fault_"+l.Fault]++
	}
}

// Message writes that a message was acknowledged, what being Delivered,
// Duplicate or Refused as it was expected, or that it was Resent or Unacked.
func (w *Writer) Message(what string, m *message.Message) {
	l := Line{What: what, Device: m.Device, Kind: m.Kind.String(), Seq: &m.Seq, At: m.At, Reason: m.Reason}
	if m.HasBoot {
		l.Boot = &m.Boot
	}
	if what == Delivered && w.buf != nil {
		r := *m.Reading
		if r.Receipt != nil {
			bare := *r.Receipt
			bare.Plate = ""
			r.Receipt = &bare
		}
		l.Reading = native.Encode(&r)
	}
	w.Line(l)
}

// Totals returns how many lines of each kind, and faults of each name, there
// were.
func (w *Writer) Totals() map[string]uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	totals := make(map[string]uint64, len(w.totals))
	maps.Copy(totals, w.totals)
	return totals
}

// Flush gives what was written to the file.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.buf != nil && w.err == nil {
		w.err = w.buf.Flush()
	}
	if w.err != nil {
		return fmt.Errorf("truth file: %w", w.err)
	}
	return nil
}

// Close writes the last line and flushes. It does not close the file.
func (w *Writer) Close() error {
	w.Line(Line{What: End, Totals: w.Totals()})
	return w.Flush()
}
