package api_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/token"
)

func TestCSVOfSites(t *testing.T) {
	st := newStage(t)
	a := st.get(t, "/v1/parking/sites?format=csv&limit=2")
	require.Contains(t, a.Header.Get("Content-Type"), "text/csv")
	require.Contains(t, a.Header.Get("Content-Disposition"), `filename="parking-sites.csv"`)
	require.Contains(t, a.Header.Get("Link"), `rel="next"`)
	require.Contains(t, a.Header.Get("Link"), `format=csv`)
	rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+2+1, "a row a class")
	get := func(row int, column string) string {
		for i, name := range rows[0] {
			if name == column {
				return rows[row][i]
			}
		}
		require.Fail(t, "no column "+column)
		return ""
	}
	require.Equal(t, "2", get(1, "free"))
	require.Empty(t, get(2, "free"), "unknown is empty, not 0")
	require.Equal(t, "90", get(1, "age_s"))
	require.Equal(t, `Mal "Contoh" <1>`, get(3, "name"))
	require.Equal(t, []string{"motorcycle"}, column(t, st.get(t, "/v1/parking/sites?format=csv&class=motorcycle&bbox=106.9,-6.24,107.001,-6.23").body, "class"))
}

func column(t *testing.T, body, name string) []string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	require.NoError(t, err)
	var values []string
	for i, n := range rows[0] {
		if n == name {
			for _, row := range rows[1:] {
				values = append(values, row[i])
			}
		}
	}
	return values
}

// Every list and report that has tables gives them in each format.
func TestEveryFormatOfEveryRoute(t *testing.T) {
	st := newStage(t)
	st.Books.Rows = []ledger.DailyRow{{Date: "2026-03-01", Key: "x", Recorded: 5}}
	aComplaint(t, st, "illegal_parking", "s-alun")
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters []struct {
				Name   string
				Schema struct{ Enum []string }
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(st.get(t, "/openapi.json").body), &doc))
	tried := 0
	for path, methods := range doc.Paths {
		for _, p := range methods["get"].Parameters {
			if p.Name != "format" {
				continue
			}
			for _, format := range p.Schema.Enum {
				tried++
				path := fill(path)
				sign := "?"
				if strings.Contains(path, "?") {
					sign = "&"
				}
				a := st.as(t, token.Admin, path+sign+"format="+format)
				switch format {
				case "csv":
					rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
					require.NoError(t, err, path)
					require.NotEmpty(t, rows, path)
				case "xlsx":
					f, err := excelize.OpenReader(bytes.NewReader([]byte(a.body)))
					require.NoError(t, err, path)
					require.NoError(t, f.Close())
				case "html":
					require.True(t, strings.HasPrefix(a.body, "<!DOCTYPE html>"), path)
				default:
					require.True(t, json.Valid([]byte(a.body)), path)
				}
			}
		}
	}
	require.Greater(t, tried, 30)
}

func TestWorkbookHoldsTypedCells(t *testing.T) {
	st := newStage(t)
	st.Books.Paper = []ledger.Receipt{{ID: "m:1:1", Number: "=HYPERLINK(1)", Amount: 4000, At: 1, Recv: 1, Method: city.Cash}}
	a := st.as(t, token.Bapenda, "/v1/revenue/receipts?format=xlsx")
	f, err := excelize.OpenReader(bytes.NewReader([]byte(a.body)))
	require.NoError(t, err)
	defer f.Close()
	number, err := f.GetCellValue("Sheet1", "G2")
	require.NoError(t, err)
	require.Equal(t, "=HYPERLINK(1)", number)
	formula, err := f.GetCellFormula("Sheet1", "G2")
	require.NoError(t, err)
	require.Empty(t, formula, "a text is never a formula")
	kind, err := f.GetCellType("Sheet1", "H2")
	require.NoError(t, err)
	require.NotContains(t, []excelize.CellType{excelize.CellTypeInlineString, excelize.CellTypeSharedString}, kind, "an amount is a number")
	panes, err := f.GetPanes("Sheet1")
	require.NoError(t, err)
	require.True(t, panes.Freeze, "the header stays")
	raw, err := f.GetCellValue("Sheet1", "K2", excelize.Options{RawCellValue: true})
	require.NoError(t, err)
	day, err := strconv.ParseFloat(raw, 64)
	require.NoError(t, err, "a time is a number")
	require.InDelta(t, 25569+7./24, day, 1e-6, "of the city's clock")
	shown, err := f.GetCellValue("Sheet1", "K2")
	require.NoError(t, err)
	require.Equal(t, "1970-01-01 07:00:00", shown)
}

func TestGeoJSON(t *testing.T) {
	st := newStage(t)
	type collection struct {
		Type     string
		Features []struct {
			Type, ID string
			Geometry struct {
				Type        string
				Coordinates json.RawMessage
			}
			Properties map[string]any
		}
	}
	read := func(path string) collection {
		a := st.get(t, path)
		require.Equal(t, "application/geo+json; charset=utf-8", a.Header.Get("Content-Type"))
		var c collection
		require.NoError(t, json.Unmarshal([]byte(a.body), &c))
		require.Equal(t, "FeatureCollection", c.Type)
		return c
	}
	sites := read("/v1/parking/sites?format=geojson")
	require.Len(t, sites.Features, 3)
	require.Equal(t, "LineString", sites.Features[0].Geometry.Type)
	require.JSONEq(t, `[[107.0000,-6.2370],[107.0004,-6.2370]]`, string(sites.Features[0].Geometry.Coordinates), "lon, lat")
	require.Equal(t, "s-alun", sites.Features[0].Properties["id"])
	require.InDelta(t, 90, sites.Features[0].Properties["age_s"], 0)
	require.Len(t, read("/v1/traffic/segments?format=geojson").Features, 2)
	near := read("/v1/parking/nearby?format=geojson&lat=-6.237&lon=107.0002")
	require.Contains(t, near.Features[0].Properties, "walk_min")
}

func TestCSVIsHarmless(t *testing.T) {
	st := newStage(t)
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "+62": "'+62", "-5": "'-5", "@SUM(A1)": "'@SUM(A1)", "  =x": "'  =x", "\t=x": "'\t=x", "＝x": "'＝x",
		"Jl. Veteran": "Jl. Veteran", "4.1-2": "4.1-2", "": "", "a=b": "a=b",
	} {
		st.Books.Rows = []ledger.DailyRow{{Date: "2026-03-01", Key: "k", Name: text, Recorded: -5}}
		body := st.as(t, token.Bapenda, "/v1/revenue/daily?format=csv").body
		require.Equal(t, []string{want}, column(t, body, "name"), "%q", text)
		require.Equal(t, []string{"-5"}, column(t, body, "recorded"), "numbers stay numbers")
	}
}
