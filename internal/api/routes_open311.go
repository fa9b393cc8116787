package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Paths of the Open311 face begin so; there errors are the standard's.
const open311Root = "/open311/v2/"

// open311Routes are GeoReport v2 and its updates extension. Each is served
// with .json, .xml, and without an ending by Accept. As the standard's clients
// expect, parameters that are not known are left alone.
func open311Routes() []*route {
	jurisdiction := param{Name: "jurisdiction_id", Doc: "optional; one that is not ours: 404"}
	get := func(path, name, summary, doc string, handle handler, params ...param) *route {
		return &route{
			Method: http.MethodGet, Path: open311Root + path, Name: name, Tag: "open311", Summary: summary, Doc: doc, Handle: handle,
			Params: append(params, jurisdiction), Open311: true, Media: "application/json", Problem: []int{http.StatusNotFound},
		}
	}
	post := func(path, name, summary, doc string, most int64, handle handler) *route {
		return &route{
			Method: http.MethodPost, Path: open311Root + path, Name: name, Tag: "open311", Summary: summary, Doc: doc, Handle: handle,
			Open311: true, Keyed: true, MaxBody: most, Media: "application/json", Problem: []int{http.StatusForbidden, http.StatusNotFound},
		}
	}
	id := func(doc string) param { return param{Name: "id", Required: true, Path: true, Doc: doc} }
	spans := []param{
		{Name: "start_date", Doc: "RFC 3339 with zone; with end_date at most 90 days apart"},
		{Name: "end_date", Doc: "RFC 3339 with zone; default now"},
		{Name: "page", Doc: "from 1; default 1"},
		{Name: "page_size", Doc: "1 to 1,000; default 1,000"},
	}
	return []*route{
		get("discovery", "open311Discovery", "Where Open311 is served, and how one gets a key", "", (*Server).discovery311),
		get("services", "open311Services", "What can be reported", "", (*Server).services311),
		get("services/{id}", "open311Service", "What a service asks besides", "", (*Server).service311, id("service_code, with .json or .xml")),
		get("requests", "open311Requests", "Reports, the newest first", "Without personal data; nothing of money. Default: those of the last 90 days, 1,000 at most.", (*Server).requests311, append([]param{
			{Name: "service_request_id", Doc: "ids with commas; overrides all others"},
			{Name: "service_code", Doc: "codes with commas"},
			{Name: "status", Doc: "open, closed, or both with a comma"},
			{Name: "extensions", Doc: "true: with extended_attributes and notes"},
		}, spans...)...),
		get("requests/{id}", "open311Request", "One report", "", (*Server).request311, id("service_request_id, with .json or .xml")),
		get("tokens/{id}", "open311Token", "The id of a token", "A report here has its id at once, and the id is its own token.", (*Server).token311, id("token, with .json or .xml")),
		get("servicerequestupdates", "open311Updates", "What was done, the oldest first", "", (*Server).updates311, spans...),
		get("photos/{id}", "open311Photo", "A photo of a report", "At an address that nobody can guess.", (*Server).photo311, id("as media_url says")),
		post("requests", "open311File", "Report something",
			"A form (urlencoded or multipart with up to three photos, JPEG or PNG). api_key is any access token; role reporter can do nothing else.", photosAbove, (*Server).file311),
		post("servicerequestupdates", "open311Update", "Say what was done",
			"A form. api_key is an access token of who may act on the complaint: its agency, dishub, bapenda, admin.", maxBody, (*Server).update311),
	}
}

// describe311 adds to an operation what the Open311 face has of its own: XML,
// forms, and errors as the standard has them.
func describe311(t *route, op *huma.Operation) {
	text := &huma.Schema{Type: huma.TypeString}
	faults := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{
		Type: huma.TypeObject, Properties: map[string]*huma.Schema{"code": text, "description": text},
	}}}
	op.Description = strings.TrimSpace(op.Description + " With .json or .xml at the end of the path, else by Accept.")
	op.Responses["200"].Content["text/xml"] = &huma.MediaType{}
	if strings.HasSuffix(t.Path, "photos/{id}") {
		op.Responses["200"].Content = map[string]*huma.MediaType{"image/jpeg": {}, "image/png": {}}
	}
	for _, status := range append([]int{http.StatusBadRequest, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}, t.Problem...) {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status), Content: map[string]*huma.MediaType{"application/json": faults, "text/xml": {}}}
	}
	if t.Method == http.MethodPost {
		form := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeObject}}
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/x-www-form-urlencoded": form, "multipart/form-data": form}}
	}
}
