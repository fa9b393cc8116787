package api

import (
	"encoding/csv"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
)

// Whatever the query: it is read by the route's table or refused by name, and
// what was read keeps the bounds that the table promises.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"", "lat=-6.2&lon=107&radius_m=500", "limit=10&cursor=cxsOzws", "bbox=106.9,-6.3,107.1,-6.1", "step=15m&from=2026-03-02T08:00:00 07:00",
		"from=2026-03-02&to=2026-03-03T00:00:00Z", "class=car&class=bus", "topics=parking,traffic", "date=2026-02-29", "year=2026", "%zz", "limit=1e9&lat=NaN",
	} {
		f.Add(seed)
	}
	s := &Server{zone: time.FixedZone("WIB", 7*3600)}
	routes := allRoutes()
	f.Fuzz(func(t *testing.T, query string) {
		for _, route := range routes {
			r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/", RawQuery: query}}
			args, err := s.parse(route, r)
			if err != nil {
				p := problemOf(err)
				require.Equal(t, http.StatusBadRequest, p.Status)
				require.NotEmpty(t, p.Detail)
				continue
			}
			for i := range route.all {
				p := &route.all[i]
				v := args.get(p.Name)
				if v.text == "" {
					continue
				}
				switch p.Type {
				case isWhole:
					require.True(t, float64(v.whole) >= p.Min && float64(v.whole) <= p.Max)
				case isNumber:
					require.True(t, v.num >= p.Min && v.num <= p.Max)
				case isStep:
					require.True(t, v.whole >= 5 && v.whole%5 == 0 && v.whole <= 31*24*60)
				case isBox:
					require.True(t, v.box[0] <= v.box[2] && v.box[1] <= v.box[3])
				default:
				}
			}
		}
	})
}

// A moment is written as it was read.
func FuzzMoment(f *testing.F) {
	for _, seed := range []string{"2026-03-02T08:15:00+07:00", "2026-03-02 08:15:00 07:00", "2026-03-02", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "x"} {
		f.Add(seed)
	}
	s := &Server{zone: time.FixedZone("WIB", 7*3600)}
	f.Fuzz(func(t *testing.T, raw string) {
		ms, fault := s.moment(raw)
		if fault != "" || ms == 0 {
			return
		}
		again, fault := s.moment(string(s.at(ms)))
		require.Empty(t, fault)
		require.Equal(t, ms, again)
	})
}

// The steps of a span hold it whole, and lie on multiples of the step.
func FuzzSteps(f *testing.F) {
	f.Add(int64(1_772_400_000_123), int64(86_400_000), int64(5))
	f.Add(int64(-1), int64(0), int64(1440))
	s := &Server{zone: time.FixedZone("WIB", 7*3600)}
	f.Fuzz(func(t *testing.T, from, length, minutes int64) {
		const limit = int64(1) << 45
		if minutes < 1 || minutes > 31*24*60 || from < -limit || from > limit || length < 0 || length > limit {
			return
		}
		step := time.Duration(minutes) * time.Minute
		sp, err := s.steps(span{from, from + length}, step)
		if err != nil {
			require.Greater(t, length/step.Milliseconds(), int64(maxPoints-3))
			return
		}
		require.LessOrEqual(t, sp.from, from)
		require.GreaterOrEqual(t, sp.to, from+length)
		require.Less(t, sp.to-sp.from-length, 2*step.Milliseconds())
		require.Zero(t, (sp.from+7*3_600_000)%step.Milliseconds())
		require.Zero(t, (sp.to-sp.from)%step.Milliseconds())
	})
}

// Whatever a text holds: it survives CSV, and no spreadsheet takes it for a
// formula.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"=1+1", "a,b\"c\r\n", "\t=x", "  @x", "Jl. Veteran", "＝", "'", "\x00", "\u00a0+1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tb := &table{columns: []string{"a", "b"}}
		tb.add(text, int64(-1))
		body, err := tb.csv()
		require.NoError(t, err)
		rows, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
		require.NoError(t, err)
		require.Equal(t, "-1", rows[1][1])
		cell := rows[1][0]
		clean := strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
		require.Contains(t, []string{clean, "'" + clean}, cell)
		if start := strings.TrimLeft(cell, " "); start != "" {
			require.NotContains(t, "=+-@\t\n", start[:1])
		}
	})
}

// Whatever the body: a closure is read or refused with a problem.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{`{"site":"s","from":"2026-03-02","reason":"flood"}`, `{}`, `{`, `[]`, `{"places_lost":1e99}`, `{"x":1}`, `{} {}`, "null"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var n NewClosure
		err := readBody(&request{route: &route{}, Request: httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))}, &n)
		if err != nil {
			p := problemOf(err)
			require.Equal(t, http.StatusBadRequest, p.Status, p.Detail)
		}
	})
}

// Whatever the body of lines, as CSV or as JSON: each line is where it is said
// to be, or it is refused with a problem.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{
		"reference,kind,account,operator,period_from,period_to,credited_on,gross,fee,net\nd,STS,4.1,o,2026-03-01,2026-03-01,2026-03-02,5,1,4\n",
		"\xef\xbb\xbfreference;first;last;state;series;class;price;date\r\nk;1;9;sold;A;car;2000;2026-03-01\r\n", "a\n\"", ",,\n;;\n", "",
		`[{"reference":"d","gross":1}]`, `{"period":"2026-03"}`, `[null]`, `{"gross":1e9}`, "[", "null",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, body string, sheet bool) {
		media := "application/json"
		if sheet {
			media = "text/csv"
		}
		fuzzLines[NewDeposit](t, media, body)
		fuzzLines[NewKarcis](t, media, body)
		fuzzLines[NewHandover](t, media, body)
		fuzzLines[NewDeclaration](t, media, body)
		fuzzLines[NewClose](t, media, body)
	})
}

func fuzzLines[T any, P newLine[T]](t *testing.T, media, body string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", media)
	in, err := readLines[T](&request{Request: r})
	if err != nil {
		p := problemOf(err)
		require.Contains(t, []int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge}, p.Status, p.Detail)
		return
	}
	for i := range in.lines {
		require.NotEmpty(t, in.where(i, "x"))
		line, missing := P(&in.lines[i]).line()
		if len(missing) > 0 || len(ledger.CheckLine(line)) > 0 {
			continue
		}
		again, err := journal.DecodeLine(line.Type(), journal.EncodeLine(nil, line))
		require.NoError(t, err)
		require.Equal(t, line, again)
		var shown T
		P(&shown).show(line)
		back, missing := P(&shown).line()
		require.Empty(t, missing)
		require.Equal(t, line, back, "what is shown can be sent again")
	}
}

// A stream's id is read back, and no other is taken for one of ours.
// FuzzEventID reads what clients hand back to us: Last-Event-ID and cursors.
func FuzzEventID(f *testing.F) {
	for _, seed := range []string{"EPOCH-1", "EPOCH-", "EPOCH--1", "OTHER-1", "-", "EPOCH-18446744073709551616", string(cursorOf("12.7")), "cxsOzws"} {
		f.Add(seed)
	}
	h := newHub("EPOCH", 1)
	f.Fuzz(func(t *testing.T, id string) {
		if _, ok := h.number(id); ok {
			require.Regexp(t, `^EPOCH-[0-9]+$`, id)
		}
		if key, ok := keyOf(id); ok {
			again, ok := keyOf(string(cursorOf(key)))
			require.True(t, ok)
			require.Equal(t, key, again)
		}
		if id != "" {
			key, ok := keyOf(string(cursorOf(id)))
			require.True(t, ok)
			require.Equal(t, id, key)
		}
	})
}
