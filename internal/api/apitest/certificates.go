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

// init sets a closed day: a device of two revisions, its place, and the list.
func (c *Certificates) init() {
	boot := uint64(3)
	head := func(revision int64) certificate.Head {
		return certificate.Head{Format: certificate.Format, City: "bekasi", Date: "2026-02-20", Revision: revision, Position: 900, AsOf: "2026-03-01T00:00:00+07:00", Inventory: "ab12"}
	}
	counts := certificate.Counts{Expected: new(int64(10)), Received: 7, Duplicate: 1, Late: 2, Quarantined: 1, Missing: new(int64(2))}
	for revision := range int64(2) {
		c.Devices = append(c.Devices, certificate.DeviceDay{
			Head: head(revision + 1), Device: "spot-1", Kind: "spot", Site: "s-alun", IntervalS: new(int64(300)), Basis: certificate.BySequence, Counts: counts, ByInterval: new(int64(288)),
			GapCount: 1, Gaps: []certificate.Missed{{Boot: &boot, FromSeq: 5, ToSeq: 1<<64 - 1}},
		})
	}
	c.Day = certificate.State{Known: true, Closed: true, ClosesAt: Noon.UnixMilli()}
	totals := certificate.Totals{Counts: counts, Devices: 1}
	c.Places = []certificate.PlaceDay{{
		Head: head(1), Site: "s-alun", Totals: totals,
		List: []certificate.PlaceDevice{{Device: "=spot-1", Part: certificate.Part{Revision: 2, SHA256: "cd"}, Basis: certificate.ByNothing}},
	}}
	c.Lists = []certificate.CityDay{{Head: head(1), Totals: totals, List: []certificate.CityPlace{{Site: "s-alun", Part: certificate.Part{Revision: 1, SHA256: "ef"}, Totals: totals}}}}
	c.Entry = 42
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
