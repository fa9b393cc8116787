package apitest

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/proof"
)

// Proofs proves whatever it is asked by a log of three entries, and notes the
// questions.
type Proofs struct {
	Key      *proof.Key
	Newest   *ledger.Checkpoint
	Data     [3][]byte
	Err      error
	Selected []ledger.Selection
	FromTo   [2]uint64

	mu    sync.Mutex
	tiles map[int][]byte
}

func (p *Proofs) init(tb testing.TB) {
	tb.Helper()
	tree, err := proof.OpenTree(0, nil)
	require.NoError(tb, err)
	for i := range p.Data {
		p.Data[i] = []byte{1, 2, byte(i)}
		tree.Append(proof.LeafHash(p.Data[i]))
	}
	p.tiles = map[int][]byte{}
	for _, t := range tree.Changed() {
		p.tiles[t.Level] = t.Data
	}
	p.Key, err = proof.NewKey("simpang/test")
	require.NoError(tb, err)
	c := proof.Checkpoint{Origin: "simpang/test/log", Size: tree.Size(), At: Noon.UnixMilli()}
	c.Root, err = tree.Root()
	require.NoError(tb, err)
	signed, err := c.Sign(p.Key)
	require.NoError(tb, err)
	p.Newest = &ledger.Checkpoint{Checkpoint: c, Note: string(signed)}
}

func (p *Proofs) read(level int, _ uint64) ([]byte, error) { return p.tiles[level], nil }

// Checkpoint returns Newest.
func (p *Proofs) Checkpoint(context.Context) (*ledger.Checkpoint, error) { return p.Newest, p.Err }

// Prove proves the second and third entry.
func (p *Proofs) Prove(_ context.Context, s ledger.Selection) (*ledger.Proof, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Selected = append(p.Selected, s)
	out := &ledger.Proof{Checkpoint: p.Newest}
	for leaf := uint64(1); leaf < 3; leaf++ {
		hashes, err := proof.Inclusion(p.Newest.Size, leaf, p.read)
		if err != nil {
			return nil, err
		}
		out.Entries = append(out.Entries, proof.Proven{Leaf: leaf, Data: p.Data[leaf], Proof: hashes})
	}
	return out, p.Err
}

// Grown proves what it is asked.
func (p *Proofs) Grown(_ context.Context, from, to uint64) (*ledger.Growth, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.FromTo = [2]uint64{from, to}
	if to == 0 {
		to = p.Newest.Size
	}
	g := &ledger.Growth{From: from, To: to, Checkpoint: p.Newest, Note: p.Newest.Note}
	var err error
	if g.Proof, err = proof.Consistency(from, to, p.read); err != nil {
		return nil, err
	}
	if g.OldRoot, err = proof.Root(from, p.read); err != nil {
		return nil, err
	}
	g.Root, err = proof.Root(to, p.read)
	return g, err
}
