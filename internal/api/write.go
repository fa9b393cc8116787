package api

import (
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Values of Content-Type and Cache-Control; shared, never changed.
var (
	jsonType    = []string{"application/json; charset=utf-8"}
	geojsonType = []string{"application/geo+json; charset=utf-8"}
	shortly     = []string{"public, max-age=1, must-revalidate"}
	aWhile      = []string{"public, max-age=10"}
	notStored   = []string{"no-store"}
	askAgain    = []string{"no-cache"}
	byToken     = []string{"Authorization"}
)

// writeBytes answers with bytes that have a weak tag, or with 304 where the
// client has them.
func writeBytes(w http.ResponseWriter, r *http.Request, kind, cache []string, tag string, body []byte) {
	h := w.Header()
	h["Etag"] = []string{tag}
	h["Cache-Control"] = cache
	if match := r.Header.Get("If-None-Match"); match != "" && matches(match, tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = kind
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	_, _ = w.Write(body)
}

// matches compares weakly (RFC 9110, section 13.1.2).
func matches(header, tag string) bool {
	if header == tag || header == "*" {
		return true
	}
	for one := range strings.SplitSeq(header, ",") {
		if strings.TrimPrefix(strings.TrimSpace(one), "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// writePublic answers a public read that is not from the board.
func writePublic(w http.ResponseWriter, q *request, kind []string, body []byte) {
	h := fnv.New64a()
	_, _ = h.Write(body)
	cache := aWhile
	if q.route.Open311 { // who files or closes looks at once
		cache = askAgain
	}
	if q.route.Staff {
		w.Header()["Vary"] = byToken
		if q.token != nil {
			cache = notStored
		}
	}
	writeBytes(w, q.Request, kind, cache, etag(h.Sum64()), body)
}

// writeJSON answers with a value: a public read with a tag, what needs a token
// never stored.
func writeJSON(w http.ResponseWriter, q *request, status int, v any) {
	writeEncoded(w, q, status, encode(v))
}

// writeEncoded is writeJSON of what is encoded already.
func writeEncoded(w http.ResponseWriter, q *request, status int, body []byte) {
	if q.route.public() && status == http.StatusOK && !q.route.Free {
		writePublic(w, q, jsonType, body)
		return
	}
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = notStored
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// linkNext tells the next page in a header too, for formats without a place
// for it (RFC 8288).
func linkNext(w http.ResponseWriter, q *request, next TextOrNull) {
	if next == "" {
		return
	}
	query := q.URL.Query()
	query.Set("cursor", string(next))
	w.Header().Set("Link", "<"+(&url.URL{Path: q.URL.Path, RawQuery: query.Encode()}).String()+`>; rel="next"`)
}

// pageAfter returns what lies after the cursor in a list sorted by key.
func pageAfter[T any](q *request, list []T, key func(T) string) []T {
	cursor := q.text("cursor")
	if cursor == "" {
		return list
	}
	from, found := slices.BinarySearchFunc(list, cursor, func(item T, c string) int { return strings.Compare(key(item), c) })
	if found {
		from++
	}
	return list[from:]
}

// firstPage cuts a list at the limit and returns the next cursor.
func firstPage[T any](list []T, limit int, key func(T) string) ([]T, TextOrNull) {
	if len(list) <= limit {
		return list, ""
	}
	return list[:limit], cursorOf(key(list[limit-1]))
}
