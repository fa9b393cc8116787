package proof_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/simpang-id/simpang/internal/proof"
)

// kept is what a tree left behind.
type kept map[[2]uint64][]byte

func (k kept) read(level int, n uint64) ([]byte, error) {
	data, ok := k[[2]uint64{uint64(level), n}]
	if !ok {
		return nil, fmt.Errorf("there is no tile %d of level %d", n, level)
	}
	return data, nil
}

func (k kept) keep(t *proof.Tree) {
	for _, tile := range t.Changed() {
		k[[2]uint64{uint64(tile.Level), tile.N}] = append([]byte(nil), tile.Data...)
	}
}

func leaf(i uint64) []byte { return fmt.Appendf(nil, "entry %d", i) }

// roots grows a tree, in uneven steps and opened anew now and then, and the
// same one as tlog's own stored hashes.
func roots(t *testing.T, size uint64) (kept, []proof.Hash) {
	t.Helper()
	chance := rand.New(rand.NewPCG(1, size))
	k := kept{}
	tree, err := proof.OpenTree(0, k.read)
	require.NoError(t, err)
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, at := range indexes {
			out[i] = stored[at]
		}
		return out, nil
	})
	empty, err := tree.Root()
	require.NoError(t, err)
	all := []proof.Hash{empty}
	for i := range size {
		tree.Append(proof.LeafHash(leaf(i)))
		more, err := tlog.StoredHashes(int64(i), leaf(i), read)
		require.NoError(t, err)
		stored = append(stored, more...)
		root, err := tree.Root()
		require.NoError(t, err)
		all = append(all, root)
		if chance.IntN(50) == 0 {
			want, err := tlog.TreeHash(int64(i+1), read)
			require.NoError(t, err)
			require.Equal(t, want, root)
			k.keep(tree)
		}
		if chance.IntN(300) == 0 {
			k.keep(tree)
			tree, err = proof.OpenTree(i+1, k.read)
			require.NoError(t, err)
		}
	}
	k.keep(tree)
	want, err := tlog.TreeHash(int64(size), read)
	require.NoError(t, err)
	require.Equal(t, want, all[size])
	return k, all
}

func TestProofsHoldAndOthersDoNot(t *testing.T) {
	size := uint64(70_000) // three levels of tiles
	if testing.Short() {
		size = 3000
	}
	k, all := roots(t, size)
	chance := rand.New(rand.NewPCG(2, 3))
	for range 300 {
		to := 1 + chance.Uint64N(size)
		n := chance.Uint64N(to)
		root, err := proof.Root(to, k.read)
		require.NoError(t, err)
		require.Equal(t, all[to], root)
		p, err := proof.Inclusion(to, n, k.read)
		require.NoError(t, err)
		require.NoError(t, proof.CheckInclusion(p, to, root, n, proof.LeafHash(leaf(n))))
		require.Error(t, proof.CheckInclusion(p, to, root, n, proof.LeafHash(leaf(n+1))))
		if to > 1 {
			require.Error(t, proof.CheckInclusion(p, to, root, (n+1)%to, proof.LeafHash(leaf(n))))
			p[chance.IntN(len(p))][chance.IntN(32)] ^= 1 << chance.IntN(8)
			require.Error(t, proof.CheckInclusion(p, to, root, n, proof.LeafHash(leaf(n))))
		}
		c, err := proof.Consistency(n, to, k.read)
		require.NoError(t, err)
		require.NoError(t, proof.CheckConsistency(c, n, all[n], to, root))
		if n > 0 { // every tree begins with the empty one
			require.Error(t, proof.CheckConsistency(c, n, all[n], to, all[to-1]))
			require.Error(t, proof.CheckConsistency(c, n, all[n-1], to, root))
		}
	}
	_, err := proof.Inclusion(5, 5, k.read)
	require.Error(t, err)
	_, err = proof.Consistency(6, 5, k.read)
	require.Error(t, err)
	_, err = proof.Root(1<<60, k.read)
	require.Error(t, err)
	require.Error(t, proof.CheckInclusion(nil, 1<<62, all[1], 3, all[1]))
	require.Error(t, proof.CheckConsistency(nil, 1<<61, all[1], 1<<62, all[1]))
}

func TestCheckpoint(t *testing.T) {
	key, err := proof.NewKey(proof.Name("bekasi kota+"))
	require.NoError(t, err)
	require.Equal(t, "simpang/bekasi-kota-", key.Public().Name())
	require.NotContains(t, fmt.Sprint(key), "PRIVATE")
	again, err := proof.ParseKey(key.File())
	require.NoError(t, err)
	require.Equal(t, key.Public().String(), again.Public().String())
	public, err := proof.ParsePublicKey(key.Public().String() + "\n")
	require.NoError(t, err)

	c := &proof.Checkpoint{
		Origin: proof.NewOrigin("bekasi"), Size: 7, Root: proof.LeafHash(nil), At: 1_772_438_400_000,
		Before: &proof.Previous{Origin: proof.NewOrigin("bekasi"), Size: 9, Root: proof.LeafHash([]byte("x"))}, Other: []string{"more"},
	}
	require.NotEqual(t, c.Origin, c.Before.Origin)
	signed, err := c.Sign(key)
	require.NoError(t, err)
	lines := strings.Split(string(signed), "\n")
	require.Equal(t, []string{c.Origin, "7", c.Root.String(), "time 2026-03-02T08:00:00Z"}, lines[:4])
	opened, err := proof.OpenCheckpoint(signed, public)
	require.NoError(t, err)
	require.Equal(t, c, opened)

	for i := range signed {
		other := append([]byte(nil), signed...)
		other[i] ^= 1
		_, err := proof.OpenCheckpoint(other, public)
		require.Error(t, err, "byte %d of %q", i, signed)
	}
	stranger, err := proof.NewKey(key.Public().Name())
	require.NoError(t, err)
	_, err = proof.OpenCheckpoint(signed, stranger.Public())
	require.ErrorContains(t, err, "not signed by")
	_, err = proof.ParseKey([]byte("PRIVATE+KEY+a+b+c"))
	require.Error(t, err)
	_, err = proof.ParsePublicKey("a+b+c")
	require.Error(t, err)
}

func TestBundle(t *testing.T) {
	k, all := roots(t, 600)
	key, err := proof.NewKey("simpang/test")
	require.NoError(t, err)
	signed, err := (&proof.Checkpoint{Origin: "o", Size: 600, Root: all[600]}).Sign(key)
	require.NoError(t, err)
	b := &proof.Bundle{Format: proof.BundleFormat, Checkpoint: string(signed)}
	for _, n := range []uint64{0, 255, 256, 599} {
		p, err := proof.Inclusion(600, n, k.read)
		require.NoError(t, err)
		b.Entries = append(b.Entries, proof.Proven{Leaf: n, Data: leaf(n), Proof: p})
	}
	text, err := json.Marshal(b)
	require.NoError(t, err)
	read, err := proof.ParseBundle(text)
	require.NoError(t, err)
	c, err := read.Check(key.Public())
	require.NoError(t, err)
	require.EqualValues(t, 600, c.Size)

	_, err = (&proof.Bundle{Format: proof.BundleFormat, Checkpoint: string(signed)}).Check(key.Public())
	require.ErrorContains(t, err, "has no entries")
	signed, err = (&proof.Checkpoint{Origin: "o", Root: all[0]}).Sign(key)
	require.NoError(t, err)
	_, err = (&proof.Bundle{Format: proof.BundleFormat, Checkpoint: string(signed)}).Check(key.Public())
	require.NoError(t, err, "of a log that has none")

	read.Entries[2].Data[0] ^= 1
	_, err = read.Check(key.Public())
	require.ErrorContains(t, err, "entry 257")
	b.Entries[1] = b.Entries[0]
	_, err = b.Check(key.Public())
	require.ErrorContains(t, err, "does not come after")
	_, err = proof.ParseBundle(append(text, "{}"...))
	require.ErrorContains(t, err, "follows")
	_, err = proof.ParseBundle([]byte(strings.Replace(string(text), "bundle/1", "bundle/2", 1)))
	require.ErrorContains(t, err, "bundle/2")
}
