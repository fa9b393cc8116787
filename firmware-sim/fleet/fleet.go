// Package fleet is the simulated city: vehicles that park, pay and drive, and
// the devices that see them. It is one event queue in simulated time, without
// a clock of its own; the same options give the same messages, byte for byte.
package fleet

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/inventory"
)

// Options say what is simulated. Times are Unix ms.
type Options struct {
	Version  *inventory.Version
	Scenario *scenario.Scenario
	Seed     uint64
	Start    int64
	End      int64                              // exclusive; 0: none
	Format   func(device string) message.Format // nil: Native for all
	Truth    *truth.Writer                      // nil: nobody listens
}

// Fleet is a running simulation. It is for one goroutine, but for Told.
type Fleet struct {
	mu       sync.Mutex // of Next and Told
	o        Options
	zone     *time.Location
	closures *inventory.ClosureSet
	cal      calendar

	events  queue[func(at int64)]
	outbox  queue[outgoing]
	now     int64
	stays   uint64
	open    map[uint64]*stay
	devices map[string]*device
	plants  []*plant
	bank    *bank
}

// outgoing is a message that a device holds until it is sent.
type outgoing struct {
	m      message.Message
	device *device
	run    int // the device's run that made it
}

// New sets up the city at its start. Errors: an inventory without devices, an
// end before the start.
func New(o Options) (*Fleet, error) {
	switch {
	case o.Version == nil || len(o.Version.Devices) == 0:
		return nil, errors.New("the inventory has no devices: there is nothing to simulate")
	case o.End != 0 && o.End <= o.Start:
		return nil, fmt.Errorf("the end %d is not after the start %d", o.End, o.Start)
	}
	if o.Truth == nil {
		o.Truth = &truth.Writer{}
	}
	if o.Format == nil {
		o.Format = func(string) message.Format { return message.Native }
	}
	f := &Fleet{
		o: o, zone: o.Version.Zone, closures: inventory.NewClosureSet(), now: o.Start,
		open: map[uint64]*stay{}, devices: make(map[string]*device, len(o.Version.Devices)),
	}
	f.cal = newCalendar(o.Version, o.Scenario)
	f.newPlants()
	o.Truth.Line(truth.Line{
		What: truth.Run, Version: truth.FormatVersion, Seed: o.Seed, Start: o.Start, Until: o.End, Inventory: o.Version.Hash,
	})
	f.bank = f.newBank()
	for _, d := range o.Version.Devices {
		f.devices[d.ID] = f.newDevice(d)
	}
	for _, s := range o.Version.Sites {
		f.newSite(s)
	}
	roads := map[string]*road{}
	for _, s := range o.Version.Segments {
		roads[s.ID] = f.newRoad(s)
	}
	for _, s := range o.Version.Segments {
		f.newCounters(s, roads)
	}
	return f, nil
}

// Next returns the next message in the order of sending; false at the end.
// What is still held then, late or doubled, comes after the end.
func (f *Fleet) Next() (message.Message, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		if at, ok := f.events.peek(); ok && (f.o.End == 0 || at < f.o.End) {
			if out, held := f.outbox.peek(); !held || out >= at {
				at, do := f.events.pop()
				f.now = at
				do(at)
				continue
			}
		}
		if _, held := f.outbox.peek(); !held {
			return message.Message{}, false
		}
		_, out := f.outbox.pop()
		if out.run != out.device.run && !out.device.hasBoot {
			// Memory is lost with the power; a device that counts its boots
			// keeps what it has not sent.
			if out.m.Expect != message.Duplicate {
				f.fault("lost", &out.m)
			}
			continue
		}
		return out.m, true
	}
}

// Now returns the simulated time, Unix ms.
func (f *Fleet) Now() int64 { return f.now }

// Finish tells the truth file which vehicles are still there.
func (f *Fleet) Finish() {
	for id := uint64(1); id <= f.stays; id++ {
		if s := f.open[id]; s != nil {
			f.o.Truth.Line(s.line())
		}
	}
}

// at calls do at a time that is not before now.
func (f *Fleet) at(at int64, do func(at int64)) {
	if f.o.End == 0 || at < f.o.End {
		f.events.push(max(at, f.now), do)
	}
}

// every calls do at from and then each interval of milliseconds.
func (f *Fleet) every(from, interval int64, do func(at int64)) {
	f.at(from, func(at int64) {
		do(at)
		f.every(at+interval, interval, do)
	})
}

func (f *Fleet) fault(name string, m *message.Message) {
	l := truth.Line{What: truth.Fault, Fault: name, Device: m.Device, Kind: m.Kind.String(), Seq: &m.Seq, At: m.At}
	if m.HasBoot {
		l.Boot = &m.Boot
	}
	f.o.Truth.Line(l)
}

func (f *Fleet) closed(site, segment string, at int64) bool {
	closed, _, _ := f.closures.State(f.o.Version, site, segment, at)
	return closed
}
