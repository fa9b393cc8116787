package proof

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"
)

// Key signs checkpoints (Ed25519). Its private part is never printed.
type Key struct {
	signer note.Signer
	secret string
	public *PublicKey
}

// PublicKey is what others check signatures with.
type PublicKey struct {
	verifier note.Verifier
	text     string
}

var (
	errKey       = errors.New("not a signing key")
	errPublicKey = errors.New("not a public key: it reads NAME+8 hex digits+base64, as simpang keygen prints it")
)

// Name makes a name for a key or a log of a city: "simpang/" and the city's id,
// with "-" for what a name may not have.
func Name(city string) string {
	return "simpang/" + strings.Map(func(r rune) rune {
		if r == '+' || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return '-'
		}
		return r
	}, city)
}

// NewOrigin makes the name of a new log of a city, which no other log has.
func NewOrigin(city string) string { return Name(city) + "/" + strings.ToLower(rand.Text()[:16]) }

// NewKey makes a key of this name.
func NewKey(name string) (*Key, error) {
	secret, _, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return ParseKey([]byte(secret))
}

// ParseKey reads a key as File writes it.
func ParseKey(file []byte) (*Key, error) {
	secret := strings.TrimSpace(string(file))
	signer, err := note.NewSigner(secret)
	parts := strings.Split(secret, "+")
	if err != nil || len(parts) < 5 {
		return nil, errKey
	}
	seed, err := base64.StdEncoding.DecodeString(strings.Join(parts[4:], "+"))
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return nil, errKey
	}
	pair := ed25519.NewKeyFromSeed(seed[1:])
	text, err := note.NewEd25519VerifierKey(signer.Name(), ed25519.PublicKey(pair[ed25519.SeedSize:]))
	if err != nil {
		return nil, errKey
	}
	public, err := ParsePublicKey(text)
	if err != nil {
		return nil, errKey
	}
	return &Key{signer, secret, public}, nil
}

// File is the key as its file has it.
func (k *Key) File() []byte { return []byte(k.secret + "\n") }

// Public is the part that others have.
func (k *Key) Public() *PublicKey { return k.public }

// String is the public part: the key itself is never printed.
func (k *Key) String() string { return k.public.text }

// ParsePublicKey reads a public key as String writes it.
func ParsePublicKey(text string) (*PublicKey, error) {
	text = strings.TrimSpace(text)
	v, err := note.NewVerifier(text)
	if err != nil {
		return nil, errPublicKey
	}
	return &PublicKey{v, text}, nil
}

// Name is the key's name.
func (k *PublicKey) Name() string { return k.verifier.Name() }

// String is the key as others get it.
func (k *PublicKey) String() string { return k.text }
