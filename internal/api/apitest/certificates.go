package apitest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/simpang-id/simpang/internal/certificate"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// Certificates answers with what the test set.
type Certificates struct {
	Day     certificate.State
	Devices []certificate.DeviceDay // by revision
	Places  []certificate.PlaceDay
	Lists   []certificate.CityDay
	Entry   int64
}

// keptOf encodes one of some documents.
func keptOf[T any](docs []T, revision int64) (*certificate.Kept, error) {
	newest := int64(len(docs))
	if revision == 0 {
		revision = newest
	}
	if revision < 1 || revision > newest {
		return nil, &city.Error{Kind: city.KindNotFound, Message: "there is no such certificate"}
	}
	doc, err := json.Marshal(docs[revision-1])
	sum := sha256.Sum256(doc)
	return &certificate.Kept{Bytes: doc, SHA256: hex.EncodeToString(sum[:]), Revision: revision, Newest: newest}, err
}

// State returns Day.
func (c *Certificates) State(string) certificate.State { return c.Day }

// Device returns one of Devices.
func (c *Certificates) Device(_ context.Context, _, _ string, revision int64) (*certificate.Kept, error) {
	return keptOf(c.Devices, revision)
}

// Place returns one of Places.
func (c *Certificates) Place(_ context.Context, _, _ string, revision int64) (*certificate.Kept, error) {
	return keptOf(c.Places, revision)
}

// City returns one of Lists, and Entry.
func (c *Certificates) City(_ context.Context, _ string, revision int64) (*certificate.Kept, int64, error) {
	kept, err := keptOf(c.Lists, revision)
	return kept, c.Entry, err
}

// Draft returns the last of Places as of an open day.
func (c *Certificates) Draft(_ context.Context, _, _ string) (*certificate.Kept, error) {
	kept, err := keptOf(c.Places, 0)
	return open(kept), err
}

// DraftDevice returns the last of Devices as of an open day.
func (c *Certificates) DraftDevice(_ context.Context, _, _ string) (*certificate.Kept, error) {
	kept, err := keptOf(c.Devices, 0)
	return open(kept), err
}

func open(kept *certificate.Kept) *certificate.Kept {
	if kept == nil {
		return nil
	}
	return &certificate.Kept{Bytes: kept.Bytes}
}

// Basis is ByNothing where nothing was to be expected.
func (c *Certificates) Basis(_ *inventory.Device, expected int64) certificate.Basis {
	if expected == 0 {
		return certificate.ByNothing
	}
	return certificate.BySequence
}
