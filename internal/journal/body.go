package journal

import (
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
)

// EncodeBody appends the canonical bytes of what an entry carries, without its
// position, time, flags and source. An entry without the body of its type is
// an error.
func EncodeBody(dst []byte, e *Entry) ([]byte, error) {
	switch {
	case e.Type == TypeReading && e.Reading != nil:
		if !whole(e.Reading) {
			return dst, fmt.Errorf("reading of device %q has no body of its kind %s", e.Reading.Device, e.Reading.Kind)
		}
		return EncodeReading(dst, e.Reading), nil
	case e.Type == TypeTick:
		return dst, nil
	case e.Type == TypeTally && e.Tally != nil:
		return encodeTally(append(dst, version1), e.Tally), nil
	case e.Type == TypeInventory && e.Inventory != nil:
		dst = appendString(append(dst, version1), e.Inventory.Hash)
		return encodeFiles(dst, e.Inventory.Files), nil
	case (e.Type == TypeClosure || e.Type == TypeReopen) && e.Closure != nil:
		return encodeClosure(append(dst, version1), e.Closure), nil
	case e.Type == TypeDay && e.Day != nil:
		return encodeDay(append(dst, version1), e.Day), nil
	case e.Type == TypeArchive && e.Archive != nil:
		return encodeArchive(append(dst, version1), e.Archive), nil
	case e.Type.IsAct() && e.Act != nil:
		return encodeAct(append(dst, version1), e.Type, e.Act)
	}
	return dst, fmt.Errorf("journal entry of type %d has no body of its type", e.Type)
}

// DecodeBody sets the body of e, whose Type is set, from its canonical bytes.
func DecodeBody(e *Entry, b []byte) error {
	var d decoder
	r := reader{b: b}
	d.body(e, &r)
	return r.end()
}

func whole(r *city.Reading) bool {
	switch r.Kind {
	case city.KindSpot:
		return r.Spot != nil
	case city.KindGate:
		return r.Gate != nil
	case city.KindCount:
		return r.Count != nil
	case city.KindTraffic:
		return r.Traffic != nil
	case city.KindReceipt:
		return r.Receipt != nil
	case city.KindHealth:
		return r.Health != nil
	case city.KindNone:
		return false
	default:
		return false
	}
}

func (d *decoder) body(e *Entry, r *reader) {
	switch e.Type {
	case TypeReading:
		e.Reading = d.reading(r)
		return
	case TypeTick:
		return
	case TypeTally:
		r.version("tally")
		e.Tally = decodeTally(r)
	case TypeInventory:
		r.version("version of the inventory")
		e.Inventory = &InventoryVersion{Hash: r.string(), Files: decodeFiles(r)}
	case TypeClosure, TypeReopen:
		r.version("closure")
		e.Closure = &Closure{}
		decodeClosure(r, e.Closure)
	case TypeDay:
		r.version("day")
		e.Day = decodeDay(r)
	case TypeArchive:
		r.version("archived day")
		e.Archive = &Archive{Date: r.string(), Files: decodeFiles(r), Rows: r.uint(), First: r.uint(), Last: r.uint()}
	case TypeDeposit, TypeKarcis, TypeHandover, TypeDeclaration, TypeClose, TypeAccess, TypeCertificates:
		r.version("act")
		e.Act = decodeAct(r, e.Type)
	default:
		r.fail(fmt.Errorf("type %d of entry is not known: written by a newer version of the program", e.Type))
	}
}

func encodeTally(dst []byte, t *Tally) []byte {
	dst = appendString(dst, t.Device)
	dst = appendUint(dst, uint64(t.Duplicates))
	dst = appendUint(dst, uint64(len(t.Quarantined)))
	for i := range t.Quarantined {
		q := &t.Quarantined[i]
		dst = append(dst, bit(q.HasSeq, 1)|bit(q.HasBoot, 2))
		if q.HasSeq {
			dst = appendUint(dst, q.Seq)
		}
		if q.HasBoot {
			dst = appendUint(dst, q.Boot)
		}
		dst = appendInt(dst, q.At)
		dst = appendString(dst, string(q.Reason))
	}
	return dst
}

func decodeTally(r *reader) *Tally {
	t := &Tally{Device: r.name(), Duplicates: r.uint32()}
	n := r.count(3)
	if n == 0 {
		return t
	}
	t.Quarantined = make([]Quarantined, n)
	for i := range t.Quarantined {
		q := &t.Quarantined[i]
		bits := r.bits(3)
		if q.HasSeq = bits&1 != 0; q.HasSeq {
			q.Seq = r.uint()
		}
		if q.HasBoot = bits&2 != 0; q.HasBoot {
			q.Boot = r.uint()
		}
		q.At = r.int()
		q.Reason = city.Reason(r.name())
	}
	return t
}

func encodeFiles(dst []byte, files []FileHash) []byte {
	dst = appendUint(dst, uint64(len(files)))
	for _, f := range files {
		dst = appendString(appendString(dst, f.Name), f.SHA256)
	}
	return dst
}

func decodeFiles(r *reader) []FileHash {
	n := r.count(2)
	if n == 0 {
		return nil
	}
	files := make([]FileHash, n)
	for i := range files {
		files[i] = FileHash{Name: r.string(), SHA256: r.string()}
	}
	return files
}

func encodeClosure(dst []byte, c *Closure) []byte {
	dst = append(dst, bit(c.PlacesLost.OK, 1))
	for _, s := range [...]string{c.ID, c.Site, c.Segment, c.Reason, c.Note, c.By} {
		dst = appendString(dst, s)
	}
	dst = appendInt(appendInt(dst, c.From), c.Until)
	if c.PlacesLost.OK {
		dst = appendInt(dst, c.PlacesLost.V)
	}
	return dst
}

func decodeClosure(r *reader, c *Closure) {
	bits := r.bits(1)
	for _, s := range [...]*string{&c.ID, &c.Site, &c.Segment, &c.Reason, &c.Note, &c.By} {
		*s = r.string()
	}
	c.From, c.Until = r.int(), r.int()
	c.PlacesLost = r.someInt(bits&1 != 0)
}

func encodeDay(dst []byte, d *Day) []byte {
	for _, s := range [...]string{d.Date, d.PrevHash, d.InventoryHash} {
		dst = appendString(dst, s)
	}
	dst = appendUint(dst, uint64(len(d.Closures)))
	for i := range d.Closures {
		dst = encodeClosure(dst, &d.Closures[i])
	}
	return dst
}

func decodeDay(r *reader) *Day {
	d := &Day{Date: r.string(), PrevHash: r.string(), InventoryHash: r.string()}
	n := r.count(9)
	if n == 0 {
		return d
	}
	d.Closures = make([]Closure, n)
	for i := range d.Closures {
		decodeClosure(r, &d.Closures[i])
	}
	return d
}

func encodeArchive(dst []byte, a *Archive) []byte {
	dst = encodeFiles(appendString(dst, a.Date), a.Files)
	return appendUint(appendUint(appendUint(dst, a.Rows), a.First), a.Last)
}
