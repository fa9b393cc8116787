package traffic

import (
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// closedKeepMS is how long a closure of the API is kept after its end.
const closedKeepMS = 2 * 24 * 3600_000

func (f *Follower) close(c *journal.Closure) {
	f.closing = true
	f.closures.Put(inventory.Closure{
		ID: c.ID, Site: c.Site, Segment: c.Segment, From: c.From, Until: c.Until, Reason: c.Reason, Note: c.Note, PlacesLost: c.PlacesLost,
	})
}

// day takes the closures that are open at the begin of a day, for a journal
// that begins there, and forgets those long over.
func (f *Follower) day(e *journal.Entry) {
	for i := range e.Day.Closures {
		f.close(&e.Day.Closures[i])
	}
	for _, c := range f.closures.Closures() {
		if c.Until != 0 && c.Until < f.now-closedKeepMS {
			f.closing = f.closures.Remove(c.ID) || f.closing
		}
	}
}

// status is open, closed, or limited where a closure takes places only. It
// holds until a closure begins or ends, or this minute does.
func (f *Follower) status(segment string) (status string, until int64) {
	status, until = "open", floorTo(f.now, 60_000)+60_000
	for _, span := range f.closures.Spans(f.version, "", segment, f.now, until) {
		if span.From > f.now {
			until = min(until, span.From)
			continue
		}
		if span.To != 0 {
			until = min(until, span.To)
		}
		switch {
		case !span.PlacesLost.OK:
			status = "closed"
		case status == "open":
			status = "limited"
		}
	}
	return status, until
}
