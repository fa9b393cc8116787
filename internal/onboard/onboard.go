// Package onboard tells who speaks and is not in the inventory: what was heard of
// it, and the line of devices.csv that would take it in. All of it comes out of
// quarantine, so it survives a restart and is as bounded as that is.
package onboard

import (
	"context"
	"log/slog"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/lorawan"
)

// Bounds of what is read of one device, and of what of it is shown.
const (
	looked  = 48 // newest items
	shown   = 5  // of them in Samples
	reasons = 8
)

// Quarantine is what was set aside.
type Quarantine interface {
	// Heard tells who is in it behind a device, sorted by device, a row a source
	// and reason, until each says no.
	Heard(ctx context.Context, after string, each func(journal.Heard) bool) error
	// Newest returns a device's newest items with what was sent, or why one could
	// not be opened.
	Newest(ctx context.Context, device string, limit int) ([]journal.Opened, error)
}

// Options are what a List stands on; all are required.
type Options struct {
	Quarantine Quarantine
	Inventory  func() *inventory.Version // the newest; nil before there is one
	// Decode decodes what a device sent, by its source's format.
	Decode func(source, device string, raw []byte) wire.Decoded
	// Network returns the reader of the LoRaWAN event that came from a source, nil
	// where it is none: the source has another format, or a native device spoke
	// for itself.
	Network func(source string, raw []byte) lorawan.Parse
	Log     *slog.Logger // is told who opened what
}

// List tells who is unknown. It may be used by any number of goroutines.
type List struct{ o Options }

// New returns the list.
func New(o Options) *List { return &List{o} }

// Stranger is a device that spoke and is not in the inventory.
type Stranger struct {
	Device  string // the id of its topic or sentence, or the DevEUI
	Sources []string
	Reasons []city.Reason
	Items   int   // in quarantine, which keeps a bounded number of each device
	First   int64 // receive times of what is kept, Unix ms
	Last    int64
	Topic   string // of the newest; "" for a serial line
	Detail  string // of the newest: what to do
	Network *Network
	Samples []Sample // the newest first
	Line    Line
}

// Network is what a LoRaWAN network says of a device.
type Network struct {
	EUI   string
	Name  string
	Model string // brand and model or the network's profile, "" where it tells none
}

// Sample is one message, without anything that could be of a person or tell
// what was paid.
type Sample struct {
	Recv   int64
	Reason city.Reason
	Kind   city.Kind // KindNone where it could not be read, or opened
	Port   uint8     // LoRaWAN: of the payload
	Says   []Member
}

// Member is one thing that a message says.
type Member struct{ Name, Value string }

// Line is what can be said of a line of devices.csv; "" and 0 are for a person.
type Line struct {
	ID        string
	Kind      inventory.DeviceKind
	Class     string
	Profile   string
	EUI       string
	IntervalS int // 0: too little was heard
	Note      string
	Missing   []string // columns that a person has to fill in
	Profiles  []string // LoRaWAN: every profile that reads all that was looked at
}

// Page returns at most limit strangers after an id, sorted by id, and whether
// there are more. by is the id of the token: what is opened is logged.
func (l *List) Page(ctx context.Context, after string, limit int, by string) ([]Stranger, bool, error) {
	version := l.o.Inventory()
	var page []Stranger
	more := false
	err := l.o.Quarantine.Heard(ctx, after, func(h journal.Heard) bool {
		if last := len(page) - 1; last >= 0 && page[last].Device == h.Device {
			page[last].add(h)
			return true
		}
		if known(version, h.Device) {
			return true
		}
		if more = len(page) == limit; more {
			return false
		}
		page = append(page, Stranger{Device: h.Device, First: h.First, Last: h.Last})
		page[len(page)-1].add(h)
		return true
	})
	if err != nil {
		return nil, false, err
	}
	opened := 0
	defer func() {
		if opened > 0 {
			l.o.Log.InfoContext(ctx, "quarantined messages were opened for the list of unknown devices", "messages", opened, "devices", len(page), "token", by)
		}
	}()
	for i := range page {
		n, err := l.look(ctx, &page[i], version)
		opened += n
		if err != nil {
			return nil, false, err
		}
	}
	return page, more, nil
}

// known tells whether the inventory has a device that quarantine names by its
// id or DevEUI.
func known(v *inventory.Version, device string) bool {
	return v != nil && (v.Device(device) != nil || v.LoRaWAN(device, "") != nil)
}

func (s *Stranger) add(h journal.Heard) {
	s.Items += h.Items
	s.First, s.Last = min(s.First, h.First), max(s.Last, h.Last)
	s.Sources = addOnce(s.Sources, h.Source)
	s.Reasons = addOnce(s.Reasons, h.Reason)
}

func addOnce[T comparable](list []T, x T) []T {
	if len(list) >= reasons || slices.Contains(list, x) {
		return list
	}
	return append(list, x)
}

// look reads the newest that a stranger said, and returns how many were opened.
func (l *List) look(ctx context.Context, s *Stranger, v *inventory.Version) (opened int, err error) {
	items, err := l.o.Quarantine.Newest(ctx, s.Device, looked)
	if err != nil || len(items) == 0 {
		return 0, err
	}
	e := evidence{device: s.Device, sources: s.Sources}
	for i := range items {
		item := &items[i]
		if item.Err != nil {
			l.o.Log.ErrorContext(ctx, "a quarantined message could not be opened for the list of unknown devices", "device", s.Device, "error", item.Err)
			e.samples = append(e.samples, Sample{Recv: item.Recv, Reason: item.Reason, Says: []Member{{"error", "could not be opened"}}})
			continue
		}
		if opened++; opened == 1 {
			s.Topic, s.Detail = clip(item.Topic), item.Detail
		}
		e.see(l, &item.Item)
	}
	s.Network = e.network
	s.Samples = e.samples[:min(len(e.samples), shown)]
	s.Line = e.line(v)
	return opened, nil
}
