package intake

import "github.com/simpang-id/simpang/internal/journal"

// What a device sends that is set aside costs the commit that all wait for.
// Quarantine keeps the newest 1,000 items of a device; of what comes faster than
// it can look at anyway, most is not put there at all, only counted.
const (
	asideBurst  = 1000 // items of a device at once
	asideRate   = 50   // and a second
	asideNames  = 1 << 16
	asideName   = 64                                   // bytes of a name that tell devices apart
	asideSweep  = 1000                                 // ms between two looks at all names
	asideRefill = int64(asideBurst) * 1000 / asideRate // ms
)

// asideRates bounds what each device may have set aside. It belongs to the
// goroutine that decides.
type asideRates struct {
	devices map[string]*asideLeft
	swept   int64 // when forget last ran, ms on the monotonic clock
}

type asideLeft struct {
	left int64 // thousandths of an item
	at   int64 // ms on the monotonic clock
}

// allow tells whether one more item of a device is put into quarantine.
func (a *asideRates) allow(device string, mono int64) bool {
	device = device[:min(len(device), asideName)]
	x := a.devices[device]
	if x == nil {
		if len(a.devices) >= asideNames && mono-a.swept >= asideSweep {
			a.swept = mono
			a.forget(mono)
		}
		if len(a.devices) >= asideNames { // so many at once are one
			device = ""
			x = a.devices[device]
		}
	}
	if x == nil {
		if a.devices == nil {
			a.devices = map[string]*asideLeft{}
		}
		x = &asideLeft{left: asideBurst * 1000, at: mono}
		a.devices[device] = x
	}
	if since := min(mono-x.at, asideRefill); since > 0 {
		x.left = min(x.left+since*asideRate, asideBurst*1000)
		x.at = mono
	}
	if x.left < 1000 {
		return false
	}
	x.left -= 1000
	return true
}

// forget forgets who has been quiet for long enough to have all of it again.
func (a *asideRates) forget(mono int64) {
	for device, x := range a.devices {
		if mono-x.at >= asideRefill {
			delete(a.devices, device)
		}
	}
}

// setAside puts an item into the plan's quarantine, unless its device has had
// too much there. A receipt that was read is money, and always kept.
func (g *Gate) setAside(p *Plan, item journal.Item, money bool) {
	g.o.Metrics.refused[item.Reason].Inc()
	if !money && !g.asides.allow(item.Device, p.mono) {
		g.o.Metrics.NotKept.Inc()
		return
	}
	p.aside = append(p.aside, item)
}
