package open311_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/open311"
)

var wib = time.FixedZone("WIB", 7*3600)

var sample = open311.Request{
	ID: "SPG-2026-000123", Status: open311.Open, StatusNotes: "sedang <diperiksa>", ServiceName: "Parkir liar", ServiceCode: "illegal_parking",
	Description: "Motor & mobil di trotoar", Agency: "Dinas Perhubungan", Notice: "3 hari kerja", Requested: 1_772_427_600_000, Updated: 1_772_431_200_000,
	Expected: 1_772_700_000_000, Address: "Jl. Veteran", Located: true, Lat: -6.2379, Long: 107.0011, MediaURL: "https://x.example/p.jpg",
}

// What we write, our own reader reads, in both formats.
func TestWrittenIsRead(t *testing.T) {
	rd := open311.Reader{Zone: wib}
	for _, format := range []open311.Format{open311.JSON, open311.XML} {
		w := open311.Writer{Format: format, Zone: wib}
		for _, n := range []int{0, 1, 2} {
			list := []open311.Request{sample, sample}[:n]
			body, err := w.Requests(list)
			require.NoError(t, err)
			read, err := rd.Requests(body)
			require.NoError(t, err, string(body))
			require.Len(t, read, n)
			if n > 0 {
				require.Equal(t, sample, read[0])
			}
		}
		body, err := w.Services([]open311.Service{{Code: "001", Name: "Parkir", Type: open311.Realtime, Metadata: true, Keywords: []string{"a", "b"}, Group: "parkir"}})
		require.NoError(t, err)
		services, err := rd.Services(body)
		require.NoError(t, err)
		require.Equal(t, []open311.Service{{Code: "001", Name: "Parkir", Type: open311.Realtime, Metadata: true, Keywords: []string{"a", "b"}, Group: "parkir"}}, services)

		def := open311.Definition{Code: "x", Attributes: []open311.Attribute{{
			Variable: true, Code: "JENIS", Datatype: open311.TypeOne, Required: true, Order: 1, Description: "apa", Values: []open311.Value{{Key: "1", Name: "satu"}},
		}, {Variable: true, Code: "T", Datatype: open311.TypeText, Order: 2}}}
		body, err = w.Definition(&def)
		require.NoError(t, err)
		again, err := rd.Definition(body)
		require.NoError(t, err)
		require.Equal(t, def, again)

		body, err = w.Created(open311.Created{ID: "1", Notice: "n"})
		require.NoError(t, err)
		made, err := rd.Created(body)
		require.NoError(t, err)
		require.Equal(t, open311.Created{ID: "1", Notice: "n"}, made)

		body, err = w.Token(open311.Token{ID: "1", Token: "t"})
		require.NoError(t, err)
		token, err := rd.Token(body)
		require.NoError(t, err)
		require.Equal(t, open311.Token{ID: "1", Token: "t"}, token)

		update := open311.Update{ID: "7", RequestID: "1", Status: "in_progress", Description: "d", Updated: 1_772_431_200_000}
		body, err = w.Updates([]open311.Update{update})
		require.NoError(t, err)
		updates, err := rd.Updates(body)
		require.NoError(t, err)
		require.Equal(t, []open311.Update{update}, updates)

		body, err = w.Faults([]open311.Fault{{Code: "400", Description: "x"}, {Code: "400", Description: "y"}})
		require.NoError(t, err)
		faults, ok := rd.Faults(body)
		require.True(t, ok)
		require.Len(t, faults, 2)
	}
}

func TestXMLRoots(t *testing.T) {
	w := open311.Writer{Format: open311.XML, Zone: wib}
	for want, write := range map[string]func() ([]byte, error){
		"<services></services>":                               func() ([]byte, error) { return w.Services(nil) },
		"<service_requests><request><service_request_id>1":    func() ([]byte, error) { return w.Created(open311.Created{ID: "1"}) },
		"<service_request_updates><request_update><update_id": func() ([]byte, error) { return w.Updates([]open311.Update{{ID: "1"}}) },
		"<errors><error><code>404</code><description>no":      func() ([]byte, error) { return w.Faults([]open311.Fault{{Code: "404", Description: "no"}}) },
		"<service_definition><service_code>x</service_code>":  func() ([]byte, error) { return w.Definition(&open311.Definition{Code: "x"}) },
	} {
		body, err := write()
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(body), `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+want), string(body))
	}
}

// Lists are arrays and never null.
func TestEmptyListsAreArrays(t *testing.T) {
	w := open311.Writer{Zone: wib}
	for _, write := range []func() ([]byte, error){
		func() ([]byte, error) { return w.Services(nil) }, func() ([]byte, error) { return w.Requests(nil) }, func() ([]byte, error) { return w.Updates(nil) },
	} {
		body, err := write()
		require.NoError(t, err)
		require.JSONEq(t, "[]", string(body))
	}
	body, err := w.Definition(&open311.Definition{Code: "x"})
	require.NoError(t, err)
	require.JSONEq(t, `{"service_code":"x","attributes":[]}`, string(body))
}

// What other servers answer, in the shapes that are out there.
func TestStrangersAnswers(t *testing.T) {
	rd := open311.Reader{Zone: wib}
	for name, body := range map[string]string{
		"array":          `[{"service_request_id":"638344"}]`,
		"bare number":    `[{"service_request_id":638344,"lat":1.5e0}]`,
		"leading zeros":  `[{"service_code":006, "service_request_id":638344}]`,
		"object":         `{"service_request_id":638344}`,
		"wrapped":        `{"service_requests":[{"service_request_id":638344,"service_notice":null}]}`,
		"wrapped twice":  `{"response":{"service_requests":{"request":[{"service_request_id":638344}]}}}`,
		"with counts":    `{"count":1,"requests":[{"service_request_id":638344}]}`,
		"byte order":     "\xef\xbb\xbf" + `[{"service_request_id":"638344"}]`,
		"xml":            `<?xml version="1.0" encoding="utf-8"?><service_requests><request><service_request_id> 638344 </service_request_id></request></service_requests>`,
		"xml, one":       `<request><service_request_id>638344</service_request_id></request>`,
		"xml typed":      `<service_requests type="array"><request><service_request_id>638344</service_request_id><media_url/></request></service_requests>`,
		"xml latin":      "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><service_requests><request><service_request_id>638344</service_request_id><address>caf\xe9</address></request></service_requests>",
		"xml in another": `<open311><service_requests><request><service_request_id>638344</service_request_id></request></service_requests></open311>`,
	} {
		t.Run(name, func(t *testing.T) {
			list, err := rd.Requests([]byte(body))
			require.NoError(t, err)
			require.Len(t, list, 1)
			require.Equal(t, "638344", list[0].ID)
			made, err := rd.Created([]byte(body))
			require.NoError(t, err)
			require.Equal(t, "638344", made.ID)
		})
	}
	for name, body := range map[string]string{
		"empty": "", "html": "<!doctype html><html><body>maintenance<br></body></html>", "cut": `[{"service_request_id":"638`, "two": `[] []`,
		"an error": `[{"code":"500","description":"x"}]`, "a word": `"ok"`, "null": "null", "an object of nothing": `{}`, "said otherwise": `{"status":"accepted"}`,
		"xml cut": `<service_requests><request><service_request_id>63`, "no utf-8": "[{\"service_request_id\":\"\xff\"}]", "binary": "\x1f\x8b\x08\x00",
		"deep": strings.Repeat("[", 100) + strings.Repeat("]", 100), "wide": "[" + strings.Repeat("0,", 300_000) + "0]",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rd.Requests([]byte(body))
			require.Error(t, err)
			_, err = rd.Created([]byte(body))
			require.Error(t, err)
		})
	}
	for _, body := range []string{"[]", "<service_requests/>", `<service_requests></service_requests>`, `{"service_requests":[]}`} {
		list, err := rd.Requests([]byte(body))
		require.NoError(t, err, body)
		require.Empty(t, list)
	}
}

func TestStatusesAndTimes(t *testing.T) {
	list, err := open311.Reader{Zone: wib}.Requests([]byte(`[{"service_request_id":1,"status":"IN_PROGRESS","requested_datetime":"2026-03-02T12:00:00"},
		{"service_request_id":2,"status":"Fixed","requested_datetime":"2026-03-02T12:00:00.000Z"},{"service_request_id":3,"status":"?","requested_datetime":"soon"}]`))
	require.NoError(t, err)
	require.Equal(t, []string{"open", "closed", ""}, []string{list[0].Status, list[1].Status, list[2].Status})
	require.Equal(t, time.Date(2026, 3, 2, 12, 0, 0, 0, wib).UnixMilli(), list[0].Requested)
	require.Equal(t, time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).UnixMilli(), list[1].Requested)
	require.Zero(t, list[2].Requested)
	for _, text := range []string{"2026-03-02T05:00:00Z", "2026-03-02T12:00:00+07:00", "2026-03-02T12:00:00 07:00", "2026-03-02T12:00+07:00", "2026-03-02T12:00:00"} {
		ms, ok := open311.ParseTime(text, wib)
		require.True(t, ok, text)
		require.Equal(t, "2026-03-02T12:00:00+07:00", open311.FormatTime(ms, wib))
	}
}

// The texts of a request can be held by JSON and XML whatever came in.
func TestClean(t *testing.T) {
	require.Equal(t, "a\nb\tcd", open311.Clean("a\r\nb\tc\x00\x1b\xff\u202e\ufffed"))
	require.Equal(t, "ab", open311.Cut("ab", 2))
	require.Equal(t, "ä", open311.Cut("äb", 1))
	body, err := open311.Writer{Format: open311.XML, Zone: wib}.Requests([]open311.Request{{ID: "1", Description: "a\x00b"}})
	require.NoError(t, err)
	require.Contains(t, string(body), "<description>ab</description>")
	var any []map[string]any
	body, err = open311.Writer{Zone: wib}.Requests([]open311.Request{{ID: "1", Description: "a\x00\xffb"}})
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(body, &any))
	require.Equal(t, "ab", any[0]["description"])
	require.NotContains(t, any[0], "lat")
}
