package health

import (
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// timed takes what a reading tells of its device's clock, as intake does. It is
// called before the reading's boot is noted.
func (d *device) timed(e *journal.Entry) {
	r := e.Reading
	if r.Beside() {
		return
	}
	if r.HasBoot && d.has&hasBoot != 0 && r.Boot > uint64(d.boot) || e.Flags&journal.FlagNewRun != 0 {
		d.clock.Rebooted()
	}
	d.clock.Take(e.Recv-r.At, e.Recv)
}

func (d *device) clockMs() city.Int {
	ms, ok := d.clock.Ms()
	return city.Int{V: ms, OK: ok}
}
