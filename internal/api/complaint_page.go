package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/report/sheet"
)

// Words of a complaint's state and source on paper, beside their English.
var (
	stateWords = map[string][2]string{
		"received": {"Diterima, belum diverifikasi", "received"}, "verified": {"Terverifikasi, pada perangkat daerah", "verified"},
		"in_progress": {"Sedang dikerjakan", "in progress"}, "answered": {"Sudah ditindaklanjuti", "answered"}, "closed": {"Selesai", "closed"},
		"rejected": {"Tidak dapat ditindaklanjuti", "rejected"}, "duplicate": {"Duplikat", "duplicate"},
	}
	sourceWords = map[string][2]string{
		"citizen": {"Laporan warga", "citizen"}, "anomaly": {"Temuan sensor", "found by the gateway"}, "city": {"Sistem pengaduan kota", "the city's system"},
	}
)

func words2(of map[string][2]string, key string) string {
	if w, ok := of[key]; ok {
		return w[0] + " / " + w[1]
	}
	return key
}

// complaintsSheet is the list on paper and in a workbook, as it is entered by
// hand elsewhere: it names no reporter.
func complaintsSheet(items []Complaint, period string) *sheet.Sheet {
	text := func(name, title, en string) sheet.Column { return sheet.Column{Name: name, Title: title, EN: en} }
	x := &sheet.Sheet{
		Name: "pengaduan", Title: "Daftar pengaduan", EN: "Complaints",
		Notes: []string{"Untuk dicatat di sistem lain (LAPOR, misalnya) oleh petugas. Tanpa nama pelapor. Pengaduan bertanda rahasia tidak boleh diumumkan."},
		Columns: []sheet.Column{
			text("id", "Nomor", "Id"), text("received_at", "Diterima", "Received"), text("source", "Asal", "Source"), text("service", "Jenis", "Service"),
			text("agency", "Perangkat daerah", "Agency"), text("status", "Keadaan", "Status"), text("place", "Tempat", "Place"), text("description", "Uraian", "Description"),
			{Name: "due_by", Title: "Batas waktu", EN: "Due by", Kind: sheet.Date},
			{Name: "overdue", Title: "Terlambat", EN: "Overdue", Kind: sheet.Flag},
			{Name: "confidential", Title: "Rahasia", EN: "Confidential", Kind: sheet.Flag},
			text("their_id", "Nomor di sistem kota", "Id in the city's system"),
		},
		About: sheet.About{
			Concept: "Pengaduan", Definition: "Pengaduan warga dan temuan sensor per perangkat daerah", Class: "Pelayanan; menurut peran pembaca", Measure: "jumlah", Period: period,
		},
	}
	for i := range items {
		c := &items[i]
		x.Add(c.ID, string(c.ReceivedAt), words2(sourceWords, c.Source), string(orText(c.ServiceName, c.Service)), string(c.Agency), words2(stateWords, c.Status),
			placeText(c), c.Description, cellText(c.DueBy), c.Overdue, c.Money, string(c.Theirs))
	}
	return x
}

func orText(t TextOrNull, otherwise string) TextOrNull {
	if t == "" {
		return TextOrNull(otherwise)
	}
	return t
}

// placeText says where a complaint lies.
func placeText(c *Complaint) string {
	parts := make([]string, 0, 4)
	for _, part := range []string{string(c.Address), string(c.Kecamatan), joinWords(c.Sites), joinWords(c.Segments)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if c.Location != nil {
		parts = append(parts, strconv.FormatFloat(c.Location.Lat, 'f', 6, 64)+", "+strconv.FormatFloat(c.Location.Lon, 'f', 6, 64))
	}
	return strings.Join(parts, "; ")
}

// complaintForm is one complaint on paper.
func (s *Server) complaintForm(q *request, c *complaint.Complaint, d *ComplaintDetail) (*sheet.Form, error) {
	f := &sheet.Form{Title: "Pengaduan " + d.ID, EN: "Complaint", About: sheet.About{City: s.Reporting.City, Producer: s.Reporting.Producer, Updated: q.now.In(s.zone)}}
	if d.Money {
		f.Title += " (RAHASIA)"
		f.EN += " (confidential)"
	}
	f.Add("Keadaan", "Status", words2(stateWords, d.Status))
	f.Add("Jenis", "Service", string(orText(d.ServiceName, d.Service)))
	f.Add("Asal", "Source", words2(sourceWords, d.Source))
	f.Add("Perangkat daerah", "Agency", s.officeText(string(d.Agency)))
	f.Add("Uraian", "Description", d.Description)
	f.Add("Tempat", "Place", placeText(&d.Complaint))
	f.Add("Perangkat", "Devices", joinWords(d.Devices))
	for _, a := range d.Attributes {
		f.Add(a.Code, "", joinWords(a.Values))
	}
	f.Add("Diterima", "Received", string(d.ReceivedAt))
	f.Add("Verifikasi paling lambat", "Verify by", string(d.VerifyBy))
	f.Add("Tindak lanjut paling lambat", "Follow up by", string(d.FollowUpBy))
	f.Add("Ditutup paling lambat", "Close by", string(d.CloseBy))
	f.Add("Duplikat dari", "Duplicate of", string(d.DuplicateOf))
	f.Add("Mungkin sama dengan", "Possible duplicates", joinWords(d.MayDuplicate))
	f.Add("Nomor di sistem kota", "Id in the city's system", string(d.Theirs))
	if r := d.Reporter; r != nil {
		f.Add("Pelapor", "Reporter", strings.Join(strings.Fields(string(r.FirstName)+" "+string(r.LastName)+" "+string(r.Phone)+" "+string(r.Email)), " "))
	}
	f.Add("Angka untuk petugas", "Figures, internal", string(d.Internal))
	if e := d.Evidence; e != nil {
		f.Add("Temuan", "Anomaly", string(d.Rule)+" "+string(d.Anomaly))
		f.Add("Bukti", "Evidence", strings.Join(e.Links, "\n"))
	}
	if err := s.formPictures(q, c, d, f); err != nil {
		return nil, err
	}
	history := sheet.FormList{Title: "Riwayat", EN: "History", Columns: []sheet.Column{
		{Title: "Waktu", EN: "At"}, {Title: "Kegiatan", EN: "What"}, {Title: "Keterangan", EN: "Text"}, {Title: "Oleh", EN: "By"},
	}}
	for _, u := range d.Updates {
		history.Rows = append(history.Rows, []string{string(u.At), u.What, string(u.Text), string(u.By)})
	}
	f.Lists = append(f.Lists, history)
	f.Signs = []string{"Petugas / officer", "Penanggung jawab / PIC"}
	return f, nil
}

// officeText names an office with who is in charge of it.
func (s *Server) officeText(id string) string {
	v := s.board.Load().version
	for i := range v.Agencies {
		if a := &v.Agencies[i]; a.ID == id {
			if a.PIC != "" {
				return a.Name + "\n" + a.PIC
			}
			return a.Name
		}
	}
	return id
}

// formPictures adds what the sensors saw, and what the reporter did.
func (s *Server) formPictures(q *request, c *complaint.Complaint, d *ComplaintDetail, f *sheet.Form) error {
	if d.Evidence != nil && !d.Money {
		i, err := s.Anomalies.Incident(q.Context(), c.Incident)
		if err != nil {
			return err
		}
		chart, err := s.chartOf(q, &i)
		if err != nil {
			return err
		}
		f.Pictures = append(f.Pictures, sheet.Picture{Title: "Yang dilihat sensor", EN: "What the sensors saw", Type: "image/svg+xml", Data: []byte(chart)})
	}
	for _, id := range c.Media {
		p, err := s.Complaints.Photo(q.Context(), id)
		if city.KindOf(err) == city.KindNotFound {
			continue // it went for want of room
		}
		if err != nil {
			return err
		}
		f.Pictures = append(f.Pictures, sheet.Picture{Title: "Foto pelapor", EN: "The reporter's photo", Type: p.Type, Data: p.Data})
	}
	return nil
}

// evidenceOf returns what a complaint's anomaly rests on, nil where it is of
// none, or the anomaly is no longer kept. Amounts are for those who see figures.
func (s *Server) evidenceOf(q *request, c *complaint.Complaint, figures bool) (*AnomalyEvidence, error) {
	if c.Incident == "" || s.Anomalies == nil {
		return nil, nil
	}
	i, err := s.Anomalies.Incident(q.Context(), c.Incident)
	if city.KindOf(err) == city.KindNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	e := s.anomaly(&i, q.token.Role).Evidence
	if !figures && c.Money {
		e.Sums, e.Ranges, e.Readings = map[string]int64{}, []EvidenceRange{}, []string{}
	}
	for name := range e.Sums {
		if !figures && strings.HasSuffix(name, "_rp") {
			delete(e.Sums, name)
		}
	}
	if slices.Contains(mayRead(q.token.Role), i.Rule) {
		e.Links = append([]string{"/v1/anomalies/" + i.ID + "/chart.svg"}, e.Links...)
	}
	return &e, nil
}

// writeForm answers with a page to print.
func (s *Server) writeForm(w http.ResponseWriter, f *sheet.Form, name string) error {
	body, err := f.HTML()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Security-Policy", sheet.FormPolicy())
	h.Set("Content-Disposition", `inline; filename="`+name+`.html"`)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h["Cache-Control"] = notStored
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
	return nil
}
