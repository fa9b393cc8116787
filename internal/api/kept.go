package api

import "sync"

// Bounds of the answers that one board keeps.
const (
	keptAnswers = 512
	keptBytes   = 4 << 20
)

// kept is the filtered answers that were assembled from one board, by route
// and query: who asks the same again before the board changes gets the same
// bytes. It lives as long as its board.
type kept struct {
	mu    sync.RWMutex
	pages map[string]page
	bytes int
}

func (k *kept) get(t *route, query string) (page, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	p, ok := k.pages[t.Name+"?"+query]
	return p, ok
}

func (k *kept) put(q *request, p page) {
	k.mu.Lock()
	defer k.mu.Unlock()
	size := len(p.body) + len(q.URL.RawQuery)
	if len(k.pages) >= keptAnswers || k.bytes+size > keptBytes {
		return
	}
	if k.pages == nil {
		k.pages = map[string]page{}
	}
	k.bytes += size
	k.pages[q.route.Name+"?"+q.URL.RawQuery] = p
}
