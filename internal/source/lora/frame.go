package lora

import (
	"hash/maphash"

	"github.com/simpang-id/simpang/internal/wire/lorawan"
)

// frame is the last frame of a device that its network had a name for.
type frame struct {
	name    uint64 // hash of the deduplication id
	session uint64
	content uint64
	fcnt    uint32
	at      int64 // of its first copy, Unix ms
}

// seed is of the process: what is remembered does not outlive it.
var seed = maphash.MakeSeed()

// namedMs is how long a frame's name is believed to come again: a network that
// gives all its frames one name must not make copies of them.
const namedMs = 60 * 60 * 1000

// meet compares an uplink with the device's last frame, by the name that the
// network gave each. A copy under the same name gets the first one's time, and so
// its identity. apart tells that a frame with the counter of the last one is
// another: its name differs, and so does what it says. (The same content under
// another name is a frame that the device sent twice.)
func (d *Decoder) meet(device string, e *lorawan.Event) (apart bool) {
	if e.Kind != lorawan.Uplink || e.Dedup == "" || e.Simulated {
		return false
	}
	x := frame{name: maphash.String(seed, e.Dedup), session: maphash.String(seed, e.Session), content: maphash.Bytes(seed, e.Payload), fcnt: e.FCnt, at: e.At}
	d.mu.Lock()
	defer d.mu.Unlock()
	last, known := d.frames[device]
	if known && last.fcnt == x.fcnt && last.session == x.session {
		since := max(x.at-last.at, last.at-x.at)
		if last.name == x.name && since < namedMs {
			e.At = last.at
			return false
		}
		apart = last.name != x.name && last.content != x.content
	}
	d.frames[device] = x
	return apart
}
