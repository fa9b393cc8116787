// Package proof keeps a list of entries as a Merkle tree (RFC 6962), proves
// what is in it, and signs how far it has come. It is a thin wrap of
// golang.org/x/mod/sumdb/tlog and sumdb/note: the tree, its tiles and its
// proofs are those of C2SP tlog-tiles, a checkpoint is that of C2SP
// tlog-checkpoint. It knows nothing of what the entries say.
package proof

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is the hash of a leaf, of a node, or of a whole tree.
type Hash = tlog.Hash

// MaxSize is the largest tree; larger numbers are no size.
const MaxSize = 1 << 48

// A tile holds the 256 hashes of one row of the tree that lie under one node;
// those of level l are the nodes 8 x l rows above the leaves. The last tile of
// a level holds fewer.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

var (
	errProof = errors.New("the proof does not hold")
	errSize  = errors.New("not a size of this tree")
)

// LeafHash is the hash of the leaf that is data.
func LeafHash(data []byte) Hash { return tlog.RecordHash(data) }

// Tile is a part of a tree as it is kept.
type Tile struct {
	Level int
	N     uint64 // place in its level
	Data  []byte // hashes, one behind the other
}

// Tiles reads the tile of a level at a place, at least as wide as the tree of
// which it is asked needs it.
type Tiles func(level int, n uint64) ([]byte, error)

// Tree grows leaf by leaf. It holds no more than the last tile of each level.
type Tree struct {
	size  uint64
	last  [][]byte // by level: the last tile, where it is not full
	fresh []bool   // by level: the last tile has changed
	full  []Tile   // since Changed was called
}

// OpenTree returns the tree of a size that was kept as tiles; nothing is read
// for an empty one.
func OpenTree(size uint64, tiles Tiles) (*Tree, error) {
	if size > MaxSize {
		return nil, fmt.Errorf("%d leaves: %w", size, errSize)
	}
	t := &Tree{size: size}
	for width := size; width > 0; width /= tileWidth {
		t.level()
		n := width % tileWidth
		if n == 0 {
			continue
		}
		level := len(t.last) - 1
		data, err := tiles(level, width/tileWidth)
		if err != nil {
			return nil, err
		}
		if len(data) != int(n)*tlog.HashSize {
			return nil, fmt.Errorf("tile %d of level %d has %d bytes, and %d leaves need %d", width/tileWidth, level, len(data), size, n*tlog.HashSize)
		}
		t.last[level] = append(t.last[level], data...)
	}
	return t, nil
}

// level adds a level on top.
func (t *Tree) level() {
	t.last = append(t.last, make([]byte, 0, tileWidth*tlog.HashSize))
	t.fresh = append(t.fresh, false)
}

// Size is the number of leaves.
func (t *Tree) Size() uint64 { return t.size }

// Append adds a leaf by its hash.
func (t *Tree) Append(leaf Hash) {
	t.size++
	h := leaf
	for level := 0; ; level++ {
		if level == len(t.last) {
			t.level()
		}
		t.last[level] = append(t.last[level], h[:]...)
		t.fresh[level] = true
		data := t.last[level]
		if len(data) < tileWidth*tlog.HashSize {
			return
		}
		t.full = append(t.full, Tile{level, t.size>>(tileHeight*uint(level+1)) - 1, append([]byte(nil), data...)})
		h = nodeOf(data)
		t.last[level], t.fresh[level] = data[:0], false
	}
}

// nodeOf is the node above a full tile.
func nodeOf(data []byte) Hash {
	var row [tileWidth]Hash
	for i := range row {
		copy(row[i][:], data[i*tlog.HashSize:])
	}
	for n := tileWidth; n > 1; n /= 2 {
		for i := range n / 2 {
			row[i] = tlog.NodeHash(row[2*i], row[2*i+1])
		}
	}
	return row[0]
}

// Changed returns the tiles that were made or grew since it was last called,
// to be kept in place of those before. They are the caller's until Append is
// called.
func (t *Tree) Changed() []Tile {
	tiles := t.full
	t.full = nil
	for level, fresh := range t.fresh {
		if fresh {
			tiles = append(tiles, Tile{level, t.size >> (tileHeight * uint(level+1)), t.last[level]})
			t.fresh[level] = false
		}
	}
	return tiles
}

// Root is the hash of the whole tree.
func (t *Tree) Root() (Hash, error) {
	return Root(t.size, func(level int, n uint64) ([]byte, error) {
		if level >= len(t.last) || n != t.size>>(tileHeight*uint(level+1)) {
			return nil, fmt.Errorf("tile %d of level %d: %w", n, level, errSize) // the root needs none of the full ones
		}
		return t.last[level], nil
	})
}

// Root is the hash of the tree of the first size leaves.
func Root(size uint64, tiles Tiles) (Hash, error) {
	if size > MaxSize {
		return Hash{}, fmt.Errorf("%d leaves: %w", size, errSize)
	}
	return tlog.TreeHash(int64(size), reader(tiles))
}

// reader computes the nodes within tiles. It reads each tile once.
func reader(tiles Tiles) tlog.HashReader {
	type place struct {
		level int
		n     int64
	}
	known := map[place][]byte{}
	return tlog.HashReaderFunc(func(indexes []int64) ([]Hash, error) {
		hashes := make([]Hash, len(indexes))
		for i, index := range indexes {
			t := tlog.TileForIndex(tileHeight, index)
			at := place{t.L, t.N}
			data, ok := known[at]
			if !ok {
				var err error
				if data, err = tiles(t.L, uint64(t.N)); err != nil {
					return nil, err
				}
				known[at] = data
			}
			var err error
			if hashes[i], err = tlog.HashFromTile(t, data, index); err != nil {
				return nil, err
			}
		}
		return hashes, nil
	})
}
