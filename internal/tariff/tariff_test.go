package tariff_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/tariff"
)

var wib = time.FixedZone("WIB", 7*3600)

func at(tb testing.TB, text string) int64 {
	tb.Helper()
	parsed, err := time.ParseInLocation("2006-01-02 15:04", text, wib)
	require.NoError(tb, err)
	return parsed.UnixMilli()
}

// 2026-03-20 (a Friday) is a holiday of the tests.
func calendar() tariff.Calendar {
	return tariff.Calendar{Zone: wib, Holiday: func(date string) bool { return date == "2026-03-20" }}
}

func sampleBook(tb testing.TB) tariff.Book {
	tb.Helper()
	data, err := os.ReadFile("testdata/book.yaml")
	require.NoError(tb, err)
	book, faults := tariff.ParseYAML(data)
	require.Empty(tb, faults)
	return book
}

func TestPrice(t *testing.T) {
	book := sampleBook(t)
	for name, c := range map[string]struct {
		tariff        string
		class         city.Class
		entered, left string
		lost, sub     bool
		want          city.Rupiah
		version       string
	}{
		"flat":                                  {"flat", city.Motorcycle, "2026-03-02 10:00", "2026-03-02 18:00", false, false, 2000, "flat@2020-01-01"},
		"flat is once a stay":                   {"flat", city.Motorcycle, "2026-03-02 10:00", "2026-03-09 18:00", false, false, 2000, "flat@2020-01-01"},
		"flat each day, one day":                {"flat", city.Car, "2026-03-02 10:00", "2026-03-03 10:00", false, false, 5000, "flat@2020-01-01"},
		"flat each day, a minute more":          {"flat", city.Car, "2026-03-02 10:00", "2026-03-03 10:01", false, false, 10000, "flat@2020-01-01"},
		"nothing parked is still the first":     {"hourly", city.Bus, "2026-03-02 10:00", "2026-03-02 10:00", false, false, 8000, "hourly@2026-01-01"},
		"free minutes to the minute":            {"hourly", city.Car, "2026-03-02 10:00", "2026-03-02 10:10", false, false, 0, "hourly@2026-01-01"},
		"past the free minutes, all is charged": {"hourly", city.Car, "2026-03-02 10:00", "2026-03-02 10:11", false, false, 5000, "hourly@2026-01-01"},
		"first interval whole":                  {"hourly", city.Car, "2026-03-02 10:00", "2026-03-02 11:00", false, false, 5000, "hourly@2026-01-01"},
		"next interval begun":                   {"hourly", city.Car, "2026-03-02 10:00", "2026-03-02 11:01", false, false, 8000, "hourly@2026-01-01"},
		"daily maximum":                         {"hourly", city.Car, "2026-03-02 10:00", "2026-03-03 09:00", false, false, 30000, "hourly@2026-01-01"},
		"second day begins anew":                {"hourly", city.Car, "2026-03-02 10:00", "2026-03-03 11:30", false, false, 38000, "hourly@2026-01-01"},
		"lost ticket is on top":                 {"hourly", city.Car, "2026-03-02 10:00", "2026-03-02 10:30", true, false, 25000, "hourly@2026-01-01"},
		"lost ticket in the free minutes":       {"hourly", city.Car, "2026-03-02 10:00", "2026-03-02 10:05", true, false, 20000, "hourly@2026-01-01"},
		"subscription pays nothing at the exit": {"hourly", city.Car, "2026-03-02 10:00", "2026-03-05 10:30", true, true, 0, "hourly@2026-01-01"},
		"old tariff by the time of entry":       {"hourly", city.Car, "2025-12-31 23:50", "2026-01-01 05:00", false, false, 4000, "hourly@2020-01-01"},
		"new tariff by the time of entry":       {"hourly", city.Car, "2026-01-01 00:00", "2026-01-01 00:30", false, false, 5000, "hourly@2026-01-01"},
		"night is free":                         {"rules", city.Motorcycle, "2026-03-02 23:00", "2026-03-03 05:00", false, false, 0, "rules@2020-01-01"},
		"night into the morning":                {"rules", city.Motorcycle, "2026-03-02 23:00", "2026-03-03 06:30", false, false, 1000, "rules@2020-01-01"},
		"evening into the night":                {"rules", city.Motorcycle, "2026-03-02 20:00", "2026-03-03 05:00", false, false, 3000, "rules@2020-01-01"},
		"an interval runs over the edge":        {"rules", city.Motorcycle, "2026-03-02 21:30", "2026-03-02 23:00", false, false, 2000, "rules@2020-01-01"},
		"weekend":                               {"rules", city.Car, "2026-03-07 10:00", "2026-03-07 12:00", false, false, 7000, "rules@2020-01-01"},
		"weekday":                               {"rules", city.Car, "2026-03-06 10:00", "2026-03-06 12:00", false, false, 4000, "rules@2020-01-01"},
		"holiday on a Friday":                   {"rules", city.Car, "2026-03-20 10:00", "2026-03-20 12:00", false, false, 7000, "rules@2020-01-01"},
		"Friday night lasts into Saturday":      {"rules", city.Bus, "2026-03-07 01:00", "2026-03-07 02:00", false, false, 9000, "rules@2020-01-01"},
		"Saturday night is another":             {"rules", city.Bus, "2026-03-08 01:00", "2026-03-08 02:00", false, false, 1000, "rules@2020-01-01"},
		"base, night, base again":               {"rules", city.Bus, "2026-03-06 21:00", "2026-03-07 07:00", false, false, 11000, "rules@2020-01-01"},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := book.Price(c.tariff, tariff.Stay{
				Class: c.class, Entered: at(t, c.entered), Left: at(t, c.left), Lost: c.lost, Subscribed: c.sub,
			}, calendar())
			require.NoError(t, err)
			require.Equal(t, c.want, q.Amount)
			require.Equal(t, c.version, q.Version)
		})
	}
}

func TestNoPriceIsNamed(t *testing.T) {
	book := sampleBook(t)
	stay := tariff.Stay{Class: city.Car, Entered: at(t, "2026-03-02 10:00"), Left: at(t, "2026-03-02 11:00")}
	_, err := book.Price("none", stay, calendar())
	require.ErrorIs(t, err, tariff.ErrUnknownTariff)
	early := stay
	early.Entered = at(t, "2019-12-31 23:59")
	_, err = book.Price("hourly", early, calendar())
	require.ErrorIs(t, err, tariff.ErrNoVersion)
	over := stay
	over.Entered, over.Left = at(t, "2026-07-01 00:00"), at(t, "2026-07-01 01:00")
	_, err = book.Price("ended", over, calendar())
	require.ErrorIs(t, err, tariff.ErrNoVersion)
	bicycle := stay
	bicycle.Class = city.Bicycle
	_, err = book.Price("hourly", bicycle, calendar())
	require.ErrorIs(t, err, tariff.ErrNoClass)
	back := stay
	back.Left = back.Entered - 1
	_, err = book.Price("hourly", back, calendar())
	require.ErrorIs(t, err, tariff.ErrStay)
	_, err = tariff.Book{}.Price("hourly", stay, calendar())
	require.ErrorIs(t, err, tariff.ErrUnknownTariff)
}

func TestPriceOneHour(t *testing.T) {
	book := sampleBook(t)
	amount, err := book.PriceOneHour("hourly", city.Car, at(t, "2026-03-02 10:00"), calendar())
	require.NoError(t, err)
	require.Equal(t, city.Rupiah(5000), amount)
	amount, err = book.PriceOneHour("rules", city.Motorcycle, at(t, "2026-03-02 23:00"), calendar())
	require.NoError(t, err)
	require.Zero(t, amount)
}

func TestDescribe(t *testing.T) {
	book := sampleBook(t)
	d, err := book.Describe("hourly", at(t, "2026-03-02 10:00"), calendar())
	require.NoError(t, err)
	require.Equal(t, "hourly@2026-01-01", d.Version)
	require.True(t, d.Sample)
	require.Equal(t, []tariff.ClassDescription{
		{
			city.Car, "1 jam pertama Rp5.000, tiap 1 jam berikutnya Rp3.000; gratis 10 menit pertama; paling banyak Rp30.000 per 24 jam; denda karcis hilang Rp20.000",
			"first 1 hour Rp5.000, each further 1 hour Rp3.000; first 10 minutes free; at most Rp30.000 per 24 hours; lost ticket fine Rp20.000",
		},
		{city.Bus, "Rp8.000 tiap 2 jam", "Rp8.000 each 2 hours"},
	}, d.Classes)
	d, err = book.Describe("rules", at(t, "2026-03-02 10:00"), calendar())
	require.NoError(t, err)
	require.Equal(t, "Rp2.000 tiap 1 jam; libur (Sabtu, Minggu, hari libur): 1 jam pertama Rp4.000, tiap 1 jam berikutnya Rp3.000", d.Classes[0].ID)
	require.Equal(t, "Rp1.000 sekali parkir; malam Sabtu (Jumat 22:00-06:00): Rp9.000 sekali parkir", d.Classes[2].ID)
	_, err = book.Describe("none", 0, calendar())
	require.ErrorIs(t, err, tariff.ErrUnknownTariff)
}

func TestReferenceCity(t *testing.T) {
	data, err := os.ReadFile("../../configs/bekasi/inventory/tariffs.yaml")
	require.NoError(t, err)
	book, faults := tariff.ParseYAML(data)
	require.Empty(t, faults)
	for _, id := range book.IDs() {
		for _, class := range city.Classes {
			_, err := book.PriceOneHour(id, class, at(t, "2026-03-02 10:00"), calendar())
			require.NoError(t, err, "%s %s", id, class)
		}
		for _, v := range book.Tariff(id).Versions {
			require.True(t, v.Sample, v.ID)
		}
	}
}
