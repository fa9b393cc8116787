package intake

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/source"
)

// receiptMaxAge is how late a receipt may come (contract, section 2).
const receiptMaxAge = 10 * 365 * 24 * time.Hour

func (g *Gate) decideMessage(ctx context.Context, p *Plan, m *source.Message, version *inventory.Version, recv int64) {
	g.o.Metrics.Messages.WithLabelValues(m.Source).Inc()
	g.o.Metrics.Ignored.Add(float64(m.Decoded.Ignored))
	copied := "" // the device of whose frame this is another copy
	for i := range m.Decoded.Readings {
		r := &m.Decoded.Readings[i]
		v := Verdict{Duplicate: true}
		if device := version.Device(r.Device); copied != "" && r.Beside() && device != nil && device.ID == copied {
			r.Device = device.ID // the identity of what is beside a frame is of its time, which another network tells otherwise
		} else {
			v = g.judge(ctx, r, m.Source, version, recv)
		}
		if r.Frame && v.Duplicate {
			copied = r.Device
		}
		switch {
		case v.Accepted:
			p.entries = append(p.entries, journal.Entry{Type: journal.TypeReading, Recv: recv, Source: m.Source, Flags: v.Flags, Reading: r})
			g.o.Metrics.accepted[r.Kind].Inc()
		case v.Duplicate:
			p.tally(r.Device).Duplicates++
			g.o.Metrics.Duplicates.Inc()
		default:
			raw := m.Payload
			if i < len(m.Decoded.Elements) {
				raw = m.Decoded.Elements[i]
			}
			g.setAside(p, journal.Item{
				Recv: recv, Source: m.Source, Device: r.Device, Topic: m.Topic, Index: i,
				Reason: v.Reason, Detail: v.Detail, Seq: seqOf(r.Seq), Raw: raw,
			}, r.Receipt != nil)
			if v.Reason != city.ReasonUnknownDevice {
				p.quarantined(r.Device, journal.Quarantined{HasSeq: true, HasBoot: r.HasBoot, Boot: r.Boot, Seq: r.Seq, At: r.At, Reason: v.Reason})
			}
		}
	}
	g.decideAcks(p, m, version, recv)
	for _, refusal := range m.Decoded.Refused {
		g.setAside(p, journal.Item{
			Recv: recv, Source: m.Source, Device: m.Device, Topic: m.Topic, Index: refusal.Index,
			Reason: refusal.Reason, Detail: refusal.Detail, Seq: refusal.Seq, Raw: refusal.Raw,
		}, false)
		if version.Device(m.Device) != nil {
			p.quarantined(m.Device, journal.Quarantined{
				HasSeq: refusal.Seq.OK, Seq: uint64(refusal.Seq.V), HasBoot: refusal.Boot.OK, Boot: uint64(refusal.Boot.V),
				At: refusal.At.V, Reason: refusal.Reason,
			})
		}
	}
}

// decideAcks takes what a device of the inventory says of its commands.
func (g *Gate) decideAcks(p *Plan, m *source.Message, version *inventory.Version, recv int64) {
	for _, a := range m.Decoded.Acks {
		if device := version.Device(a.Device); device != nil {
			a.Device = device.ID
			p.acks = append(p.acks, a)
			continue
		}
		g.setAside(p, journal.Item{
			Recv: recv, Source: m.Source, Device: a.Device, Topic: m.Topic, Index: a.Index, Raw: a.Raw, Reason: city.ReasonUnknownDevice,
			Detail: fmt.Sprintf("device %q is not in devices.csv, and says that it did what it was told: nobody here told it", clip(a.Device)),
		}, false)
	}
}

// judge decides about one reading received at recv, and notes it if it is new.
func (g *Gate) judge(ctx context.Context, r *city.Reading, src string, version *inventory.Version, recv int64) Verdict {
	device := version.Device(r.Device)
	if device == nil {
		return Verdict{Reason: city.ReasonUnknownDevice, Detail: fmt.Sprintf("device %q is not in devices.csv: add it, reload, and retry this item", clip(r.Device))}
	}
	r.Device = device.ID
	if !device.Sends(r.Kind) {
		return Verdict{Reason: city.ReasonWrongKind, Detail: fmt.Sprintf("%s is a %s in devices.csv and sent a %s: correct its kind, reload, and retry this item", r.Device, device.Kind, r.Kind)}
	}
	limits := g.o.Limits(src)
	late := r.At < recv-limits.MaxAge.Milliseconds()
	tooOld := late
	if r.Kind == city.KindReceipt {
		tooOld = r.At < recv-max(receiptMaxAge, limits.MaxAge).Milliseconds()
	}
	switch {
	case r.At > recv+limits.MaxAhead.Milliseconds():
		return Verdict{Reason: city.ReasonTooFarAhead, Detail: "the device's clock is " + gap(r.At-recv) + " ahead of ours: set it"}
	case tooOld:
		return Verdict{Reason: city.ReasonTooOld, Detail: "the reading is " + gap(recv-r.At) + " old: check the device's clock, or give its source a longer max_age and retry this item"}
	}
	if r.Receipt != nil && r.Receipt.Plate != "" {
		hash, err := g.o.Plates.Hash(r.Receipt.Plate, r.At)
		if err != nil {
			g.o.Log.Error("a plate could not be hashed and is not kept", "device", r.Device, "error", err)
		}
		r.Receipt.Plate, r.Receipt.PlateHash = "", hash
	}
	v := g.o.Dedupe.Judge(r, recv)
	if v.old && r.Receipt != nil {
		v = g.compareWithBooks(ctx, r, v)
	}
	switch v.Reason { //nolint:exhaustive // de-duplication knows these two
	case city.ReasonSequenceConflict:
		v.Detail = fmt.Sprintf("%s sent seq %d before with other content: two devices with one id, or a reboot without boot", r.Device, r.Seq)
	case city.ReasonForgotten:
		v.Detail = fmt.Sprintf("seq %d of %s is older than what is remembered, so it cannot be told whether it is new", r.Seq, r.Device)
	}
	if v.Accepted {
		v.grew.fill(r)
	}
	if v.Accepted && late {
		v.Flags |= journal.FlagLate
	}
	if v.Accepted && skewed(r, device, &version.Rules.DeviceSkew, recv, v.skew) {
		v.Flags |= journal.FlagSkewed
	}
	return v
}

// compareWithBooks compares an old receipt that comes again with what the books
// keep under its identity. Where they cannot be asked it is kept aside: it may
// be another one.
func (g *Gate) compareWithBooks(ctx context.Context, r *city.Reading, repeat Verdict) Verdict {
	if g.o.Books == nil {
		return repeat
	}
	kept, ok, err := g.o.Books(ctx, r)
	switch {
	case err != nil:
		g.o.Log.ErrorContext(ctx, "an old receipt could not be compared with the books and is set aside: retry it once they can be read", "device", r.Device, "seq", r.Seq, "error", err)
		return Verdict{Reason: city.ReasonForgotten}
	case ok && kept != journal.ContentHash(r):
		return Verdict{Reason: city.ReasonSequenceConflict}
	}
	return repeat
}

// decideCommand returns the version by which the rest of the batch is judged.
func (g *Gate) decideCommand(ctx context.Context, p *Plan, c *Command, version *inventory.Version, recv int64) *inventory.Version {
	result := commandResult{command: c, at: len(p.entries)}
	for _, e := range c.Entries {
		e.Recv = recv
		p.entries = append(p.entries, e)
		if e.Type == journal.TypeInventory {
			if v := g.o.Accepting(e.Inventory.Hash); v != nil {
				version = v
			}
		}
	}
	if c.Retry != nil {
		result.verdict = g.retry(ctx, p, c.Retry, version)
	}
	p.results = append(p.results, result)
	return version
}

// retry takes up a quarantined item as if it had just come, with its first
// receive time.
func (g *Gate) retry(ctx context.Context, p *Plan, item *journal.Item, version *inventory.Version) Verdict {
	if item.Reason == city.ReasonDeviceMismatch || item.Reason == city.ReasonBadTopic {
		// Item.Device is who sent it; whose reading it is was said by the topic.
		return Verdict{Reason: item.Reason, Detail: "its topic names no device that the sender may speak for, so a retry cannot tell whose it is: mend the topic or the rights, and have it sent again"}
	}
	decoded := g.o.Decode(item.Source, item.Device, item.Raw)
	if len(decoded.Refused) > 0 {
		return Verdict{Reason: decoded.Refused[0].Reason, Detail: decoded.Refused[0].Detail}
	}
	answered := false
	for _, a := range decoded.Acks {
		if version.Device(a.Device) != nil {
			p.acks, answered = append(p.acks, a), true
		}
	}
	if len(decoded.Readings) == 0 && answered {
		return Verdict{Accepted: true}
	}
	if len(decoded.Readings) == 0 {
		return Verdict{Reason: item.Reason, Detail: "there is no reading in it"}
	}
	var v Verdict
	for i := range decoded.Readings {
		r := &decoded.Readings[i]
		v = g.judge(ctx, r, item.Source, version, item.Recv)
		switch {
		case v.Accepted:
			p.entries = append(p.entries, journal.Entry{Type: journal.TypeReading, Recv: item.Recv, Source: item.Source, Flags: v.Flags | journal.FlagRetried, Reading: r})
			g.o.Metrics.accepted[r.Kind].Inc()
		case v.Duplicate:
			g.o.Metrics.Duplicates.Inc()
		default:
			return v
		}
	}
	return v
}

// seqOf returns a sequence number as far as a signed number holds it.
func seqOf(seq uint64) city.Int {
	if seq > math.MaxInt64 {
		return city.Int{}
	}
	return city.SomeInt(int64(seq))
}

func (g *Gate) addTallies(p *Plan, recv int64) {
	if len(p.tallies) == 0 {
		return
	}
	devices := make([]string, 0, len(p.tallies))
	for device := range p.tallies {
		devices = append(devices, device)
	}
	slices.Sort(devices)
	for _, device := range devices {
		p.entries = append(p.entries, journal.Entry{Type: journal.TypeTally, Recv: recv, Tally: p.tallies[device]})
	}
}

func (p *Plan) tally(device string) *journal.Tally {
	t := p.tallies[device]
	if t == nil {
		t = &journal.Tally{Device: device}
		p.tallies[device] = t
	}
	return t
}

func (p *Plan) quarantined(device string, q journal.Quarantined) {
	t := p.tally(device)
	t.Quarantined = append(t.Quarantined, q)
}

func gap(ms int64) string {
	return (time.Duration(ms) * time.Millisecond).Round(time.Second).String()
}

// clip bounds what a stranger's device id puts into a text.
func clip(s string) string {
	const most = 64
	s = strings.ToValidUTF8(s, "?")
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
