package api

import (
	"context"
	"hash/fnv"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/inventory"
)

// board is what the hot reads answer from. It is immutable but for kept.
type board struct {
	at         int64 // when it was rendered, Unix ms
	version    *inventory.Version
	sites      shelf
	segments   shelf
	congestion page
	kept       kept // grows while the board is in use
}

// shelf is the items of one kind, sorted by id.
type shelf struct {
	tiles []*tile
	place map[string]int       // of an id among the tiles; boards with the same ids share it
	first atomic.Pointer[page] // the list without any filter
	alone []atomic.Pointer[page]
}

// at returns the tile of an id, nil where there is none.
func (sh *shelf) at(id string) *tile {
	if i, ok := sh.place[id]; ok {
		return sh.tiles[i]
	}
	return nil
}

// page is a whole answer.
type page struct {
	body []byte
	etag string
}

const (
	together = 20 * time.Millisecond // changes that are rendered as one
	ageEvery = time.Second           // how often ages are rendered
)

// Run renders until ctx ends: when something changed, and once a second.
func (s *Server) Run(ctx context.Context) error {
	defer s.hub.close()
	tick := time.NewTicker(ageEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.Parking.Changed():
			pause(ctx)
		case <-s.Traffic.Changed():
			pause(ctx)
		case <-s.poked:
		}
		s.Render(s.Now())
	}
}

// pause waits for what changes together.
func pause(ctx context.Context) {
	t := time.NewTimer(together)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// poke makes Run render soon.
func (s *Server) poke() {
	select {
	case s.poked <- struct{}{}:
	default:
	}
}

// Render renders the board as of now and tells the streams what changed.
func (s *Server) Render(now time.Time) {
	s.render.Lock()
	defer s.render.Unlock()
	old := s.board.Load()
	if old == nil {
		old = &board{}
	}
	b := &board{at: now.UnixMilli(), version: s.Inventory.Current()}
	if b.version == nil {
		b.version = &inventory.Version{Zone: s.zone}
	}
	s.renderSites(b, old)
	s.renderSegments(b, old)
	s.board.Store(b)
	s.hub.publish(b, old)
}

// whole returns the unfiltered first page. It is written once a board, by who
// asks for it first: most boards of a busy city nobody asks.
func (sh *shelf) whole(now int64) *page {
	p := sh.first.Load()
	if p == nil {
		fresh := listPage(sh.tiles, now, nil, defaultLimit)
		p = &fresh
		sh.first.Store(p)
	}
	return p
}

// stock builds the index; old is the shelf of the board before.
func (sh *shelf) stock(old *shelf) {
	same := len(sh.tiles) == len(old.tiles)
	for i := 0; same && i < len(sh.tiles); i++ {
		same = sh.tiles[i].id == old.tiles[i].id
	}
	if sh.place = old.place; !same {
		sh.place = make(map[string]int, len(sh.tiles))
		for i, t := range sh.tiles {
			sh.place[t.id] = i
		}
	}
	sh.alone = make([]atomic.Pointer[page], len(sh.tiles))
}

const defaultLimit = 100

// listPage assembles a page of at most limit of the tiles.
func listPage(tiles []*tile, now int64, keep func(*tile) func(class int) bool, limit int) page {
	next := TextOrNull("")
	if len(tiles) > limit {
		tiles = tiles[:limit]
		next = cursorOf(tiles[limit-1].id)
	}
	size := 64
	for _, t := range tiles {
		size += t.size()
	}
	body := make([]byte, 0, size)
	tag := fnv.New64a()
	var text []byte
	body = append(body, `{"items":[`...)
	for i, t := range tiles {
		if i > 0 {
			body = append(body, ',')
		}
		var classes func(int) bool
		if keep != nil {
			classes = keep(t)
		}
		body = t.append(body, now, classes)
		text = strconv.AppendUint(text[:0], t.hash, 16)
		_, _ = tag.Write(text)
	}
	body = append(body, `],"next":`...)
	cursor := encode(next)
	_, _ = tag.Write(cursor)
	body = append(body, cursor...)
	body = append(body, '}')
	return page{body: body, etag: etag(tag.Sum64())}
}

// etag writes a weak entity tag (RFC 9110, section 8.8.3).
func etag(hash uint64) string { return `W/"` + strconv.FormatUint(hash, 16) + `"` }
