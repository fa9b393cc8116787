package inventory_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
)

func TestIsOpen(t *testing.T) {
	t.Parallel()
	zone := jakarta(t)
	holiday := func(date string) bool { return date == "2026-01-01" } // a Thursday
	const thu, fri, sat, sun, mon = "2026-01-01 ", "2026-01-02 ", "2026-01-03 ", "2026-01-04 ", "2026-01-05 "
	for hours, c := range map[string]struct{ open, closed []string }{
		"24/7":                                  {[]string{thu + "00:00", sun + "23:59"}, nil},
		"Mo-Su 06:00-22:00":                     {[]string{mon + "06:00", mon + "21:59"}, []string{mon + "05:59", mon + "22:00"}},
		"06:00-22:00":                           {[]string{sun + "12:00"}, []string{sun + "23:00"}},
		"Mo-Fr 06:00-22:00; Sa,Su 08:00-12:00":  {[]string{fri + "21:00", sat + "08:00", sun + "11:00"}, []string{sat + "07:00", sun + "12:00"}},
		"Mo-Fr 08:00-12:00,13:00-17:00":         {[]string{mon + "11:00", mon + "13:00"}, []string{mon + "12:30", sat + "11:00"}},
		"Mo-Fr 08:00-12:00, Sa 08:00-10:00":     {[]string{mon + "11:00", sat + "09:00"}, []string{sat + "11:00", sun + "09:00"}},
		"Mo - Su 06:00 - 22:00":                 {[]string{mon + "06:00"}, []string{mon + "23:00"}},
		"Fr-Mo 10:00-11:00":                     {[]string{fri + "10:00", sun + "10:00", mon + "10:00"}, []string{thu + "10:00"}},
		"Sa 18:00-02:00":                        {[]string{sat + "18:00", sun + "01:59"}, []string{sat + "01:00", sun + "02:00", sun + "18:00"}},
		"Sa 18:00-26:00":                        {[]string{sun + "01:59"}, []string{sun + "02:00"}},
		"Mo-Su 00:00-24:00":                     {[]string{mon + "00:00", mon + "23:59"}, nil},
		"Mo-Su 06:00-22:00; Su off":             {[]string{sat + "12:00"}, []string{sun + "12:00"}},
		"Mo-Su 06:00-22:00; PH off":             {[]string{fri + "12:00"}, []string{thu + "12:00"}},
		"Mo-We 06:00-22:00; PH 09:00-10:00":     {[]string{thu + "09:30", mon + "12:00"}, []string{thu + "12:00", fri + "09:30"}},
		"Mo-Su 06:00-22:00; Sa,PH 10:00-11:00;": {[]string{sat + "10:00", thu + "10:00"}, []string{sat + "12:00", thu + "12:00"}},
		"24/7; Mo closed":                       {[]string{sun + "12:00"}, []string{mon + "12:00"}},
		"Mo-Su open":                            {[]string{mon + "03:00"}, nil},
	} {
		h, err := inventory.ParseOpeningHours(hours)
		require.NoError(t, err, hours)
		for want, times := range map[bool][]string{true: c.open, false: c.closed} {
			for _, text := range times {
				at, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
				require.NoError(t, err)
				require.Equal(t, want, h.IsOpen(at.UnixMilli(), zone, holiday), "%s at %s", hours, text)
			}
		}
	}
}

func TestOpeningHoursFaults(t *testing.T) {
	t.Parallel()
	for hours, want := range map[string]string{
		"":                            "is empty",
		" ; ":                         "is empty",
		"Mo-Su":                       "days without times",
		"Mo-Xx 06:00-22:00":           `"Mo-Xx" is no day`,
		"Mo-Su 6-22":                  "is no span of time",
		"Mo-Su 06:00":                 "is no span of time",
		"Mo-Su 06:60-22:00":           "is no span of time",
		"Mo-Su 25:00-26:00":           "is no span of time",
		"Mo-Su 06:00-40:00":           "is longer than a day",
		"Mo off 06:00-22:00":          "times cannot stand behind off",
		"Mo 06:00-22:00 off":          "off cannot stand beside times",
		"sunrise-sunset":              "is no span of time",
		"week 1-10 Mo 06:00-22:00":    "is no span of time",
		string(make([]byte, 600)):     "is longer than 500 bytes",
		"Mo-Su 06:00-22:00 \"notes\"": "is no span of time",
	} {
		_, err := inventory.ParseOpeningHours(hours)
		require.ErrorContains(t, err, want, hours)
	}
}

func TestVersionIsOpen(t *testing.T) {
	t.Parallel()
	v, _, err := inventory.Load("testdata/good/site-alone", jakarta(t))
	require.NoError(t, err)
	require.True(t, v.IsOpen(v.Site("S-1"), 0), "no opening hours: always open")
}

func FuzzOpeningHours(f *testing.F) {
	for _, seed := range []string{"24/7", "Mo-Su 06:00-22:00", "Mo-Fr 08:00-12:00,13:00-17:00; PH off", "Sa 18:00-26:00", "Mo,", ",", "-", "24/7 24/7", "Su-Mo 23:59-00:00"} {
		f.Add(seed, int64(1767225600000))
	}
	f.Fuzz(func(t *testing.T, s string, at int64) {
		h, err := inventory.ParseOpeningHours(s)
		if (h == nil) != (err != nil) {
			t.Fatalf("%q: %v and %v", s, h, err)
		}
		if h == nil {
			return
		}
		at %= 4102444800000
		// A week later it is the same, where no holiday comes between.
		const week = 7 * 24 * 3600 * 1000
		if h.IsOpen(at, time.UTC, nil) != h.IsOpen(at+week, time.UTC, nil) {
			t.Fatalf("%q is not weekly at %d", s, at)
		}
	})
}
