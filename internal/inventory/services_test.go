package inventory_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
)

func withAgencies(text string) map[string][]byte {
	files := withRules("")
	files["agencies.yaml"] = []byte(text)
	return files
}

const twoAgencies = "agencies:\n  - {id: dishub, name: A}\n  - {id: bapenda, name: B}\n"

func TestServicesOfOldFilesAreTheShippedOnes(t *testing.T) {
	t.Parallel()
	v, faults := inventory.Parse(withAgencies(twoAgencies), time.UTC)
	require.Empty(t, faults)
	require.GreaterOrEqual(t, len(v.Services), 10)
	s := v.Service("overcharged")
	require.NotNil(t, s)
	require.True(t, s.Public)
	require.Equal(t, [3]int{3, 5, 10}, [3]int{s.VerifyDays, s.FollowDays, s.CloseDays})
	require.Equal(t, "dishub", s.AgencyAt(nil, ""))
	require.Equal(t, "bapenda", s.AgencyAt(&inventory.Site{Levy: inventory.LevyPBJT}, ""))
	require.Empty(t, v.Service("illegal_operator").Agency, "the city has no such agency")
	require.Equal(t, "money_records", v.ServiceOfRule("leak").Code)
	require.True(t, v.ServiceOfRule("leak").Confidential)
	require.Nil(t, v.ServiceOfRule("unheard_of"))
	none, faults := inventory.Parse(withRules(""), time.UTC)
	require.Empty(t, faults)
	require.Len(t, none.Services, len(v.Services))
	empty, faults := inventory.Parse(withAgencies(twoAgencies+"services: []\n"), time.UTC)
	require.Empty(t, faults)
	require.Empty(t, empty.Services)
}

// TestShippedServices: the reference city writes the defaults out.
func TestShippedServices(t *testing.T) {
	t.Parallel()
	v, faults, err := inventory.Load("../../configs/bekasi/inventory", jakarta(t))
	require.NoError(t, err)
	require.Empty(t, faults)
	text, err := os.ReadFile("../../configs/bekasi/inventory/agencies.yaml")
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(text), "\n"+string(inventory.DefaultServices)), "copy internal/inventory/services.yaml to the city's agencies.yaml")
	for _, s := range v.Services {
		require.NotEmpty(t, s.Agency, s.Code)
		require.NotEmpty(t, s.NameEN, s.Code)
	}
}

func TestServicesTellEveryFault(t *testing.T) {
	t.Parallel()
	for want, service := range map[string]string{
		"has no code":                 "{name: A, agency: dishub}",
		"has no name":                 "{code: a, agency: dishub}",
		"goes to no agency":           "{code: a, name: A}",
		"agency x is not in the file": "{code: a, name: A, agency: x}",
		"public and confidential":     "{code: a, name: A, agency: dishub, public: true, confidential: true}",
		"an officer verifies it":      "{code: a, name: A, agency: dishub, confidential: true, verify: automatic}",
		"did you mean officer":        "{code: a, name: A, agency: dishub, verify: offices}",
		"give working days":           "{code: a, name: A, agency: dishub, days: {verify: 0}}",
		"any place":                   "{code: a, name: A, agency: dishub, places: [{agency: bapenda}]}",
		"levy is":                     "{code: a, name: A, agency: dishub, places: [{levy: tax, agency: bapenda}]}",
		"datatype is":                 "{code: a, name: A, agency: dishub, attributes: [{code: q, datatype: int}]}",
		"values go with":              "{code: a, name: A, agency: dishub, attributes: [{code: q, datatype: singlevaluelist}]}",
		"lacks its key":               "{code: a, name: A, agency: dishub, attributes: [{code: q, datatype: singlevaluelist, values: [{key: x}]}]}",
		"is there twice":              "{code: a, name: A, agency: dishub}\n  - {code: a, name: B, agency: dishub}",
		"is of service a already":     "{code: a, name: A, agency: dishub, rules: [leak]}\n  - {code: b, name: B, agency: dishub, rules: [leak]}",
		"colour":                      "{code: a, name: A, agency: dishub, colour: red}",
	} {
		_, faults := inventory.Parse(withAgencies(twoAgencies+"services:\n  - "+service+"\n"), time.UTC)
		require.Len(t, faults, 1, service)
		require.Contains(t, faults[0].Message, want)
		require.GreaterOrEqual(t, faults[0].Line, 5, service)
	}
}

// TestWorkingDays is worked out by hand from the reference city's holidays:
// of March 2026 the 18th, 20th, 23rd and 24th are cuti bersama, the 19th, 21st
// and 22nd national.
func TestWorkingDays(t *testing.T) {
	t.Parallel()
	zone := jakarta(t)
	v, _, err := inventory.Load("../../configs/bekasi/inventory", zone)
	require.NoError(t, err)
	when := func(text string) int64 {
		at, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
		require.NoError(t, err)
		return at.UnixMilli()
	}
	for _, c := range []struct {
		at   string
		days int
		due  string // the last day
	}{
		{"2026-03-09 10:00", 3, "2026-03-12"},  // Monday: Tue, Wed, Thu
		{"2026-03-09 23:59", 3, "2026-03-12"},  //
		{"2026-03-13 08:00", 3, "2026-03-25"},  // Friday: 16, 17, and after Lebaran 25
		{"2026-03-14 08:00", 3, "2026-03-25"},  // Saturday: the same
		{"2026-03-17 15:00", 5, "2026-03-31"},  // 25, 26, 27, 30, 31
		{"2026-03-20 00:00", 1, "2026-03-25"},  // within cuti bersama
		{"2026-03-17 08:00", 10, "2026-04-08"}, // 25-27, 30, 31, 1, 2 April; the 3rd is a holiday; 6, 7, 8
		{"2026-12-23 08:00", 2, "2026-12-29"},  // 24 and 25 rest: 28, 29
		{"2026-05-26 08:00", 3, "2026-06-03"},  // 27 and 28 rest: 29, 1 June rests: 2, 3
	} {
		due := v.DueAfter(when(c.at), c.days)
		require.Equal(t, c.due, time.UnixMilli(due-1).In(zone).Format(time.DateOnly), "%s + %d", c.at, c.days)
		require.Equal(t, "00:00", time.UnixMilli(due).In(zone).Format("15:04"))
		require.Equal(t, c.days, v.WorkingDays(when(c.at), due-1), c.at)
	}
	require.Equal(t, "2026-03-25", v.WorkingDay(when("2026-03-18 08:00")))
	require.Equal(t, "2026-03-17", v.WorkingDay(when("2026-03-17 23:59")))
	require.Zero(t, v.WorkingDays(when("2026-03-18 08:00"), when("2026-03-24 08:00")))
}
