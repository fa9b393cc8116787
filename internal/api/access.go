package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/token"
	"github.com/simpang-id/simpang/internal/watch"
)

// AccessItem is one read of money.
type AccessItem struct {
	At     Time   `json:"at"`
	Token  string `json:"token" doc:"id of the token, no name"`
	Route  string `json:"route" doc:"operationId"`
	Filter string `json:"filter" doc:"digest of the parameters: the first 16 bytes of the SHA-256 of their sorted lines name=value, hex"`
	Entry  uint64 `json:"entry" doc:"of the books"`
}

// always logs every request of a route.
func always(*Server, *request) bool { return true }

// logAccess has a read of money written down before it is answered. Where it
// cannot be, there is no answer.
func (s *Server) logAccess(ctx context.Context, q *request) error {
	if q.route.Logged == nil || q.token == nil || !q.route.Logged(s, q) {
		return nil
	}
	return s.Gate.Access(ctx, journal.Access{Token: q.token.ID, At: q.now.UnixMilli(), Route: q.route.Name, Filter: q.digest()})
}

// digest is of the parameters that were given.
func (q *request) digest() string {
	var lines []string
	for i := range q.args {
		if a := &q.args[i]; a.given {
			lines = append(lines, a.name+"="+a.text+"\n")
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return hex.EncodeToString(sum[:16])
}

// readsMoney tells whether the readings of a device hold money that the role
// may see.
func readsMoney(s *Server, q *request) bool {
	kinds, err := readableKinds(q)
	if err != nil || !slices.Contains(kinds, city.KindReceipt) {
		return false
	}
	d, _, err := s.findDevice(q.text("id"))
	return err == nil && (d == nil || d.Kind == inventory.DeviceMeter || q.text("kind") == city.KindReceipt.String())
}

// namesPayers tells whether daily revenue is by site or operator.
func namesPayers(_ *Server, q *request) bool {
	return !slices.Contains(totals, q.text("group"))
}

// anomaliesOfMoney tells whether anomalies that the role may read, of the rule
// that is asked for, are of money.
func anomaliesOfMoney(_ *Server, q *request) bool {
	rule := watch.Rule(q.text("rule"))
	return slices.ContainsFunc(mayRead(q.token.Role), func(r watch.Rule) bool {
		return (rule == "" || r == rule) && r.Money()
	})
}

// toldWhole tells whether the role is told what one or two taxpayers paid.
func toldWhole(_ *Server, q *request) bool { return q.token.Role != token.Executive }

// accesses serves /v1/revenue/access.
func (s *Server) accesses(w http.ResponseWriter, q *request) error {
	sp, err := q.span(accessSpan)
	if err != nil {
		return err
	}
	if !q.given("to") {
		sp.to++ // now is within
	}
	found, next, err := s.Books.Accesses(q.Context(), ledger.AccessQuery{
		From: sp.from, To: sp.to, Token: q.text("token"), After: q.text("cursor"), Limit: q.limit(),
	})
	if err != nil {
		return err
	}
	list := List[AccessItem]{Items: make([]AccessItem, 0, len(found)), Next: cursorOf(next)}
	t := &table{name: "revenue-access", columns: []string{"at", "token", "route", "filter", "entry"}}
	for i := range found {
		r := &found[i].Read
		item := AccessItem{At: s.at(r.At), Token: r.Token, Route: r.Route, Filter: r.Filter, Entry: found[i].Entry}
		list.Items = append(list.Items, item)
		t.add(string(item.At), item.Token, item.Route, item.Filter, int64(item.Entry))
	}
	if q.format() != "json" {
		linkNext(w, q, list.Next)
		return s.writeTable(w, q, t, notStored, "")
	}
	writeJSON(w, q, http.StatusOK, list)
	return nil
}
