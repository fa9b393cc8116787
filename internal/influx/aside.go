package influx

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// mostAside bounds each of the two files of what a target refused, bytes.
const mostAside = 8 << 20

// aside is where points lie that a server refused for themselves: a text file a
// person can read, and send with `influx write` once the cause is mended. Beyond
// its bound it becomes FILE.1, in place of the one before.
type aside struct {
	mu   sync.Mutex
	path string
	most int64
}

// put sets a line aside with its reason, durable when it returns.
func (a *aside) put(at time.Time, reason string, line []byte) (err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if info, err := os.Stat(a.path); err == nil && info.Size() >= a.most {
		if err := os.Rename(a.path, a.path+".1"); err != nil {
			return fmt.Errorf("influx: what was refused cannot be set aside: %w", err)
		}
	}
	f, err := os.OpenFile(a.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("influx: what was refused cannot be set aside: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := fmt.Fprintf(f, "# %s %s\n%s", at.UTC().Format(time.RFC3339), brief(reason), line); err != nil {
		return fmt.Errorf("influx: what was refused cannot be set aside: %w", err)
	}
	return f.Sync()
}
