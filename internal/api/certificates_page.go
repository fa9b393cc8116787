package api

import (
	"fmt"
	"strconv"

	"github.com/simpang-id/simpang/internal/certificate"
	"github.com/simpang-id/simpang/internal/report/sheet"
)

// formPage is a page to print and the name of its file.
type formPage struct {
	*sheet.Form

	name string
}

// Words of what tells how many readings were to be expected.
var basisWords = map[string][2]string{
	string(certificate.BySequence): {"Nomor urut perangkat", "the device's numbers"},
	string(certificate.ByFrames):   {"Penghitung frame LoRaWAN", "LoRaWAN frame counter"},
	string(certificate.ByGateway):  {"Dinomori gateway; yang tidak terdengar tidak diketahui", "numbered by the gateway; what it did not hear is not known"},
	string(certificate.ByNothing):  {"Tidak diketahui: tidak ada pembacaan bernomor", "unknown: nothing that is numbered came"},
}

func certificateName(what, id string, c *certified) string {
	name := "completeness-" + what
	if id != "" {
		name += "-" + fileName(id)
	}
	name += "-" + c.date
	if c.kept.Revision > 0 {
		name += "-r" + strconv.FormatInt(c.kept.Revision, 10)
	}
	return name
}

func numberOrNone(v *int64) any {
	if v == nil {
		return nil
	}
	return *v
}

func knownText(v *int64) string {
	if v == nil {
		return "tidak diketahui / unknown"
	}
	return strconv.FormatInt(*v, 10)
}

var countColumns = []string{"expected", "received", "duplicate", "late", "quarantined", "missing"}

func countCells(c *certificate.Counts) []any {
	return []any{numberOrNone(c.Expected), c.Received, c.Duplicate, c.Late, c.Quarantined, numberOrNone(c.Missing)}
}

func countTexts(c *certificate.Counts) []string {
	whole := func(v int64) string { return strconv.FormatInt(v, 10) }
	return []string{knownText(c.Expected), whole(c.Received), whole(c.Duplicate), whole(c.Late), whole(c.Quarantined), knownText(c.Missing)}
}

var countTitles = []sheet.Column{
	{Title: "Diharapkan", EN: "Expected"},
	{Title: "Diterima", EN: "Received"},
	{Title: "Ganda", EN: "Duplicate"},
	{Title: "Terlambat", EN: "Late"},
	{Title: "Karantina", EN: "Quarantined"},
	{Title: "Hilang", EN: "Missing"},
}

// deviceTable is a gap a row, one row where there is none.
func deviceTable(d *certificate.DeviceDay, c *certified) *table {
	t := &table{name: certificateName("device", d.Device, c)}
	t.columns = append([]string{"device", "site", "segment", "date", "revision", "basis"}, countColumns...)
	t.columns = append(t.columns, "gap_count", "gap_boot", "gap_from_seq", "gap_to_seq", "position", "as_of", "inventory", "sha256")
	line := func(gap ...any) {
		row := append([]any{d.Device, d.Site, d.Segment, d.Date, d.Revision, string(d.Basis)}, countCells(&d.Counts)...)
		row = append(append(row, d.GapCount), gap...)
		t.add(append(row, int64(d.Position), d.AsOf, d.Inventory, c.kept.SHA256)...)
	}
	if len(d.Gaps) == 0 {
		line(nil, nil, nil)
	}
	for _, g := range d.Gaps {
		var boot any
		if g.Boot != nil {
			boot = strconv.FormatUint(*g.Boot, 10)
		}
		line(boot, strconv.FormatUint(g.FromSeq, 10), strconv.FormatUint(g.ToSeq, 10))
	}
	return t
}

// placeTable is a device a row.
func placeTable(p *certificate.PlaceDay, c *certified) *table {
	t := &table{name: certificateName("place", p.Site+p.Segment, c)}
	t.columns = append([]string{"site", "segment", "date", "revision", "device", "device_revision", "basis"}, countColumns...)
	t.columns = append(t.columns, "gap_count", "device_sha256", "position", "as_of", "inventory", "sha256")
	for i := range p.List {
		d := &p.List[i]
		row := append([]any{p.Site, p.Segment, p.Date, p.Revision, d.Device, d.Revision, string(d.Basis)}, countCells(&d.Counts)...)
		t.add(append(row, d.GapCount, d.SHA256, int64(p.Position), p.AsOf, p.Inventory, c.kept.SHA256)...)
	}
	return t
}

// cityTable is a place a row.
func cityTable(l *certificate.CityDay, c *certified) *table {
	t := &table{name: certificateName("city", "", c)}
	t.columns = append([]string{"date", "revision", "site", "segment", "place_revision", "devices", "unknown"}, countColumns...)
	t.columns = append(t.columns, "place_sha256", "position", "as_of", "inventory", "sha256")
	for i := range l.List {
		p := &l.List[i]
		row := append([]any{l.Date, l.Revision, p.Site, p.Segment, p.Revision, p.Devices, p.Unknown}, countCells(&p.Counts)...)
		t.add(append(row, p.SHA256, int64(l.Position), l.AsOf, l.Inventory, c.kept.SHA256)...)
	}
	return t
}

// form begins a page with what every certificate has.
func (s *Server) certificateForm(title, en, name string, h *certificate.Head, c *certified) *formPage {
	f := &formPage{&sheet.Form{Title: title, EN: en}, name}
	f.Add("Hari", "Day", h.Date)
	if c.state.Closed {
		f.Add("Revisi", "Revision", fmt.Sprintf("%d dari / of %d", c.kept.Revision, c.kept.Newest))
	} else {
		f.Add("Keadaan", "State", "Sementara: hari belum ditutup / open: the day is closed at "+string(s.at(c.state.ClosesAt)))
	}
	f.Add("Posisi jurnal", "Position of the journal", strconv.FormatUint(h.Position, 10)+", "+h.AsOf)
	f.Add("Versi inventaris", "Version of the inventory", h.Inventory)
	f.Add("SHA-256", "of the JSON", c.kept.SHA256)
	f.Add("SHA-256 revisi sebelumnya", "of the revision before", h.Before)
	if c.entry > 0 {
		f.Add("Entri pembukuan", "Entry of the books", strconv.FormatInt(c.entry, 10))
	} else if c.entry < 0 {
		f.Add("Entri pembukuan", "Entry of the books", "tidak ada yang membuktikan daftar ini / none proves this list")
	}
	f.Notes = []string{
		"Diharapkan dihitung dari nomor urut; hilang = diharapkan − diterima − karantina. Terlambat: diterima lebih dari dua selang setelah waktu pembacaan. / " +
			"Expected by sequence numbers; missing = expected − received − quarantined. Late: received over two intervals after the reading's time.",
		"Perubahan setelah hari ditutup menjadi revisi bernomor; revisi yang lama tetap disimpan. / " +
			"Changes after the close make a numbered revision; earlier ones are kept.",
	}
	return f
}

func (f *formPage) addCounts(c *certificate.Counts) {
	for i, text := range countTexts(c) {
		f.Add(countTitles[i].Title, countTitles[i].EN, text)
	}
}

func (s *Server) deviceForm(d *certificate.DeviceDay, c *certified) *formPage {
	f := s.certificateForm("Sertifikat kelengkapan data "+d.Device, "Certificate of completeness of a device", certificateName("device", d.Device, c), &d.Head, c)
	f.Add("Tempat", "Place", d.Site+d.Segment)
	f.Add("Dasar", "Basis", words2(basisWords, string(d.Basis)))
	f.addCounts(&d.Counts)
	if d.ByInterval != nil {
		f.Add("Menurut selang", "By its interval", knownText(d.ByInterval))
	}
	list := sheet.FormList{Title: "Nomor yang tidak pernah datang", EN: "Numbers that never came", Columns: []sheet.Column{
		{Title: "Boot", EN: "Boot"}, {Title: "Dari", EN: "From"}, {Title: "Sampai", EN: "To"},
	}}
	for _, g := range d.Gaps {
		boot := "–"
		if g.Boot != nil {
			boot = strconv.FormatUint(*g.Boot, 10)
		}
		list.Rows = append(list.Rows, []string{boot, strconv.FormatUint(g.FromSeq, 10), strconv.FormatUint(g.ToSeq, 10)})
	}
	if left := d.GapCount - int64(len(d.Gaps)); left > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("%d rentang lagi tidak dicetak / %d more ranges are not printed.", left, left))
	}
	f.Lists = append(f.Lists, list)
	return f
}

func (s *Server) placeForm(p *certificate.PlaceDay, c *certified) *formPage {
	f := s.certificateForm("Sertifikat kelengkapan data "+p.Site+p.Segment, "Certificate of completeness of a place", certificateName("place", p.Site+p.Segment, c), &p.Head, c)
	f.Add("Perangkat", "Devices", fmt.Sprintf("%d, tidak diketahui / unknown: %d", p.Devices, p.Unknown))
	f.addCounts(&p.Counts)
	list := sheet.FormList{Title: "Perangkat", EN: "Devices", Columns: append([]sheet.Column{{Title: "Perangkat", EN: "Device"}, {Title: "Revisi", EN: "Revision"}}, countTitles...)}
	for i := range p.List {
		d := &p.List[i]
		list.Rows = append(list.Rows, append([]string{d.Device, strconv.FormatInt(d.Revision, 10)}, countTexts(&d.Counts)...))
	}
	f.Lists = append(f.Lists, list)
	return f
}

func (s *Server) cityForm(l *certificate.CityDay, c *certified) *formPage {
	f := s.certificateForm("Sertifikat kelengkapan data kota", "Certificate of completeness of the city's data", certificateName("city", "", c), &l.Head, c)
	f.Add("Perangkat", "Devices", fmt.Sprintf("%d, tidak diketahui / unknown: %d", l.Devices, l.Unknown))
	f.addCounts(&l.Counts)
	list := sheet.FormList{Title: "Tempat", EN: "Places", Columns: append([]sheet.Column{{Title: "Tempat", EN: "Place"}, {Title: "Revisi", EN: "Revision"}}, countTitles...)}
	for i := range l.List {
		p := &l.List[i]
		list.Rows = append(list.Rows, append([]string{p.Site + p.Segment, strconv.FormatInt(p.Revision, 10)}, countTexts(&p.Counts)...))
	}
	f.Lists = append(f.Lists, list)
	return f
}
