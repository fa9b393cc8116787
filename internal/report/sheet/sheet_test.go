package sheet_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/simpang-id/simpang/internal/report/sheet"
)

func sample() *sheet.Sheet {
	s := &sheet.Sheet{
		Name: "contoh", Title: "Laporan contoh", EN: "Sample report", Notes: []string{"Catatan <penting>"},
		Columns: []sheet.Column{
			{Name: "date", Title: "Tanggal", EN: "Date", Kind: sheet.Date},
			{Name: "site", Title: "Lokasi", EN: "Site"},
			{Name: "recorded", Title: "Tercatat", EN: "Recorded", Kind: sheet.Rupiah, Total: true},
			{Name: "leak", Title: "Selisih", EN: "Leak", Kind: sheet.Rupiah, Total: true},
			{Name: "percent", Title: "Persen", EN: "Percent", Kind: sheet.Number, Unit: "persen"},
			{Name: "sure", Title: "Pasti", EN: "Sure", Kind: sheet.Flag},
		},
		About: sheet.About{
			Concept: "konsep", Definition: "definisi", City: "Kota Bekasi", Region: "32.75", Producer: "Bapenda", Custodian: "Diskominfostandi",
			Period: "2026-03-02", Updated: time.Date(2026, 3, 3, 9, 0, 0, 0, time.FixedZone("WIB", 7*3600)),
		},
	}
	s.Add("2026-03-02", "=1+1", int64(1_234_567), int64(-5), 12.345, true)
	s.Add("2026-03-02", "<b>dua</b>", int64(3), nil, nil, false)
	return s
}

func TestAWorkbookHasNumbersDatesAndTotals(t *testing.T) {
	b, err := sample().XLSX()
	require.NoError(t, err)
	f, err := excelize.OpenReader(bytes.NewReader(b))
	require.NoError(t, err)
	defer f.Close()
	raw := func(cell string) string {
		v, err := f.GetCellValue("Sheet1", cell, excelize.Options{RawCellValue: true})
		require.NoError(t, err)
		return v
	}
	kind := func(cell string) excelize.CellType {
		k, err := f.GetCellType("Sheet1", cell)
		require.NoError(t, err)
		return k
	}
	require.Equal(t, "Tanggal", raw("A1"))
	require.Equal(t, "46083", raw("A2"), "the day's number, not a text")
	shown, err := f.GetCellValue("Sheet1", "A2")
	require.NoError(t, err)
	require.Equal(t, "2026-03-02", shown)
	require.Equal(t, "1234567", raw("C2"))
	require.NotEqual(t, excelize.CellTypeInlineString, kind("C2"))
	formula, err := f.GetCellFormula("Sheet1", "B2")
	require.NoError(t, err)
	require.Empty(t, formula)
	require.Equal(t, "=1+1", raw("B2"))
	require.Equal(t, "Jumlah", raw("A4"))
	require.Equal(t, "1234570", raw("C4"))
	require.Empty(t, raw("D4"), "a column with an unknown cell has no sum")
	panes, err := f.GetPanes("Sheet1")
	require.NoError(t, err)
	require.True(t, panes.Freeze)
	note, err := f.GetCellValue("Catatan", "A2")
	require.NoError(t, err)
	require.Equal(t, "Catatan <penting>", note)
	require.Equal(t, 1, panes.YSplit)
}

func TestAPageIsSafeAndIndonesian(t *testing.T) {
	b, err := sample().HTML()
	require.NoError(t, err)
	text := string(b)
	for _, want := range []string{`lang="id"`, "Laporan contoh", "Sample report", "1.234.567", "1.234.570", "12,35", "&lt;b&gt;dua&lt;/b&gt;", "Catatan &lt;penting&gt;", "Kota Bekasi", "2026-03-03 09:00"} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "<b>")
	require.NotContains(t, text, "<script")
	style := text[strings.Index(text, "<style>")+7 : strings.Index(text, "</style>")]
	require.NotContains(t, style, "ZgotmplZ")
	sum := sha256.Sum256([]byte(style))
	require.Contains(t, sheet.PagePolicy(), "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
}

func TestMetadataHasEveryField(t *testing.T) {
	b, err := sample().MetadataFile()
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(b, &m))
	for _, field := range []string{"judul", "konsep", "definisi", "klasifikasi", "satuan", "ukuran", "produsen", "walidata", "periode", "wilayah", "kolom", "lisensi", "tanggal_mutakhir"} {
		require.Contains(t, m, field)
	}
	require.Equal(t, "32.75", m["wilayah"].(map[string]any)["kode_wilayah"])
	require.Len(t, m["kolom"], 6)
	require.Equal(t, map[string]any{"nama": "recorded", "judul": "Tercatat", "tipe": "bilangan bulat", "satuan": "rupiah"}, m["kolom"].([]any)[2])
}

func TestTooManyRowsAreRefused(t *testing.T) {
	s := sample()
	s.Rows = make([][]any, sheet.MostRows+1)
	_, err := s.XLSX()
	require.Error(t, err)
	_, err = s.HTML()
	require.Error(t, err)
	s = sample()
	s.Add("short")
	_, err = s.XLSX()
	require.Error(t, err)
}
