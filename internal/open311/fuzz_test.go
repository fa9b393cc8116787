package open311_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/url"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/open311"
)

// Whatever a server answers: it is read or refused, and what was read can be
// written in both formats and read again as the same.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`[{"service_request_id":638344,"service_code":006,"lat":-6.2,"long":107.0,"requested_datetime":"2026-03-02T12:00:00+07:00"}]`,
		`{"service_requests":[{"token":"x"}]}`, `<service_requests><request><service_request_id>1</service_request_id></request></service_requests>`,
		`[{"code":400,"description":"x"}]`, `<errors><error><code>404</code><description/></error></errors>`, `[]`, `{`, `<a`, `[{"update_id":1,"service_request_id":2,"status":"FIXED"}]`,
		`{"service_code":"x","attributes":[{"code":"A","values":[{"key":1,"name":"n"}]}]}`, `[{"service_request_id":"1","attributes":[{"code":"SIMPANG_ID","value":["x"]}]}]`,
		`<?xml version="1.0" encoding="ISO-8859-1"?><services><service><service_code>é</service_code></service></services>`, "[\"\\", "-", `[{"service_request_id":"1","extended_attributes":{"a":1}}]`,
	} {
		f.Add([]byte(seed))
	}
	rd := open311.Reader{Zone: wib}
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := rd.Requests(body)
		if err == nil {
			for i := range list {
				require.NotEmpty(t, list[i].ID)
				require.Contains(t, []string{"", open311.Open, open311.Closed}, list[i].Status)
			}
			for _, format := range []open311.Format{open311.JSON, open311.XML} {
				w := open311.Writer{Format: format, Zone: wib}
				written, err := w.Requests(list)
				require.NoError(t, err)
				again, err := rd.Requests(written)
				require.NoError(t, err, string(written))
				require.Len(t, again, len(list))
			}
		}
		if made, err := rd.Created(body); err == nil {
			require.True(t, made.ID != "" || made.Token != "")
		}
		if taken, err := rd.Updated(body); err == nil {
			require.NotEmpty(t, taken.ID)
		}
		if faults, ok := rd.Faults(body); ok {
			require.NotEmpty(t, faults, "an error without a word is none")
		}
		updates, err := rd.Updates(body)
		for i := range updates {
			require.NoError(t, err)
			require.NotEmpty(t, updates[i].ID)
			require.NotEmpty(t, updates[i].RequestID)
		}
		_, _ = rd.Services(body)
		_, _ = rd.Definition(body)
		_, _ = rd.Token(body)
	})
}

// Whatever a text holds: JSON and XML that hold it are whole, and say the same.
func FuzzWrite(f *testing.F) {
	for _, seed := range []string{"a<b>&\"'", "\x00\x1b\xff", "]]>", "a\r\nb\rc", "\ufffe\u2028", " x ", "😀"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, text, id string) {
		r := []open311.Request{{
			ID: id, Status: open311.Open, Description: text, Address: text, MediaURL: text,
			Extended: &open311.Extended{State: text, Attributes: []open311.Answer{{Code: id, Values: []string{text}}}, Notes: []open311.Note{{Summary: text}}},
		}}
		body, err := open311.Writer{Zone: wib}.Requests(r)
		require.NoError(t, err)
		require.True(t, utf8.Valid(body))
		var read []struct{ Description string }
		require.NoError(t, json.Unmarshal(body, &read))
		require.Equal(t, open311.Cut(open311.Clean(text), open311.MaxDescription), read[0].Description)

		body, err = open311.Writer{Format: open311.XML, Zone: wib}.Requests(r)
		require.NoError(t, err)
		require.True(t, utf8.Valid(body))
		d := xml.NewDecoder(bytes.NewReader(body))
		for {
			if _, err := d.Token(); err != nil {
				require.ErrorIs(t, err, io.EOF)
				break
			}
		}
		var doc struct {
			Items []struct {
				Description string `xml:"description"`
			} `xml:"request"`
		}
		require.NoError(t, xml.Unmarshal(body, &doc))
		require.Equal(t, read[0].Description, doc.Items[0].Description)
	})
}

// Whatever a form holds: a filing is read or refused with faults, keeps its
// bounds, and comes through the form again as it was.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{
		"service_code=x&lat=1&long=2&description=d", "attribute[A]=1&attribute[B][]=2&attribute[B][]=3", "lat=1e400&long=-0", "media_url=https://x.example/a b", "address_string=%ff%00", "service_code=x&address_id=1&attribute[]=",
		"update_id=1&service_request_id=2&status=OPEN&updated_datetime=2026-03-02T08:00:00+07:00&description=x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		if filing, faults := open311.ParseFiling(v); len(faults) == 0 {
			require.LessOrEqual(t, utf8.RuneCountInString(filing.Description), open311.MaxDescription)
			again, faults := open311.ParseFiling(filing.Values("K"))
			require.Empty(t, faults)
			require.Equal(t, filing, again)
		}
		if u, faults := open311.ParseUpdate(v, wib); len(faults) == 0 {
			again, faults := open311.ParseUpdate(u.Form("K", wib), wib)
			require.Empty(t, faults)
			u.Updated -= u.Updated % 1000
			require.Equal(t, u.Updated/1000, again.Updated/1000)
		}
	})
}
