package inventory

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzValues reads the cells of tables and the text of GeoJSON.
func FuzzValues(f *testing.F) {
	for _, seed := range []string{
		"0.1", "10%", "0,125", "100 %", "-0.5", "999999", "2026-03-01T06:00:00+07:00", "2026-03-01 06:00", "2026-03-01", "1989-12-31",
		`{"a":[1,"x",null,true],"b":{}}`, "[1e400]", "\n\n{", `{"a":1,"a":2}`, "\xff",
	} {
		f.Add(seed)
	}
	zone := time.FixedZone("WIB", 7*3600)
	f.Fuzz(func(t *testing.T, s string) {
		if n, wrong := parseWhole(s, -50, 50_000); wrong == "" {
			require.True(t, n >= -50 && n <= 50_000)
			again, wrong := parseWhole(strconv.FormatInt(n, 10), -50, 50_000)
			require.Empty(t, wrong)
			require.Equal(t, n, again)
		}
		for _, comma := range []bool{false, true} {
			if n, wrong := parsePPM(s, comma); wrong == "" {
				require.True(t, n >= 0 && n <= 1_000_000, "%q is %d", s, n)
				again, wrong := parsePPM(strconv.FormatInt(n/1_000_000, 10)+"."+strings.Repeat("0", 6-len(strconv.FormatInt(n%1_000_000, 10)))+strconv.FormatInt(n%1_000_000, 10), false)
				require.Empty(t, wrong)
				require.Equal(t, n, again)
			}
		}
		if ms, wrong := parseMoment(s, zone); wrong == "" {
			again, wrong := parseMoment(time.UnixMilli(ms).In(zone).Format("2006-01-02T15:04:05.999999999Z07:00"), zone)
			require.Empty(t, wrong)
			require.Equal(t, ms, again)
		}
		n, fault := parseJSON([]byte(s))
		if fault != nil {
			require.GreaterOrEqual(t, fault.line, 1)
			require.LessOrEqual(t, fault.line, strings.Count(s, "\n")+1)
			return
		}
		require.True(t, json.Valid([]byte(s)))
		require.Equal(t, strings.TrimSpace(s), string(n.raw))
	})
}

// FuzzRRule: times of a rule that is taken rise, begin at or after its first
// day, and both ways to ask for them say the same.
func FuzzRRule(f *testing.F) {
	for _, seed := range []string{
		"FREQ=WEEKLY;BYDAY=SU", "RRULE:FREQ=DAILY;UNTIL=20260310", "FREQ=MONTHLY;BYDAY=1SU,-1SU", "FREQ=YEARLY;BYMONTH=8;BYMONTHDAY=17",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU", "FREQ=HOURLY", "FREQ=DAILY;COUNT=3;INTERVAL=1000", "FREQ=DAILY;WKST=XX",
		"FREQ=YEARLY;BYMONTH=12;BYDAY=8SA", "FREQ=MONTHLY;BYDAY=-6MO", "FREQ=YEARLY;BYDAY=53SU,-53SU", "FREQ=WEEKLY;BYDAY=1SU",
	} {
		f.Add(seed, uint16(120))
	}
	zone := time.FixedZone("WIB", 7*3600)
	begin := time.Date(2026, 3, 1, 6, 0, 0, 0, zone).UnixMilli()
	f.Fuzz(func(t *testing.T, text string, minutes uint16) {
		c := Closure{ID: "1", Site: "s", From: begin, Until: begin + (int64(minutes)+1)*60_000, RRule: text}
		first, wrong := checkRRule(&c, zone)
		if wrong != "" {
			return
		}
		require.GreaterOrEqual(t, first, begin)
		rule, wrong := parseRRule(&c, zone)
		require.Empty(t, wrong)
		s := &schedule{Closure: c, rule: rule, zone: zone}
		list := s.expand(begin, begin+400*dayMs)
		for i, p := range list {
			require.Equal(t, c.Until-c.From, p.to-p.from)
			require.Less(t, p.from, begin+400*dayMs)
			if i > 0 {
				require.Greater(t, p.from, list[i-1].from)
			}
		}
		if len(list) > 0 && first < begin+400*dayMs {
			require.Equal(t, first, list[0].from)
		}
	})
}

func TestNumbersBeforeWeekdaysAreBounded(t *testing.T) {
	for text, wrong := range map[string]string{
		"FREQ=YEARLY;BYMONTH=12;BYDAY=8SA":  "has +8SA in BYDAY: a month has at most 5 of them",
		"FREQ=MONTHLY;BYDAY=-6MO":           "has -6MO in BYDAY: a month has at most 5 of them",
		"FREQ=WEEKLY;BYDAY=1SU":             "has +1SU in BYDAY: numbers before days go with FREQ=MONTHLY or YEARLY",
		"FREQ=MONTHLY;BYMONTH=12;BYDAY=5SA": "",
		"FREQ=YEARLY;BYDAY=53TH":            "",
		"FREQ=YEARLY;BYDAY=-53TH":           "",
	} {
		c := Closure{From: time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC).UnixMilli(), RRule: text}
		_, got := checkRRule(&c, time.UTC)
		require.Equal(t, wrong, got, text)
	}
}
