package broker

import (
	"cmp"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/simpang-id/simpang/internal/source"
)

// mostTurnedAway bounds how many users that may not log in are remembered; who
// tried longest ago is forgotten first.
const mostTurnedAway = 1000

// turnedAway remembers refused log-ins, for whoever has to let a device in.
type turnedAway struct {
	mu   sync.Mutex
	list map[string]*source.TurnedAway
}

// note takes in a refusal, and returns the user as it may be told.
func (r *turnedAway) note(t source.TurnedAway, at int64) (user string) {
	t.User = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, strings.ToValidUTF8(clip(t.User), "?"))
	if host, _, err := net.SplitHostPort(t.Remote); err == nil {
		t.Remote = host
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.list == nil {
		r.list = map[string]*source.TurnedAway{}
	}
	t.First, t.Last, t.Times = at, at, 1
	if before := r.list[t.User]; before != nil {
		t.First, t.Times = before.First, before.Times+1
	} else if len(r.list) >= mostTurnedAway {
		oldest := slices.MinFunc(slices.Collect(maps.Values(r.list)), func(a, b *source.TurnedAway) int { return cmp.Compare(a.Last, b.Last) })
		delete(r.list, oldest.User)
	}
	r.list[t.User] = &t
	return t.User
}

// forget drops a user who has logged in.
func (r *turnedAway) forget(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.list, user)
}

// TurnedAway returns whose log-ins were refused since the start, and not taken
// after that, the newest first; the 1,000 newest.
func (s *Source) TurnedAway() []source.TurnedAway {
	r := &s.turnedAway
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]source.TurnedAway, 0, len(r.list))
	for _, t := range r.list {
		list = append(list, *t)
	}
	slices.SortFunc(list, func(a, b source.TurnedAway) int {
		return cmp.Or(cmp.Compare(b.Last, a.Last), cmp.Compare(a.User, b.User))
	})
	return list
}
