package sheet

import (
	"encoding/json"
	"time"
)

// Metadata is what Satu Data Indonesia (Perpres 39/2019) asks of a data set. The
// names of the fields are those that are commonly quoted; the text of the
// articles was not read.
type Metadata struct {
	Judul          string           `json:"judul"`
	Konsep         string           `json:"konsep"`
	Definisi       string           `json:"definisi"`
	Klasifikasi    string           `json:"klasifikasi"`
	Satuan         string           `json:"satuan"`
	Ukuran         string           `json:"ukuran"`
	Produsen       string           `json:"produsen"`
	Walidata       string           `json:"walidata"`
	Periode        string           `json:"periode"`
	Wilayah        MetadataRegion   `json:"wilayah"`
	Kolom          []MetadataColumn `json:"kolom"`
	Lisensi        string           `json:"lisensi"`
	TanggalMutakir string           `json:"tanggal_mutakhir"`
}

// MetadataRegion is the area that a data set is of.
type MetadataRegion struct {
	Kode string `json:"kode_wilayah"`
	Nama string `json:"nama"`
}

// MetadataColumn is a column of a data set.
type MetadataColumn struct {
	Nama   string `json:"nama"`
	Judul  string `json:"judul"`
	Tipe   string `json:"tipe"`
	Satuan string `json:"satuan,omitempty"`
}

var kindWords = [...][2]string{Text: {"teks", ""}, Count: {"bilangan bulat", "buah"}, Rupiah: {"bilangan bulat", "rupiah"}, Number: {"bilangan", ""}, Date: {"tanggal", ""}, Flag: {"ya/tidak", ""}}

// Metadata returns the metadata of the sheet's data set.
func (s *Sheet) Metadata() Metadata {
	a := &s.About
	m := Metadata{
		Judul: s.Title, Konsep: a.Concept, Definisi: a.Definition, Klasifikasi: a.Class, Satuan: "rupiah", Ukuran: a.Measure,
		Produsen: a.Producer, Walidata: a.Custodian, Periode: a.Period, Wilayah: MetadataRegion{a.Region, a.City}, Lisensi: a.Licence,
		TanggalMutakir: a.Updated.Format(time.RFC3339),
	}
	for _, c := range s.Columns {
		unit := c.Unit
		if unit == "" {
			unit = kindWords[c.Kind][1]
		}
		m.Kolom = append(m.Kolom, MetadataColumn{c.Name, c.Title, kindWords[c.Kind][0], unit})
	}
	return m
}

// MetadataFile writes the metadata as a file beside the data.
func (s *Sheet) MetadataFile() ([]byte, error) {
	b, err := json.MarshalIndent(s.Metadata(), "", "  ")
	return append(b, '\n'), err
}
