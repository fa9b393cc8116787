package app

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/proof"
)

// KeyError is a public key that cannot be used: wrong usage.
type KeyError struct{ err error }

// Error says what is wrong with it.
func (e *KeyError) Error() string { return "-key: " + e.err.Error() }

// Unwrap returns the cause.
func (e *KeyError) Unwrap() error { return e.err }

// VerifyBundle checks an exported bundle by a public key, or the file that has
// it, alone: nothing else is read. say is told what was found whole; the error
// names the first entry that is not. A key that is none is a *KeyError.
func VerifyBundle(file, key string, say func(format string, args ...any)) error {
	public, err := publicKey(key)
	if err != nil {
		return &KeyError{err}
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if info.Size() > proof.MaxBundle {
		return fmt.Errorf("%s has %d bytes, more than a bundle of ours (%d)", file, info.Size(), proof.MaxBundle)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	b, err := proof.ParseBundle(data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	c, err := b.Check(public)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for i := range b.Entries {
		e := &b.Entries[i]
		// Of kinds that this program does not know only the proof is checked.
		if known, err := ledger.DecodeEntry(e.Data); err == nil && known.N != e.Leaf+1 {
			return fmt.Errorf("%s: entry %d says that it is number %d", file, e.Leaf+1, known.N)
		}
	}
	at := "at a time that it does not tell"
	if c.At != 0 {
		at = time.UnixMilli(c.At).UTC().Format(time.RFC3339)
	}
	say("bundle: %d entries are in the log %s of %d entries, root %s, signed by %s, %s", len(b.Entries), c.Origin, c.Size, c.Root, public.Name(), at)
	if p := c.Before; p != nil {
		say("the log goes on from %s of %d entries, root %s", p.Origin, p.Size, p.Root)
	}
	return nil
}

// publicKey reads a public key, or the file that has it.
func publicKey(key string) (*proof.PublicKey, error) {
	public, err := proof.ParsePublicKey(key)
	if err == nil {
		return public, nil
	}
	text, readErr := os.ReadFile(key)
	switch {
	case readErr == nil:
		return proof.ParsePublicKey(string(text))
	case strings.Count(key, "+") >= 2:
		return nil, err
	case os.IsNotExist(readErr):
		return nil, fmt.Errorf("%w, and there is no file of that name: %w", err, fs.ErrNotExist)
	}
	return nil, readErr
}
