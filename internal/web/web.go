// Package web is the pages that people see: /status, live by the event stream,
// and /docs, the OpenAPI document made readable. Without a build step: pages
// are html/template, scripts and styles are served as they are.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed static
var staticFiles embed.FS

// Options are what the pages tell of the gateway.
type Options struct {
	City    string // the city's name
	Version string // of the program
}

// file is something that is served as it is.
type file struct {
	body  []byte
	kind  string
	etag  string
	cache string
}

// Site serves the pages.
type Site struct {
	files map[string]file
}

// csp lets a page load what this server serves, and nothing else.
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// kinds are the media types of what is served as it is.
var kinds = map[string]string{
	".js":  "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
}

// New renders the pages once.
func New(o Options) (*Site, error) {
	if o.City == "" {
		return nil, errors.New("web: Options.City is missing")
	}
	s := &Site{files: map[string]file{}}
	assets := map[string]string{} // name -> address with the content's hash
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		kind, ok := kinds[path.Ext(name)]
		if !ok {
			return fmt.Errorf("no media type is known for %s", name)
		}
		f := newFile(body, kind)
		f.cache = "public, max-age=31536000, immutable"
		s.files["/"+name] = f
		assets[path.Base(name)] = "/" + name + "?v=" + f.etag[1:17]
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	pages, err := template.New("").Funcs(template.FuncMap{"asset": func(name string) (string, error) {
		address, ok := assets[name]
		if !ok {
			return "", fmt.Errorf("there is no asset %s", name)
		}
		return address, nil
	}}).ParseFS(pageFiles, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	for _, name := range []string{"status", "docs"} {
		var b bytes.Buffer
		if err := pages.ExecuteTemplate(&b, name+".html", o); err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		f := newFile(b.Bytes(), "text/html; charset=utf-8")
		f.cache = "no-cache"
		s.files["/"+name] = f
	}
	return s, nil
}

func newFile(body []byte, kind string) file {
	sum := sha256.Sum256(body)
	return file{body: body, kind: kind, etag: `"` + hex.EncodeToString(sum[:16]) + `"`}
}

// missing is the answer where there is no page (RFC 9457).
const missing = `{"type":"about:blank","title":"Not Found","status":404,"detail":"there is no such page"}` + "\n"

// ServeHTTP serves a page or an asset; / leads to /status.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	if r.URL.Path == "/" {
		h.Set("Cache-Control", "no-cache")
		http.Redirect(w, r, "/status", http.StatusFound)
		return
	}
	f, ok := s.files[r.URL.Path]
	if !ok {
		h.Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(missing))
		return
	}
	h.Set("Etag", f.etag)
	h.Set("Cache-Control", f.cache)
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.kind)
	h.Set("Content-Length", strconv.Itoa(len(f.body)))
	_, _ = w.Write(f.body)
}
