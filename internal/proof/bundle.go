package proof

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// BundleFormat is the first member of a bundle.
const BundleFormat = "simpang-bundle/1"

// Bundle is some entries of a log with all that is needed to check them on
// another machine but the public key.
type Bundle struct {
	Format     string   `json:"format" doc:"simpang-bundle/1"`
	Checkpoint string   `json:"checkpoint" doc:"signed (C2SP tlog-checkpoint)"`
	Entries    []Proven `json:"entries"`
}

// Proven is an entry and the proof that it is in the log.
type Proven struct {
	Leaf  uint64 `json:"leaf" doc:"place in the tree: the number of the entry less one"`
	Data  []byte `json:"data" doc:"canonical bytes, base64"`
	Proof []Hash `json:"proof" doc:"inclusion proof (RFC 6962), hashes in base64, the lowest first"`
}

// MaxBundle is the size of the largest bundle that is read, in bytes.
const MaxBundle = 256 << 20

var errBundle = errors.New("not a bundle")

// ParseBundle reads a bundle. A member that is not known is an error.
func ParseBundle(data []byte) (*Bundle, error) {
	if len(data) > MaxBundle {
		return nil, fmt.Errorf("%w: it has %d bytes, more than %d", errBundle, len(data), MaxBundle)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	b := &Bundle{}
	if err := d.Decode(b); err != nil {
		return nil, fmt.Errorf("%w: %w", errBundle, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows its end", errBundle)
	}
	if b.Format != BundleFormat {
		return nil, fmt.Errorf("%w: its format is %.60q, and this program reads %s", errBundle, b.Format, BundleFormat)
	}
	return b, nil
}

// Check checks the signature and each entry's proof, and returns the
// checkpoint. The error names the first entry whose proof does not hold. A
// bundle without entries proves nothing unless the log has none.
func (b *Bundle) Check(key *PublicKey) (*Checkpoint, error) {
	c, err := OpenCheckpoint([]byte(b.Checkpoint), key)
	if err != nil {
		return nil, err
	}
	if len(b.Entries) == 0 && c.Size != 0 {
		return nil, fmt.Errorf("%w: it has no entries, and the checkpoint signs %d: export it again", errBundle, c.Size)
	}
	for i := range b.Entries {
		e := &b.Entries[i]
		if i > 0 && e.Leaf <= b.Entries[i-1].Leaf {
			return nil, fmt.Errorf("%w: entry %d does not come after entry %d", errBundle, e.Leaf+1, b.Entries[i-1].Leaf+1)
		}
		if err := CheckInclusion(e.Proof, c.Size, c.Root, e.Leaf, LeafHash(e.Data)); err != nil {
			return nil, fmt.Errorf("entry %d: %w: its bytes, its proof or the checkpoint was changed", e.Leaf+1, err)
		}
	}
	return c, nil
}
