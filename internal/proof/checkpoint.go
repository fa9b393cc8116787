package proof

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Checkpoint says how far a log has come.
type Checkpoint struct {
	Origin string // the log's name; no two logs have the same
	Size   uint64 // leaves
	Root   Hash
	At     int64     // when it was signed, Unix ms in whole seconds; 0 not told
	Before *Previous // the log that this one goes on from; nil: none
	Other  []string  // extension lines that we do not know
}

// Previous is the last that is known of a log which another one goes on from.
type Previous struct {
	Origin string
	Size   uint64
	Root   Hash
}

// Extension lines of ours.
const (
	timeLine     = "time "
	previousLine = "previous "
)

const maxCheckpoint = 16 << 10 // bytes, signatures included

var errCheckpoint = errors.New("not a checkpoint")

// text is what is signed: origin, size, root, then a line each for what else is
// said.
func (c *Checkpoint) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%d\n%s\n", c.Origin, c.Size, c.Root)
	if c.At != 0 {
		b.WriteString(timeLine + time.UnixMilli(c.At).UTC().Format(time.RFC3339) + "\n")
	}
	if p := c.Before; p != nil {
		fmt.Fprintf(&b, "%s%s %d %s\n", previousLine, p.Origin, p.Size, p.Root)
	}
	for _, line := range c.Other {
		b.WriteString(line + "\n")
	}
	return b.String()
}

// parseCheckpoint reads the text of a checkpoint.
func parseCheckpoint(text string) (*Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[len(lines)-1] != "" {
		return nil, fmt.Errorf("%w: it has fewer than three lines, or the last one does not end", errCheckpoint)
	}
	c := &Checkpoint{Origin: lines[0]}
	var err error
	if c.Size, err = parseSize(lines[1]); err != nil {
		return nil, err
	}
	if c.Root, err = ParseHash(lines[2]); err != nil {
		return nil, fmt.Errorf("%w: %w", errCheckpoint, err)
	}
	if c.Origin == "" {
		return nil, fmt.Errorf("%w: it names no origin", errCheckpoint)
	}
	for _, line := range lines[3 : len(lines)-1] {
		if err := c.extend(line); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *Checkpoint) extend(line string) error {
	if line == "" {
		return fmt.Errorf("%w: it has an empty line", errCheckpoint)
	}
	if rest, ok := strings.CutPrefix(line, timeLine); ok && c.At == 0 {
		at, err := time.Parse(time.RFC3339, rest)
		if err != nil || at.UnixMilli() == 0 || at.UTC().Format(time.RFC3339) != rest {
			return fmt.Errorf("%w: %.60q is no time", errCheckpoint, rest)
		}
		c.At = at.UnixMilli()
		return nil
	}
	if rest, ok := strings.CutPrefix(line, previousLine); ok && c.Before == nil {
		words := strings.Split(rest, " ")
		if len(words) != 3 || words[0] == "" {
			return fmt.Errorf("%w: %.200q names no log", errCheckpoint, rest)
		}
		size, err := parseSize(words[1])
		if err != nil {
			return err
		}
		root, err := ParseHash(words[2])
		if err != nil {
			return fmt.Errorf("%w: %w", errCheckpoint, err)
		}
		c.Before = &Previous{words[0], size, root}
		return nil
	}
	c.Other = append(c.Other, line)
	return nil
}

func parseSize(text string) (uint64, error) {
	size, err := strconv.ParseUint(text, 10, 64)
	if err != nil || size > MaxSize || strconv.FormatUint(size, 10) != text {
		return 0, fmt.Errorf("%w: %.60q is no size", errCheckpoint, text)
	}
	return size, nil
}

// Sign returns the checkpoint as a signed note.
func (c *Checkpoint) Sign(k *Key) ([]byte, error) {
	signed, err := note.Sign(&note.Note{Text: c.text()}, k.signer)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	return signed, nil
}

// OpenCheckpoint reads a signed checkpoint and checks that the key has signed
// it.
func OpenCheckpoint(signed []byte, key *PublicKey) (*Checkpoint, error) {
	if len(signed) > maxCheckpoint {
		return nil, fmt.Errorf("%w: it has %d bytes, more than %d", errCheckpoint, len(signed), maxCheckpoint)
	}
	n, err := note.Open(signed, note.VerifierList(key.verifier))
	if err != nil {
		if unverified, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
			return nil, fmt.Errorf("the checkpoint is not signed by %s: %w", key, unverified)
		}
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	for _, s := range slices.Concat(n.Sigs, n.UnverifiedSigs) { // base64 has bits that say nothing: they must be zero
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil {
			return nil, fmt.Errorf("%w: a signature is not written as it should be", errCheckpoint)
		}
	}
	return parseCheckpoint(n.Text)
}
