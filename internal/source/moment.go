package source

import (
	"sync/atomic"
	"time"
)

// began is what moments are counted from.
var began = time.Now()

// Moment is when something happened last, by the monotonic clock: to set our
// own clock moves it neither forward nor back. The zero value is never. It may
// be used by any number of goroutines.
type Moment struct{ since atomic.Int64 } // ns since began; 0 never

// Now says that it happens now.
func (m *Moment) Now() { m.since.Store(max(1, int64(time.Since(began)))) }

// Time returns the moment, to be compared with times of the monotonic clock
// (time.Since, Sub of what time.Now gave); zero: never. What it shows of the
// wall is as our clock was at the start.
func (m *Moment) Time() time.Time {
	if since := m.since.Load(); since != 0 {
		return began.Add(time.Duration(since))
	}
	return time.Time{}
}
