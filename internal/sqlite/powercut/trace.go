package powercut

import (
	"os"
	"path/filepath"
)

// Trace is what was done on a disk since Record. From one run of the program
// it gives what a power cut at any operation would have left.
type Trace struct {
	dir     string
	initial *media // when the trace begins
	ops     []op

	media *media // after the first at operations
	at    int
}

// Record begins a trace. It is to be called before the first file is opened.
// Files that the program unlinks by itself stay in a trace.
func (d *Disk) Record() *Trace {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trace = &Trace{dir: d.dir, initial: d.media.clone()}
	return d.trace
}

// Ops returns the number of operations.
func (t *Trace) Ops() int { return len(t.ops) }

// Leave writes into a folder what is left of the disk's where the power is cut
// during the operation after the first n; with n = Ops() after the last. It is
// what the same seed leaves on a Disk with CutAfter(n). Going upwards with n is
// cheap. It is called from one goroutine.
func (t *Trace) Leave(dir string, n int, seed uint64) error {
	if t.media == nil || n < t.at {
		t.media, t.at = t.initial.clone(), 0
	}
	for ; t.at < n; t.at++ {
		t.media.apply(&t.ops[t.at])
	}
	var during *op
	if n < len(t.ops) {
		during = &t.ops[n]
	}
	left := t.media.cut(random(seed, n), during)
	for path := range left {
		if err := os.MkdirAll(filepath.Dir(t.place(dir, path)), 0o700); err != nil {
			return err
		}
	}
	return left.write(func(path string) string { return t.place(dir, path) })
}

func (t *Trace) place(dir, path string) string {
	rel, err := filepath.Rel(t.dir, path)
	if err != nil {
		return filepath.Join(dir, filepath.Base(path))
	}
	return filepath.Join(dir, rel)
}
