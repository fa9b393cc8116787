package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/proof"
	"github.com/simpang-id/simpang/internal/token"
)

// ProvedEntry is an entry of the books and the proof that it is in the log.
type ProvedEntry struct {
	Leaf  uint64   `json:"leaf" doc:"place in the tree, from 0: the number of the entry less one"`
	Data  []byte   `json:"data" doc:"canonical bytes of the entry, base64; the leaf's hash is SHA-256(0x00, data)"`
	Proof []string `json:"proof" doc:"inclusion proof (RFC 6962), hashes in base64, the lowest first"`
}

// Inclusion proves that entries are in the log.
type Inclusion struct {
	Receipt    TextOrNull    `json:"receipt" doc:"device:boot:seq"`
	Origin     string        `json:"origin" doc:"the log's name"`
	Size       uint64        `json:"size" doc:"entries that the checkpoint signs"`
	Root       string        `json:"root" doc:"hash of the tree, base64"`
	Checkpoint string        `json:"checkpoint" doc:"signed (C2SP tlog-checkpoint)"`
	Entries    []ProvedEntry `json:"entries" doc:"the receipt's own entry and every correction of it"`
}

// Consistency proves that a log begins with an earlier one.
type Consistency struct {
	Origin       string     `json:"origin" doc:"the log's name"`
	From         uint64     `json:"from" doc:"entries"`
	To           uint64     `json:"to" doc:"entries"`
	FromRoot     string     `json:"from_root" doc:"hash of the tree of the first from entries, base64"`
	ToRoot       string     `json:"to_root"`
	Proof        []string   `json:"proof" doc:"consistency proof (RFC 6962), hashes in base64"`
	FromSigned   TextOrNull `json:"from_checkpoint" doc:"the checkpoint of just that size, null where none was signed"`
	ToSigned     TextOrNull `json:"to_checkpoint"`
	NewestSigned string     `json:"checkpoint" doc:"the newest one"`
}

// ProofBundle is a file that can be checked on another machine: simpang verify
// -bundle FILE -key PUBKEY.
type ProofBundle struct {
	Format     string        `json:"format" enum:"simpang-bundle/1"`
	Checkpoint string        `json:"checkpoint"`
	Entries    []ProvedEntry `json:"entries"`
}

var noteType = []string{"text/plain; charset=utf-8"}

func proofRoutes() []*route {
	return []*route{
		{
			Method: http.MethodGet, Path: "/v1/revenue/proof/checkpoint", Name: "getCheckpoint", Tag: "revenue", Media: "text/plain",
			Summary: "The newest signed checkpoint of the books", Handle: (*Server).checkpoint, Problem: []int{http.StatusServiceUnavailable},
			Doc: "A signed note (C2SP tlog-checkpoint): origin, number of entries, root of their Merkle tree, time, signature. " +
				"Whoever keeps one can tell later whether what it signs was changed.",
		},
		{
			Method: http.MethodGet, Path: "/v1/revenue/proof/inclusion", Name: "getInclusion", Tag: "revenue", Roles: roles(bapenda, auditor, admin),
			Summary: "The proof that a receipt's entries are in the books", Answer: typeOf[Inclusion](), Handle: (*Server).inclusion, Logged: always,
			Problem: []int{http.StatusNotFound, http.StatusServiceUnavailable}, Doc: "Either `receipt` or `entry` is given.",
			Params: []param{
				{Name: "receipt", Doc: "id of a receipt: device:boot:seq"},
				{Name: "entry", Type: isWhole, Min: 1, Max: proof.MaxSize, Doc: "number of an entry of any kind; auditor and admin only"},
			},
		},
		{
			Method: http.MethodGet, Path: "/v1/revenue/proof/consistency", Name: "getConsistency", Tag: "revenue", Roles: roles(bapenda, auditor, admin),
			Summary: "The proof that nothing was changed between two sizes of the books", Answer: typeOf[Consistency](), Handle: (*Server).consistency,
			Problem: []int{http.StatusServiceUnavailable},
			Params: []param{
				{Name: "from", Type: isWhole, Min: 0, Max: proof.MaxSize, Default: "0", Doc: "size of an earlier checkpoint, in entries"},
				{Name: "to", Type: isWhole, Min: 1, Max: proof.MaxSize, Doc: "size of a later one; default the newest"},
			},
		},
		{
			Method: http.MethodGet, Path: "/v1/revenue/proof/bundle", Name: "getBundle", Tag: "revenue", Roles: roles(auditor, admin),
			Summary: "Entries, their proofs and the checkpoint as one file", Answer: typeOf[ProofBundle](), Handle: (*Server).bundle, Logged: always,
			Problem: []int{http.StatusNotFound, http.StatusServiceUnavailable},
			Doc: fmt.Sprintf("Of `receipts`, or of a `site` from `from` to `to`, or of the entries `first` to `last`; at most %d entries. "+
				"It is checked on any machine by `simpang verify -bundle FILE -key PUBKEY`.", ledger.MostProved),
			Params: join([]param{
				{Name: "receipts", Doc: "ids of receipts with commas between"},
				{Name: "site", Doc: "the receipts of this site, by the meter's clock"},
			}, spanParams("31 days before `to`"), []param{
				{Name: "first", Type: isWhole, Min: 1, Max: proof.MaxSize, Doc: "number of an entry, inclusive"},
				{Name: "last", Type: isWhole, Min: 1, Max: proof.MaxSize, Doc: "number of an entry, inclusive"},
			}),
		},
	}
}

// checkpoint serves /v1/revenue/proof/checkpoint.
func (s *Server) checkpoint(w http.ResponseWriter, q *request) error {
	c, err := s.Proofs.Checkpoint(q.Context())
	if err != nil {
		return err
	}
	if c == nil {
		return notSigned(nil)
	}
	writePublic(w, q, noteType, []byte(c.Note))
	return nil
}

// notSigned is told where there is no checkpoint that reaches far enough.
func notSigned(err error) *problemError {
	p := problem(http.StatusServiceUnavailable, "the books are not signed so far yet: ask again in a minute")
	p.retryAfter, p.cause = 60, err
	return p
}

// inclusion serves /v1/revenue/proof/inclusion.
func (s *Server) inclusion(w http.ResponseWriter, q *request) error {
	var selected ledger.Selection
	switch {
	case q.given("receipt") == q.given("entry"):
		return badParameter("receipt", "name one receipt, or one entry")
	case q.given("receipt"):
		selected.Receipts = []string{q.text("receipt")}
	case q.token.Role == token.Bapenda:
		return problem(http.StatusForbidden, "entries by their number are for auditor and admin: name a receipt")
	default:
		selected.First = uint64(q.args.get("entry").whole)
		selected.Last = selected.First
	}
	found, err := s.prove(q, selected)
	if err != nil {
		return err
	}
	c := found.Checkpoint
	writeJSON(w, q, http.StatusOK, Inclusion{
		Receipt: TextOrNull(q.text("receipt")), Origin: c.Origin, Size: c.Size, Root: c.Root.String(), Checkpoint: c.Note, Entries: provedEntries(found),
	})
	return nil
}

// prove proves entries, and notes who asked for them.
func (s *Server) prove(q *request, selected ledger.Selection) (*ledger.Proof, error) {
	found, err := s.Proofs.Prove(q.Context(), selected)
	if errors.Is(err, ledger.ErrUnsigned) {
		return nil, notSigned(err)
	}
	if err != nil {
		return nil, err
	}
	s.access(q, "proofs of entries were read", slog.String("receipts", strings.Join(selected.Receipts, ",")), slog.String("site", selected.Site), slog.Int("entries", len(found.Entries)))
	return found, nil
}

func provedEntries(p *ledger.Proof) []ProvedEntry {
	out := make([]ProvedEntry, len(p.Entries))
	for i := range p.Entries {
		e := &p.Entries[i]
		out[i] = ProvedEntry{Leaf: e.Leaf, Data: e.Data, Proof: hashTexts(e.Proof)}
	}
	return out
}

func hashTexts(hashes []proof.Hash) []string {
	out := make([]string, len(hashes))
	for i, h := range hashes {
		out[i] = h.String()
	}
	return out
}

// consistency serves /v1/revenue/proof/consistency.
func (s *Server) consistency(w http.ResponseWriter, q *request) error {
	g, err := s.Proofs.Grown(q.Context(), uint64(q.args.get("from").whole), uint64(q.args.get("to").whole))
	if errors.Is(err, ledger.ErrUnsigned) {
		return notSigned(err)
	}
	if err != nil {
		return err
	}
	writeJSON(w, q, http.StatusOK, Consistency{
		Origin: g.Checkpoint.Origin, From: g.From, To: g.To, FromRoot: g.OldRoot.String(), ToRoot: g.Root.String(), Proof: hashTexts(g.Proof),
		FromSigned: TextOrNull(g.OldNote), ToSigned: TextOrNull(g.Note), NewestSigned: g.Checkpoint.Note,
	})
	return nil
}

// bundle serves /v1/revenue/proof/bundle.
func (s *Server) bundle(w http.ResponseWriter, q *request) error {
	selected, err := s.bundled(q)
	if err != nil {
		return err
	}
	found, err := s.prove(q, selected)
	if err != nil {
		return err
	}
	b := found.Bundle()
	body, err := json.Marshal(ProofBundle{Format: b.Format, Checkpoint: b.Checkpoint, Entries: provedEntries(found)})
	if err != nil {
		return err
	}
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = notStored
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="bundle-%d.json"`, found.Checkpoint.Size))
	_, _ = w.Write(body)
	return nil
}

// bundled reads which entries a bundle is asked of.
func (s *Server) bundled(q *request) (ledger.Selection, error) {
	var selected ledger.Selection
	ways := 0
	for _, name := range []string{"receipts", "site", "first"} {
		if q.given(name) {
			ways++
		}
	}
	switch {
	case ways != 1:
		return selected, badParameter("receipts", "name receipts, or a site, or the first and last of some entries")
	case q.given("first") != q.given("last"):
		return selected, badParameter("last", "first and last go together")
	case !q.given("site") && (q.given("from") || q.given("to")):
		return selected, badParameter("from", "from and to go with a site")
	case q.given("receipts"):
		selected.Receipts = strings.Split(q.text("receipts"), ",")
		if len(selected.Receipts) > ledger.MostProved {
			return selected, badParameter("receipts", fmt.Sprintf("are more than %d", ledger.MostProved))
		}
	case q.given("first"):
		selected.First, selected.Last = uint64(q.args.get("first").whole), uint64(q.args.get("last").whole)
		if selected.First > selected.Last {
			return selected, badParameter("first", "is more than last")
		}
	default:
		sp, err := q.span(31 * 24 * time.Hour)
		if err != nil {
			return selected, err
		}
		selected.Site, selected.From, selected.To = q.text("site"), sp.from, sp.to
	}
	return selected, nil
}
