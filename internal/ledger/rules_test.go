package ledger

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// line is what a reading must look like in the end.
type line struct {
	counted bool
	flags   []string
}

func TestRules(t *testing.T) {
	for name, c := range map[string]struct {
		readings func(m *till) []*city.Reading
		want     []line           // in the order of arrival
		days     map[string]int64 // recorded, days with a row only
	}{
		"receipts": {
			func(m *till) []*city.Reading {
				return []*city.Reading{m.paper(day0+hour, "1", 2000, city.Cash), m.paper(day0+2*hour, "2", 3000, city.QRIS)}
			},
			[]line{{true, nil}, {true, nil}},
			map[string]int64{"2026-03-02": 5000},
		},
		"a void lowers the day of its own time": {
			func(m *till) []*city.Reading {
				return []*city.Reading{m.paper(day0+hour, "1", 2000, city.Cash), m.void(day0+day+hour, "1", 2000)}
			},
			[]line{{true, nil}, {true, nil}},
			map[string]int64{"2026-03-02": 2000, "2026-03-03": -2000},
		},
		"a void twice counts once": {
			func(m *till) []*city.Reading {
				return []*city.Reading{m.paper(day0+hour, "1", 2000, city.Cash), m.void(day0+2*hour, "1", 2000), m.void(day0+3*hour, "1", 2000)}
			},
			[]line{{true, nil}, {true, nil}, {false, []string{"void_again"}}},
			map[string]int64{"2026-03-02": 0},
		},
		"an unknown number": {
			func(m *till) []*city.Reading {
				return []*city.Reading{m.void(day0+hour, "9", 2000)}
			},
			[]line{{false, []string{"void_unknown"}}},
			map[string]int64{},
		},
		"a void with another amount": {
			func(m *till) []*city.Reading {
				return []*city.Reading{m.paper(day0+hour, "1", 2000, city.Cash), m.void(day0+2*hour, "1", 1000), m.void(day0+3*hour, "1", 2000)}
			},
			[]line{{true, nil}, {false, []string{"void_amount"}}, {true, nil}},
			map[string]int64{"2026-03-02": 0},
		},
		"a void that comes before its receipt": {
			func(m *till) []*city.Reading {
				r := m.paper(day0+23*hour, "1", 2000, city.Cash)
				return []*city.Reading{m.void(day0+day+hour, "1", 2000), r}
			},
			[]line{{true, []string{"corrected"}}, {true, nil}},
			map[string]int64{"2026-03-02": 2000, "2026-03-03": -2000},
		},
		"two voids before the receipt: the earlier one counts": {
			func(m *till) []*city.Reading {
				r := m.paper(day0+hour, "1", 2000, city.Cash)
				return []*city.Reading{m.void(day0+3*day, "1", 2000), m.void(day0+2*day, "1", 2000), r}
			},
			[]line{{false, []string{"void_again"}}, {true, []string{"corrected"}}, {true, nil}},
			map[string]int64{"2026-03-02": 2000, "2026-03-04": -2000},
		},
		"a void that comes after a later void of the same receipt": {
			func(m *till) []*city.Reading {
				return []*city.Reading{m.paper(day0+hour, "1", 2000, city.Cash), m.void(day0+2*day, "1", 2000), m.void(day0+day, "1", 2000)}
			},
			[]line{{true, nil}, {false, []string{"void_again", "corrected"}}, {true, nil}},
			map[string]int64{"2026-03-02": 2000, "2026-03-03": -2000, "2026-03-04": 0},
		},
		"a reprint": {
			func(m *till) []*city.Reading {
				return []*city.Reading{m.paper(day0+hour, "1", 2000, city.Cash), m.paper(day0+30*day+hour, "1", 2000, city.Cash)}
			},
			[]line{{true, nil}, {false, []string{"reprint"}}},
			map[string]int64{"2026-03-02": 2000},
		},
		"after 30 days it is new": {
			func(m *till) []*city.Reading {
				return []*city.Reading{m.paper(day0+hour, "1", 2000, city.Cash), m.paper(day0+30*day+hour+1, "1", 2000, city.Cash)}
			},
			[]line{{true, nil}, {true, nil}},
			map[string]int64{"2026-03-02": 2000, "2026-04-01": 2000},
		},
		"a reprint of a voided receipt stays a reprint": {
			func(m *till) []*city.Reading {
				return []*city.Reading{m.paper(day0+hour, "1", 2000, city.Cash), m.void(day0+2*hour, "1", 2000), m.paper(day0+3*hour, "1", 2000, city.Cash)}
			},
			[]line{{true, nil}, {true, nil}, {false, []string{"reprint"}}},
			map[string]int64{"2026-03-02": 0},
		},
		"a reprint that comes before its receipt": {
			func(m *till) []*city.Reading {
				r := m.paper(day0+23*hour, "1", 2000, city.Cash)
				return []*city.Reading{m.paper(day0+day+hour, "1", 2000, city.Cash), r}
			},
			[]line{{false, []string{"reprint", "corrected"}}, {true, nil}},
			map[string]int64{"2026-03-02": 2000, "2026-03-03": 0},
		},
		"a chain of reprints moves when its begin comes late": {
			func(m *till) []*city.Reading {
				first := m.paper(day0, "1", 2000, city.Cash)
				return []*city.Reading{
					m.paper(day0+20*day, "1", 2000, city.Cash), m.paper(day0+40*day, "1", 2000, city.Cash), first,
				}
			},
			[]line{{false, []string{"reprint", "corrected"}}, {true, []string{"corrected"}}, {true, nil}},
			map[string]int64{"2026-03-02": 2000, "2026-03-22": 0, "2026-04-11": 2000},
		},
		"same number, other amount": {
			func(m *till) []*city.Reading {
				return []*city.Reading{m.paper(day0+hour, "1", 2000, city.Cash), m.paper(day0+2*hour, "1", 3000, city.Cash), m.void(day0+3*hour, "1", 2000)}
			},
			[]line{{true, nil}, {true, []string{"number_reused"}}, {true, nil}},
			map[string]int64{"2026-03-02": 3000},
		},
		"a clock set back between a receipt and its void": {
			func(m *till) []*city.Reading {
				return []*city.Reading{m.paper(day0+hour, "1", 2000, city.Cash), m.void(day0+hour-4*minute, "1", 2000)}
			},
			[]line{{true, nil}, {true, nil}},
			map[string]int64{"2026-03-02": 0},
		},
		"a void long before a receipt is not its void": {
			func(m *till) []*city.Reading {
				return []*city.Reading{m.void(day0+hour, "1", 2000), m.paper(day0+2*hour, "1", 2000, city.Cash)}
			},
			[]line{{false, []string{"void_unknown"}}, {true, nil}},
			map[string]int64{"2026-03-02": 2000},
		},
		"nothing paid": {
			func(m *till) []*city.Reading {
				return []*city.Reading{m.paper(day0+hour, "1", 0, city.Free), m.paper(day0+2*hour, "2", 0, city.Subscription)}
			},
			[]line{{true, nil}, {true, nil}},
			map[string]int64{"2026-03-02": 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			readings := c.readings(&till{device: "meter-a", boot: 1})
			f := newFollower(t)
			apply(t, f, log(readings...))
			got := map[uint64]Receipt{}
			for _, r := range allReceipts(t, f) {
				got[r.Pos] = r
			}
			require.Len(t, got, len(readings), "every reading is kept")
			for i, want := range c.want {
				r := got[uint64(i)+2]
				require.Equal(t, want.counted, r.Counted, "reading %d: %v", i, r.Flags)
				require.ElementsMatch(t, want.flags, r.Flags, "reading %d", i)
			}
			rows, err := f.Daily(t.Context(), DailyQuery{FromDate: "2026-01-01", ToDate: "2027-01-01", Group: "site"})
			require.NoError(t, err)
			days := map[string]int64{}
			for _, r := range rows {
				require.Equal(t, "site-a", r.Key)
				days[r.Date] = int64(r.Recorded)
			}
			for date, amount := range c.days {
				require.Equal(t, amount, days[date], date)
			}
			for date, amount := range days {
				require.Equal(t, c.days[date], amount, date)
			}
		})
	}
}

func TestNumbersArePerDevice(t *testing.T) {
	f := newFollower(t)
	a, b := &till{device: "meter-a"}, &till{device: "meter-b"}
	apply(t, f, log(a.paper(day0, "1", 2000, city.Cash), b.paper(day0, "1", 2000, city.Cash), b.void(day0+hour, "1", 2000)))
	rows, err := f.Daily(t.Context(), DailyQuery{FromDate: "2026-03-02", ToDate: "2026-03-03", Group: "site"})
	require.NoError(t, err)
	require.Equal(t, []DailyRow{
		{Date: "2026-03-02", Key: "site-a", Name: "SITE-A", Receipts: 1, Recorded: 2000, Due: 2000},
		{Date: "2026-03-02", Key: "site-b", Name: "SITE-B", Receipts: 0, Voids: 1, Recorded: 0, Due: 0},
	}, rows)
}

func TestMarksOfIntakeAreFlags(t *testing.T) {
	f := newFollower(t)
	m := &till{device: "meter-a"}
	entries := log(m.paper(day0, "1", 2000, city.Cash), m.paper(day0, "2", 2000, city.Cash))
	entries[0].Flags = journal.FlagLate
	entries[1].Flags = journal.FlagRetried
	apply(t, f, entries)
	rs := allReceipts(t, f)
	require.Equal(t, []string{"late"}, rs[0].Flags)
	require.Equal(t, []string{"retried"}, rs[1].Flags)
	require.True(t, rs[0].Counted)
}

func TestNothingIsLostWithoutSiteOrAccount(t *testing.T) {
	files := testFiles()
	files["accounts.csv"] = bytes.Replace(files["accounts.csv"], []byte("street,dishub,,,"), []byte("street,dishub,,,2026-03-03"), 1)
	tl := testTimeline(t)
	tl.Accept(3, day0-500*day, parseVersion(t, files))
	f := testFollower(t, t.TempDir()+"/ledger.db", tl)
	a, x := &till{device: "meter-a"}, &till{device: "meter-x"}
	entries := log(a.paper(day0, "1", 2000, city.Cash), a.paper(day0, "2", 2000, city.Cash), a.paper(day0+day, "3", 2000, city.Cash), x.paper(day0, "1", 500, city.Cash))
	apply(t, f, entries)
	rs := allReceipts(t, f)
	flags := map[string][]string{}
	for _, r := range rs {
		require.True(t, r.Counted)
		flags[r.Device+r.Number] = r.Flags
	}
	require.Equal(t, map[string][]string{
		"meter-a1": {}, // the first version holds as long as the second is not known
		"meter-a2": {"no_account"}, "meter-a3": {}, "meter-x1": {"no_site", "no_account"},
	}, flags)
	rows, err := f.Daily(t.Context(), DailyQuery{FromDate: "2026-03-02", ToDate: "2026-03-04", Group: "account"})
	require.NoError(t, err)
	require.Equal(t, []DailyRow{
		{Date: "2026-03-02", Key: "", Receipts: 2, Recorded: 2500, DueUnknown: true},
		{Date: "2026-03-02", Key: accountStreet, Name: "Tepi Jalan", Receipts: 1, Recorded: 2000, Due: 2000},
		{Date: "2026-03-03", Key: accountStreet, Name: "Tepi Jalan", Receipts: 1, Recorded: 2000, Due: 2000},
	}, rows)
}
