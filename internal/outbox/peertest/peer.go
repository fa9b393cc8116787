// Package peertest is a city's complaint system for tests: an Open311 server in
// a process of its own, with its state on disk, that fails in the ways that
// servers do. It runs in the test's own program, started again (Main).
package peertest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/open311"
)

// Mode is how the peer treats what comes.
type Mode string

// The modes. Those that begin with accept take a report and then fail.
const (
	OK            Mode = "ok"
	Slow          Mode = "slow" // answers well, but late
	AcceptHang    Mode = "accept_hang"
	AcceptCut     Mode = "accept_cut"
	AcceptGarbage Mode = "accept_garbage"
	AcceptError   Mode = "accept_500"
	AcceptDie     Mode = "accept_die" // the process ends
	Hang          Mode = "hang"
	Error         Mode = "500"
	Redirect      Mode = "redirect"
	Refuse        Mode = "refuse" // 400 in the standard's words
	Forbid        Mode = "forbid" // 403
	Busy          Mode = "busy"   // 429
	Tokens        Mode = "tokens" // answers with a token, and has an id only later
	Blind         Mode = "blind"  // accepts and hangs, and its lists fail, but that of services
	Garbage       Mode = "garbage"
	AcceptHidden  Mode = "accept_hidden" // takes a report, hangs, and shows it only days later
)

// Modes lists every mode.
var Modes = []Mode{OK, Slow, AcceptHang, AcceptCut, AcceptGarbage, AcceptError, AcceptDie, Hang, Error, Redirect, Refuse, Forbid, Busy, Tokens, Blind, Garbage, AcceptHidden}

// Key is the api_key that the peer takes.
const Key = "peer-key"

// Record is one report as the peer has it on disk.
type Record struct {
	ID    string
	Token string // it was answered with
	Form  url.Values
	At    int64 // of the simulated clock, Unix ms
	Shows int64 // not before, Unix ms; 0: at once
	Mode  Mode  // in which it was taken
}

// The life of a report: after these times it is in progress, and closed.
const (
	Begins = time.Hour
	Closes = 6 * time.Hour
	named  = 30 * time.Minute // before a token has an id
	Hides  = 30 * time.Hour   // what was taken in AcceptHidden
)

// File is where a peer in dir keeps its reports.
func File(dir string) string { return filepath.Join(dir, "requests.jsonl") }

// Read returns what a peer in dir has on disk. A line that was cut off is none.
func Read(dir string) ([]Record, error) { return read[Record](File(dir)) }

func read[T any](path string) ([]T, error) {
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []T
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r T
		if json.Unmarshal(lines.Bytes(), &r) == nil {
			list = append(list, r)
		}
	}
	return list, lines.Err()
}

// keep appends a line to a file, durably.
func keep(file *os.File, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := file.Write(append(line, '\n')); err != nil {
		return err
	}
	return file.Sync()
}

type peer struct {
	mu    sync.Mutex
	list  []Record
	said  []Said
	file  *os.File
	heard *os.File // what was said
	mode  Mode
	now   int64
	write open311.Writer
}

// Main runs a peer in dir until it is killed, and prints its address.
func Main(dir, addr string) error {
	list, err := Read(dir)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(File(dir), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	said, err := ReadSaid(dir)
	if err != nil {
		return err
	}
	heard, err := os.OpenFile(saidFile(dir), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	p := &peer{list: list, said: said, file: file, heard: heard, mode: OK, write: open311.Writer{Zone: time.UTC}}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, l.Addr())
	s := &http.Server{Handler: p.routes(), ReadHeaderTimeout: time.Minute}
	return s.Serve(l)
}

func (p *peer) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("POST /control", p.control)
	m.HandleFunc("POST /answer", p.answer)
	m.HandleFunc("POST /v2/requests.json", p.take)
	m.HandleFunc("POST /v2/servicerequestupdates.json", p.hear)
	m.HandleFunc("GET /v2/requests.json", p.show)
	m.HandleFunc("GET /v2/requests/{id}", p.one)
	m.HandleFunc("GET /v2/tokens/{id}", p.token)
	m.HandleFunc("GET /v2/servicerequestupdates.json", p.updates)
	m.HandleFunc("GET /v2/services.json", func(w http.ResponseWriter, r *http.Request) {
		if !p.fails(w, r) {
			answer(w)(p.write.Services([]open311.Service{{Code: "rusak", Name: "Rusak", Type: open311.Realtime, Metadata: true}}))
		}
	})
	m.HandleFunc("GET /v2/services/{id}", func(w http.ResponseWriter, r *http.Request) {
		if !p.fails(w, r) {
			answer(w)(p.write.Definition(&open311.Definition{Code: "rusak", Attributes: []open311.Attribute{{Variable: true, Code: "ANOMALI_ID", Datatype: open311.TypeString, Order: 1}}}))
		}
	})
	return m
}

// control sets the mode and the clock.
func (p *peer) control(_ http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = Mode(r.URL.Query().Get("mode"))
	p.now, _ = strconv.ParseInt(r.URL.Query().Get("now"), 10, 64)
}

func (p *peer) state() (Mode, int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode, p.now
}

// fails lets a read fail where the mode says so.
func (p *peer) fails(w http.ResponseWriter, r *http.Request) bool {
	mode, _ := p.state()
	if mode == Blind && !strings.Contains(r.URL.Path, "/services") {
		mode = Error
	}
	switch mode {
	case Hang:
		<-r.Context().Done()
		return true
	case Error:
		http.Error(w, "down", http.StatusServiceUnavailable)
		return true
	case Garbage:
		_, _ = w.Write([]byte("<html><body>Sedang pemeliharaan<br></body></html>"))
		return true
	case Slow:
		time.Sleep(5 * time.Millisecond)
	default:
	}
	return false
}

// take files a report, or not, and answers as the mode says.
func (p *peer) take(w http.ResponseWriter, r *http.Request) {
	mode, now := p.state()
	if p.refuses(w, r, mode) {
		return
	}
	made, err := p.file311(r.PostForm, mode, now)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p.tells(w, r, mode, func() {
		if mode == Tokens {
			answer(w)(p.write.Created(open311.Created{Token: made.Token}))
			return
		}
		answer(w)(p.write.Created(open311.Created{ID: made.ID, Notice: "Diteruskan"}))
	})
}

// refuses takes nothing where the mode or the key says so. It reads the form.
func (p *peer) refuses(w http.ResponseWriter, r *http.Request, mode Mode) bool {
	if err := r.ParseForm(); err != nil {
		return true
	}
	switch mode {
	case Hang:
		<-r.Context().Done()
	case Error:
		http.Error(w, "down", http.StatusServiceUnavailable)
	case Redirect:
		http.Redirect(w, r, "http://127.0.0.1:1/elsewhere", http.StatusTemporaryRedirect)
	case Refuse:
		p.fault(w, http.StatusBadRequest, "description was not understood")
	case Busy:
		w.Header().Set("Retry-After", "60")
		p.fault(w, http.StatusTooManyRequests, "too many")
	default:
		if mode != Forbid && r.PostForm.Get("api_key") == Key {
			return false
		}
		p.fault(w, http.StatusForbidden, "api_key is not valid")
	}
	return true
}

// tells answers for what was taken, as the mode says.
func (p *peer) tells(w http.ResponseWriter, r *http.Request, mode Mode, well func()) {
	switch mode {
	case AcceptHang, AcceptHidden, Blind:
		<-r.Context().Done()
	case AcceptCut:
		cut(w)
	case AcceptGarbage, Garbage:
		_, _ = w.Write([]byte("OK terima kasih"))
	case AcceptError:
		http.Error(w, "down", http.StatusBadGateway)
	case AcceptDie:
		os.Exit(3)
	case Slow:
		time.Sleep(10 * time.Millisecond)
		well()
	default:
		well()
	}
}

// file311 writes a report down, durably, before anything is answered.
func (p *peer) file311(form url.Values, mode Mode, now int64) (Record, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := Record{ID: fmt.Sprintf("POT-%06d", len(p.list)+1), Form: form, At: now, Mode: mode}
	switch mode {
	case Tokens:
		r.Token = "t-" + r.ID
	case AcceptHidden:
		r.Shows = now + Hides.Milliseconds()
	default:
	}
	if err := keep(p.file, r); err != nil {
		return r, err
	}
	p.list = append(p.list, r)
	return r, nil
}

// cut begins an answer and breaks it off.
func cut(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "200")
	_, _ = w.Write([]byte(`[{"service_request_id":"PO`))
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = c.Close()
	}
}

func (p *peer) shown(r *Record, now int64) open311.Request {
	form := func(name string) string { return r.Form.Get(name) }
	out := open311.Request{
		ID: r.ID, Status: open311.Open, ServiceCode: form("service_code"), Description: form("description"), Requested: r.At, Updated: r.At,
	}
	if now >= r.At+Closes.Milliseconds() {
		out.Status, out.StatusNotes, out.Updated = open311.Closed, "selesai", r.At+Closes.Milliseconds()
	}
	for _, u := range p.said {
		if u.Request == r.ID && open311.Ends(u.Status) {
			out.Status, out.StatusNotes, out.Updated = open311.Closed, u.Text, u.At
		}
	}
	return out
}

// show lists reports by id, or by time and service, 50 a page.
func (p *peer) show(w http.ResponseWriter, r *http.Request) {
	if p.fails(w, r) {
		return
	}
	q := r.URL.Query()
	from, _ := open311.ParseTime(q.Get("start_date"), time.UTC)
	to, _ := open311.ParseTime(q.Get("end_date"), time.UTC)
	page := max(1, number(q.Get("page")))
	p.mu.Lock()
	var list []open311.Request
	for i := range p.list {
		one := &p.list[i]
		if one.Shows > p.now {
			continue
		}
		if ids := q.Get("service_request_id"); ids != "" {
			if !slices.Contains(strings.Split(ids, ","), one.ID) {
				continue
			}
		} else if one.At < from || one.At > to || q.Has("service_code") && one.Form.Get("service_code") != q.Get("service_code") {
			continue
		}
		list = append(list, p.shown(one, p.now))
	}
	p.mu.Unlock()
	const size = 50
	begin := min((page-1)*size, len(list))
	answer(w)(p.write.Requests(list[begin:min(begin+size, len(list))]))
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

func (p *peer) one(w http.ResponseWriter, r *http.Request) {
	if p.fails(w, r) {
		return
	}
	p.mu.Lock()
	at := slices.IndexFunc(p.list, func(o Record) bool { return o.ID+".json" == r.PathValue("id") })
	var found []open311.Request
	if at >= 0 {
		found = []open311.Request{p.shown(&p.list[at], p.now)}
	}
	p.mu.Unlock()
	if at < 0 {
		p.fault(w, http.StatusNotFound, "service_request_id was not found")
		return
	}
	answer(w)(p.write.Requests(found))
}

func (p *peer) token(w http.ResponseWriter, r *http.Request) {
	if p.fails(w, r) {
		return
	}
	p.mu.Lock()
	at := slices.IndexFunc(p.list, func(o Record) bool { return o.Token != "" && o.Token+".json" == r.PathValue("id") })
	var found open311.Token
	if at >= 0 {
		found.Token = p.list[at].Token
		if p.now >= p.list[at].At+named.Milliseconds() {
			found.ID = p.list[at].ID
		}
	}
	p.mu.Unlock()
	if at < 0 {
		p.fault(w, http.StatusNotFound, "token was not found")
		return
	}
	answer(w)(p.write.Token(found))
}

// updates lists the steps in the life of reports.
func (p *peer) updates(w http.ResponseWriter, r *http.Request) {
	if p.fails(w, r) {
		return
	}
	from, _ := open311.ParseTime(r.URL.Query().Get("start_date"), time.UTC)
	to, _ := open311.ParseTime(r.URL.Query().Get("end_date"), time.UTC)
	p.mu.Lock()
	var list []open311.Update
	for i := range p.list {
		one := &p.list[i]
		for status, after := range map[string]time.Duration{open311.StatusInProgress: Begins, open311.StatusClosed: Closes} {
			if at := one.At + after.Milliseconds(); at <= p.now && at >= from && at <= to {
				list = append(list, open311.Update{ID: one.ID + "/" + status, RequestID: one.ID, Status: status, Description: "oleh petugas", Updated: at})
			}
		}
	}
	for i := range p.said {
		if u := &p.said[i]; u.At >= from && u.At <= to {
			list = append(list, open311.Update{ID: u.ID, RequestID: u.Request, Status: u.Status, Description: u.Text, Updated: u.At})
		}
	}
	p.mu.Unlock()
	answer(w)(p.write.Updates(list))
}

func (p *peer) fault(w http.ResponseWriter, status int, description string) {
	body, err := p.write.Faults([]open311.Fault{{Code: strconv.Itoa(status), Description: description}})
	if err == nil {
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}
}

func answer(w http.ResponseWriter) func([]byte, error) {
	return func(body []byte, err error) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(body)
	}
}
