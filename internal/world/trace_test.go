package world

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// trace is everything that happened, as a hash, and its last lines as text.
type trace struct {
	sum   hash.Hash
	lines []string // the last ones; all of them where all is set
	all   bool
	n     int
}

const traceTail = 60

func newTrace(all bool) *trace { return &trace{sum: sha256.New(), all: all} }

// answer takes what was answered into the hash alone.
func (t *trace) answer(format string, args ...any) {
	fmt.Fprintf(t.sum, format+"\n", args...)
	t.n++
}

func (t *trace) note(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	t.answer("%s", line)
	t.lines = append(t.lines, line)
	if !t.all && len(t.lines) > 4*traceTail {
		t.lines = append(t.lines[:0], t.lines[len(t.lines)-traceTail:]...)
	}
}

func (t *trace) hash() string { return hex.EncodeToString(t.sum.Sum(nil)[:12]) }

// tail is the last lines for who looks for a fault.
func (t *trace) tail() string {
	lines := t.lines
	if !t.all {
		lines = lines[max(0, len(lines)-traceTail):]
	}
	return strings.Join(lines, "\n")
}

// failure is what the world or the model found wrong.
type failure struct{ text string }

func (f failure) Error() string { return f.text }

// failf ends the run: something is not as the contract says.
func failf(format string, args ...any) { panic(failure{fmt.Sprintf(format, args...)}) }

// must ends the run on an error that nothing in the world has caused.
func must(err error, doing string) {
	if err != nil {
		failf("%s: %v", doing, err)
	}
}
