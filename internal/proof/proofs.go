package proof

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// maxProof is more hashes than a proof in a tree of MaxSize has.
const maxProof = 100

// Inclusion proves that the leaf at a place (0, 1, 2 ...) is in the tree of the
// first size leaves.
func Inclusion(size, leaf uint64, tiles Tiles) ([]Hash, error) {
	if size > MaxSize || leaf >= size {
		return nil, fmt.Errorf("leaf %d of %d: %w", leaf, size, errSize)
	}
	return tlog.ProveRecord(int64(size), int64(leaf), reader(tiles))
}

// CheckInclusion checks a proof of Inclusion against the tree's root.
func CheckInclusion(proof []Hash, size uint64, root Hash, leaf uint64, hash Hash) error {
	if size > MaxSize || leaf >= size {
		return fmt.Errorf("leaf %d of %d: %w", leaf, size, errSize)
	}
	if len(proof) > maxProof || tlog.CheckRecord(proof, int64(size), root, int64(leaf), hash) != nil {
		return fmt.Errorf("leaf %d of %d: %w", leaf, size, errProof)
	}
	return nil
}

// Consistency proves that the tree of the first to leaves begins with the tree
// of the first from leaves. Every tree begins with the empty one: that proof is
// empty.
func Consistency(from, to uint64, tiles Tiles) ([]Hash, error) {
	switch {
	case to > MaxSize || from > to:
		return nil, fmt.Errorf("%d to %d leaves: %w", from, to, errSize)
	case from == 0:
		return []Hash{}, nil
	}
	return tlog.ProveTree(int64(to), int64(from), reader(tiles))
}

// CheckConsistency checks a proof of Consistency against both roots.
func CheckConsistency(proof []Hash, from uint64, old Hash, to uint64, root Hash) error {
	if to > MaxSize || from > to {
		return fmt.Errorf("%d to %d leaves: %w", from, to, errSize)
	}
	holds := len(proof) <= maxProof
	if from == 0 {
		empty, err := tlog.TreeHash(0, nil)
		holds = holds && err == nil && len(proof) == 0 && old == empty && (to > 0 || root == empty)
	} else {
		holds = holds && tlog.CheckTree(proof, int64(to), root, int64(from), old) == nil
	}
	if !holds {
		return fmt.Errorf("%d to %d leaves: %w", from, to, errProof)
	}
	return nil
}

// ParseHash reads a hash as it is written in checkpoints and answers.
func ParseHash(text string) (Hash, error) {
	h, err := tlog.ParseHash(text)
	if err != nil || h.String() != text {
		return Hash{}, fmt.Errorf("%.60q is not a hash: 32 bytes in base64", text)
	}
	return h, nil
}
