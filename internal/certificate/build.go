package certificate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/inventory"
)

// mostGaps is how many gaps a certificate lists; the rest is counted.
const mostGaps = 1000

// errBehind says that health has not come as far as it must have.
var errBehind = errors.New("health is behind")

// forgottenError says that health, at a time in Unix ms, may have let go of
// what it knew of the day.
type forgottenError struct{ clock int64 }

func (e *forgottenError) Error() string { return "health may have forgotten the day" }

// placeKey names a place in the file: site/ID or segment/ID.
func placeKey(d *inventory.Device) string {
	if d.Site != "" {
		return SiteKey(d.Site)
	}
	return SegmentKey(d.Segment)
}

// SiteKey names a site's certificates.
func SiteKey(id string) string { return "site/" + id }

// SegmentKey names a segment's certificates.
func SegmentKey(id string) string { return "segment/" + id }

// split returns the site or the segment that a key names.
func split(key string) (site, segment string) {
	kind, id, _ := strings.Cut(key, "/")
	if kind == "site" {
		return id, ""
	}
	return "", id
}

// dayView is a day as the inventory has it: the version that held at its end,
// and devices that left during it.
type dayView struct {
	f       *Follower
	m       moment
	date    int64
	from    int64
	to      int64
	version *inventory.Version
}

func (f *Follower) view(m moment, date int64) *dayView {
	v := &dayView{f: f, m: m, date: date}
	v.from, v.to = f.span(date)
	v.version = f.o.Timeline.At(m.applied, v.to-1)
	return v
}

// devices returns every device of the day.
func (v *dayView) devices() []*inventory.Device {
	if v.version == nil {
		return nil
	}
	list := slices.Clone(v.version.Devices)
	if before := v.f.o.Timeline.At(v.m.applied, v.from); before != v.version {
		for _, d := range before.Devices {
			if v.version.Device(d.ID) == nil {
				list = append(list, d)
			}
		}
	}
	return list
}

// places returns the devices of each place, those sorted by id.
func (v *dayView) places() map[string][]*inventory.Device {
	places := map[string][]*inventory.Device{}
	for _, d := range v.devices() {
		places[placeKey(d)] = append(places[placeKey(d)], d)
	}
	for _, list := range places {
		slices.SortFunc(list, func(a, b *inventory.Device) int { return cmp.Compare(a.ID, b.ID) })
	}
	return places
}

// device returns a device as it was on the day, else as it is now; nil: there
// never was one.
func (v *dayView) device(id string) *inventory.Device {
	for _, at := range []int64{v.to - 1, v.from} {
		if x := v.f.o.Timeline.At(v.m.applied, at); x != nil && x.Device(id) != nil {
			return x.Device(id)
		}
	}
	d, _ := v.f.o.Timeline.Device(v.m.applied, v.to-1, id)
	return d
}

// head is what documents of the day made now begin with.
func (v *dayView) head(pos uint64) Head {
	h := Head{
		Format: Format, City: v.f.o.City, Date: dateText(v.date), Position: pos,
		AsOf: time.UnixMilli(v.m.clock).In(v.f.o.Zone).Format(time.RFC3339),
	}
	if v.version != nil {
		h.Inventory = v.version.Hash
	}
	return h
}

// ask makes a device's certificate, without revision, as of a position or later.
func (v *dayView) ask(ctx context.Context, d *inventory.Device, least uint64) (*DeviceDay, error) {
	list, err := v.askAll(ctx, d, []string{dateText(v.date)}, least)
	if err != nil {
		return nil, err
	}
	return v.of(d, &list[0]), nil
}

// askAll asks for days of a device, as of a position or later.
func (v *dayView) askAll(ctx context.Context, d *inventory.Device, dates []string, least uint64) ([]health.Day, error) {
	list, err := v.f.o.Source.CompletenessOf(ctx, d.ID, dates)
	if err != nil && (city.KindOf(err) != city.KindNotFound || len(list) == 0) {
		return nil, err
	}
	switch { // a device that health does not know there said nothing up to there
	case list[0].Pos < least:
		return nil, errBehind
	case v.to <= list[0].Clock-reviseMs:
		return nil, &forgottenError{list[0].Clock}
	}
	return list, nil
}

// Basis is what tells how many readings of a device were to be expected.
func (f *Follower) Basis(d *inventory.Device, expected int64) Basis {
	switch {
	case expected == 0:
		return ByNothing
	case f.o.Ours(d.ID):
		return ByGateway
	case d.EUI != "":
		return ByFrames
	default:
		return BySequence
	}
}

func (v *dayView) of(d *inventory.Device, c *health.Day) *DeviceDay {
	x := &DeviceDay{
		Head: v.head(c.Pos), Device: d.ID, Kind: string(d.Kind), Site: d.Site, Segment: d.Segment,
		Counts:    Counts{Received: c.Received, Duplicate: c.Duplicate, Late: c.Late, Quarantined: c.Quarantined},
		OlderRuns: c.OlderRuns, GapCount: int64(len(c.Gaps)), Gaps: make([]Missed, 0, min(len(c.Gaps), mostGaps)),
	}
	if d.IntervalS > 0 {
		interval := int64(d.IntervalS)
		by := (v.to - v.from) / 1000 / interval
		x.IntervalS, x.ByInterval = &interval, &by
	}
	x.Basis = v.f.Basis(d, c.Expected)
	if c.Expected > 0 {
		expected, missing := c.Expected, c.Missing
		x.Expected, x.Missing = &expected, &missing
	}
	for _, g := range c.Gaps[:min(len(c.Gaps), mostGaps)] {
		gap := Missed{FromSeq: g.FromSeq, ToSeq: g.ToSeq}
		if g.HasBoot {
			boot := g.Boot
			gap.Boot = &boot
		}
		x.Gaps = append(x.Gaps, gap)
	}
	return x
}

// same tells whether two certificates of a device's day say the same.
func same(a, b *DeviceDay) bool {
	x := *b
	x.Head = a.Head
	one, err := json.Marshal(a)
	two, err2 := json.Marshal(&x)
	return err == nil && err2 == nil && string(one) == string(two)
}

// placeDoc is a place's certificate with its devices' as they were and are.
type placeDoc struct {
	key      string
	revision int64  // the newest that is there, 0 none
	sha256   string // of it
	devices  map[string]*DeviceDay
	hashes   map[string]string
	fresh    [][]byte // devices that are new with the next revision
	pos      uint64
}

func newPlaceDoc(key string) *placeDoc {
	return &placeDoc{key: key, devices: map[string]*DeviceDay{}, hashes: map[string]string{}}
}

// read takes up what is kept of a place.
func (p *placeDoc) read(rows []placeRow) error {
	for _, r := range rows {
		p.revision, p.sha256 = r.revision, hashOf(r.docs[0])
		for _, doc := range r.docs[1:] {
			d, err := decode[DeviceDay](doc)
			if err != nil {
				return err
			}
			p.devices[d.Device], p.hashes[d.Device] = d, hashOf(doc)
			p.pos = max(p.pos, d.Position)
		}
	}
	return nil
}

// put takes a device's certificate in as its next revision.
func (p *placeDoc) put(d *DeviceDay) error {
	d.Revision, d.Before = 1, ""
	if before := p.devices[d.Device]; before != nil {
		d.Revision, d.Before = before.Revision+1, p.hashes[d.Device]
	}
	doc, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("certificate of %s: %w", d.Device, err)
	}
	p.devices[d.Device], p.hashes[d.Device] = d, hashOf(doc)
	p.fresh = append(p.fresh, doc)
	p.pos = max(p.pos, d.Position)
	return nil
}

// doc makes the place's own certificate of its next revision.
func (p *placeDoc) doc(v *dayView) ([]byte, error) {
	x := PlaceDay{Head: v.head(p.pos)}
	x.Revision, x.Before = p.revision+1, p.sha256
	x.Site, x.Segment = split(p.key)
	for _, d := range p.devices {
		x.add(&d.Counts)
		x.List = append(x.List, PlaceDevice{
			Device: d.Device, Part: Part{d.Revision, p.hashes[d.Device]}, Basis: d.Basis, Counts: d.Counts, GapCount: d.GapCount,
		})
	}
	slices.SortFunc(x.List, func(a, b PlaceDevice) int { return cmp.Compare(a.Device, b.Device) })
	return json.Marshal(&x)
}
