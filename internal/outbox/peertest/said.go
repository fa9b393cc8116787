package peertest

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/simpang-id/simpang/internal/open311"
)

// Said is one update as the peer has it on disk: posted by a client, or an
// answer of its own people.
type Said struct {
	ID      string
	Request string
	Posted  string // update_id of who posted it; "" of its own people
	Status  string
	Text    string
	At      int64 // of the simulated clock, Unix ms
}

func saidFile(dir string) string { return filepath.Join(dir, "updates.jsonl") }

// ReadSaid returns what a peer in dir has on disk of updates.
func ReadSaid(dir string) ([]Said, error) { return read[Said](saidFile(dir)) }

// hear takes a posted update, or not, and answers as the mode says.
func (p *peer) hear(w http.ResponseWriter, r *http.Request) {
	mode, now := p.state()
	if p.refuses(w, r, mode) {
		return
	}
	form := r.PostForm.Get
	u, err := p.say(Said{Request: form("service_request_id"), Posted: form("update_id"), Status: strings.ToLower(form("status")), Text: form("description"), At: now})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p.tells(w, r, mode, func() { answer(w)(p.write.Updated(open311.Updated{ID: u.ID})) })
}

// answer is one of its own people who says something of a report.
func (p *peer) answer(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	_, now := p.state()
	if _, err := p.say(Said{Request: q.Get("id"), Status: q.Get("status"), Text: q.Get("text"), At: now}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// say writes an update down, durably.
func (p *peer) say(u Said) (Said, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u.ID = fmt.Sprintf("U-%06d", len(p.said)+1)
	if err := keep(p.heard, u); err != nil {
		return u, err
	}
	p.said = append(p.said, u)
	return u, nil
}
