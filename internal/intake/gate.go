// Package intake is the gate: it decides which readings are taken, which are
// repeats and which are set aside, and it acknowledges only what is durable.
package intake

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire"
)

// Journal is where accepted readings become durable. An append that fails has
// appended nothing, and may be tried again.
type Journal interface {
	Append(ctx context.Context, entries []journal.Entry) (first uint64, err error)
}

// Quarantine keeps what was set aside. Putting the same item again keeps it
// once.
type Quarantine interface {
	Put(ctx context.Context, items []journal.Item) ([]int64, error)
	MarkRetried(ctx context.Context, id int64, verdict string) error
}

// Options are what the gate stands on. All but Books, Accepting, Acks and Committed are required.
type Options struct {
	Journal    Journal
	Quarantine Quarantine
	Dedupe     *Dedupe
	Clock      *ClockGuard
	Plates     *Plates
	Metrics    *Metrics
	Log        *slog.Logger

	// Inventory returns the newest version.
	Inventory func() *inventory.Version
	// Accepting returns a version that a command is about to accept, nil where
	// it is not known: what follows in the same batch is judged by it.
	Accepting func(hash string) *inventory.Version
	// Books returns the content hash that the books keep of a receipt's
	// identity: receipts are compared for as long as the books live. Nil: they
	// are compared with the last readings only.
	Books func(ctx context.Context, r *city.Reading) (hash [16]byte, ok bool, err error)
	// Limits returns the clock rules of a source.
	Limits func(source string) source.Limits
	// Decode decodes a payload that comes back from quarantine.
	Decode func(source, device string, raw []byte) wire.Decoded
	// Acks is told what devices of the inventory say of commands. It must be quick
	// and keep no one waiting, and may drop them: a command that was not seen to
	// be answered is sent again, and so is its answer. Nil: they are passed over.
	Acks func(ctx context.Context, acks []wire.Ack)
	// Committed is told each committed batch, before anything is acknowledged
	// and before any follower sees it. It must be quick and keep no one waiting.
	Committed func(entries []journal.Entry)
}

// Gate takes batches. It is stepped by calls from one goroutine.
type Gate struct {
	o        Options
	head     uint64 // last position that was committed
	lastRecv int64  // Unix ms
	asides   asideRates

	memory sync.Mutex // held from a decision to its commit: until then what it notes must not be saved
	held   bool       // the stepping goroutine holds it
	lost   bool       // a decision was abandoned: the memory says more than was committed
}

func (g *Gate) hold() {
	if !g.held {
		g.memory.Lock()
		g.held = true
	}
}

func (g *Gate) release() {
	if g.held {
		g.held = false
		g.memory.Unlock()
	}
}

// New returns a gate that continues after position head, whose entry was
// received at lastRecv (Unix ms; both 0 for an empty journal).
func New(o Options, head uint64, lastRecv int64) (*Gate, error) {
	if o.Journal == nil || o.Quarantine == nil || o.Dedupe == nil || o.Clock == nil || o.Plates == nil ||
		o.Metrics == nil || o.Log == nil || o.Inventory == nil || o.Limits == nil || o.Decode == nil {
		return nil, fmt.Errorf("intake: an option is missing: %+v", o)
	}
	if o.Accepting == nil {
		o.Accepting = func(string) *inventory.Version { return nil }
	}
	if o.Acks == nil {
		o.Acks = func(context.Context, []wire.Ack) {}
	}
	if o.Committed == nil {
		o.Committed = func([]journal.Entry) {}
	}
	return &Gate{o: o, head: head, lastRecv: lastRecv}, nil
}

// Plan is a batch that was decided and not yet committed.
type Plan struct {
	gate    *Gate
	items   []Item
	entries []journal.Entry
	aside   []journal.Item
	acks    []wire.Ack
	results []commandResult
	recv    int64 // Unix ms
	mono    int64 // ms on the monotonic clock
	tallies map[string]*journal.Tally

	asideDone bool
}

type commandResult struct {
	command *Command
	at      int // index of its first entry
	verdict Verdict
}

// Decide judges every item of a batch at the time now. It returns a ClockError
// and takes nothing while our own clock is not to be trusted. The items belong
// to the plan until it is committed.
func (g *Gate) Decide(ctx context.Context, now Instant, items []Item) (*Plan, error) {
	if err := g.o.Clock.Check(now); err != nil {
		return nil, err
	}
	g.hold()
	recv := now.Wall
	if recv < g.lastRecv && g.lastRecv-recv <= clockSlack {
		recv = g.lastRecv
	}
	p := &Plan{gate: g, items: items, recv: recv, mono: now.Mono, entries: make([]journal.Entry, 0, len(items)+4), tallies: map[string]*journal.Tally{}}
	version := g.o.Inventory()
	for i := range items {
		if c := items[i].Command; c != nil {
			version = g.decideCommand(ctx, p, c, version, recv)
			continue
		}
		g.decideMessage(ctx, p, &items[i].Message, version, recv)
	}
	g.addTallies(p, recv)
	return p, nil
}

// Commit makes a plan durable and then acknowledges it: quarantine first, then
// the journal, then the followers, then the sources. After an error the same
// plan is committed again; until then no other may be decided.
func (g *Gate) Commit(ctx context.Context, p *Plan) error {
	if len(p.aside) > 0 && !p.asideDone {
		if _, err := g.o.Quarantine.Put(ctx, p.aside); err != nil {
			return fmt.Errorf("quarantine: %w", err)
		}
		p.asideDone = true
	}
	first := uint64(0)
	if len(p.entries) > 0 {
		var err error
		if first, err = g.o.Journal.Append(ctx, p.entries); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		g.head = p.entries[len(p.entries)-1].Pos
		g.lastRecv = p.recv
		g.o.Committed(p.entries)
	}
	g.release()
	if len(p.acks) > 0 {
		g.o.Acks(ctx, p.acks)
	}
	g.o.Metrics.commit(p)
	for _, r := range p.results {
		g.finish(ctx, r, p.entries, first)
	}
	for i := range p.items {
		if p.items[i].Command == nil {
			p.items[i].Message.Done(true)
		}
	}
	return nil
}

// Abandon tells the sources of a plan that it was not taken: they may send
// again.
func (p *Plan) Abandon(err error) {
	p.gate.lost = true
	p.gate.release()
	for i := range p.items {
		if c := p.items[i].Command; c != nil {
			c.Done(0, Verdict{}, err)
			continue
		}
		p.items[i].Message.Done(false)
	}
}

// finish answers a command after its commit.
func (g *Gate) finish(ctx context.Context, r commandResult, entries []journal.Entry, first uint64) {
	pos := first
	if r.at < len(entries) {
		pos = entries[r.at].Pos
	}
	if item := r.command.Retry; item != nil {
		word := "accepted"
		if r.verdict.Duplicate {
			word = "duplicate"
		}
		if r.verdict.Reason == "" {
			if err := g.o.Quarantine.MarkRetried(ctx, item.ID, word); err != nil {
				g.o.Log.Error("a retried item could not be marked; retry it again, it is taken once", "id", item.ID, "error", err)
			}
		}
	}
	r.command.Done(pos, r.verdict, nil)
}

// imageAtOnce is how many devices of an image are encoded at once: batches wait
// for it.
const imageAtOnce = 512

// Image begins an image of what de-duplication changed since the last one; it
// is whole from the position of the last commit on. Store.Save may be called
// from another goroutine while the gate goes on.
func (g *Gate) Image() Image {
	image, later := g.o.Dedupe.beginImage(g.head)
	image.more = func(to *states) error {
		some := later[:min(len(later), imageAtOnce)]
		later = later[len(some):]
		g.memory.Lock()
		defer g.memory.Unlock()
		if g.lost {
			return ErrClosed
		}
		return g.o.Dedupe.encodeSome(to, some)
	}
	return image
}

// Redo takes back an image that could not be saved: its part is in the next.
func (g *Gate) Redo(image Image) { g.o.Dedupe.redo(image) }
