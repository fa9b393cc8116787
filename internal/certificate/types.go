package certificate

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Format is the first member of every document. Another one means other members.
const Format = "simpang-completeness/1"

// Basis is what tells how many readings were to be expected.
type Basis string

// The bases.
const (
	BySequence Basis = "sequence"      // the device numbers its readings
	ByFrames   Basis = "frame_counter" // LoRaWAN: the network tells the frame counter
	ByGateway  Basis = "gateway"       // the gateway numbers them: what it did not hear is not known
	ByNothing  Basis = "none"          // nothing that is numbered came: what is missing is not known
)

// Counts is what of a day is there. Expected and Missing are unknown (null)
// where nothing that is numbered came.
type Counts struct {
	Expected    *int64 `json:"expected"`
	Received    int64  `json:"received"`
	Duplicate   int64  `json:"duplicate"`
	Late        int64  `json:"late" doc:"received over two intervals after at"`
	Quarantined int64  `json:"quarantined"`
	Missing     *int64 `json:"missing" doc:"expected - received - quarantined"`
}

// Missed is sequence numbers that never came, both inclusive.
type Missed struct {
	Boot    *uint64 `json:"boot"`
	FromSeq uint64  `json:"from_seq"`
	ToSeq   uint64  `json:"to_seq"`
}

// Head is what every document begins with.
type Head struct {
	Format    string `json:"format"`
	City      string `json:"city"`
	Date      string `json:"date" format:"date" doc:"day in the city's zone"`
	Revision  int64  `json:"revision" doc:"from 1 on; 0: the day is open, and this is as known now"`
	Position  uint64 `json:"position" doc:"of the journal, as of which it is"`
	AsOf      string `json:"as_of" format:"date-time" doc:"our clock at that position"`
	Inventory string `json:"inventory" doc:"hash of the version that held at the day's end, hex"`
	Before    string `json:"before,omitempty" doc:"SHA-256 of the revision before, hex"`
}

// DeviceDay is the certificate of a device's day.
type DeviceDay struct {
	Head

	Device    string `json:"device"`
	Kind      string `json:"kind"`
	Site      string `json:"site,omitempty"`
	Segment   string `json:"segment,omitempty"`
	IntervalS *int64 `json:"interval_s"`
	Basis     Basis  `json:"basis" enum:"sequence,frame_counter,gateway,none" doc:"what tells how many were to be expected"`
	Counts

	ByInterval *int64   `json:"by_interval" doc:"readings that its interval makes of a day; null: it has none"`
	OlderRuns  int64    `json:"older_runs,omitempty" doc:"runs that are in the counts and of which no gap is told, for there were too many"`
	GapCount   int64    `json:"gap_count"`
	Gaps       []Missed `json:"gaps" doc:"the first 1,000"`
}

// Part is a document that another one names by its hash.
type Part struct {
	Revision int64  `json:"revision"`
	SHA256   string `json:"sha256"`
}

// PlaceDevice is a device in the certificate of its place.
type PlaceDevice struct {
	Device string `json:"device"`
	Part

	Basis Basis `json:"basis"`
	Counts

	GapCount int64 `json:"gap_count"`
}

// Totals are sums over devices. Expected and Missing are sums of what is known,
// Unknown says of how many devices they are not.
type Totals struct {
	Counts

	Devices int64 `json:"devices"`
	Unknown int64 `json:"unknown" doc:"devices of which nothing that is numbered came"`
}

// PlaceDay is the certificate of a site's or segment's day.
type PlaceDay struct {
	Head

	Site    string `json:"site,omitempty"`
	Segment string `json:"segment,omitempty"`
	Totals

	List []PlaceDevice `json:"list"`
}

// CityPlace is a place in the list of a day.
type CityPlace struct {
	Site    string `json:"site,omitempty"`
	Segment string `json:"segment,omitempty"`
	Part
	Totals
}

// CityDay is the list of a day's certificates.
type CityDay struct {
	Head
	Totals

	List []CityPlace `json:"list"`
}

// Kept is a document as it is kept.
type Kept struct {
	Bytes    []byte // canonical JSON, of which SHA256 is the hash
	SHA256   string // hex
	Revision int64
	Newest   int64 // revision that is there
}

func hashOf(doc []byte) string {
	sum := sha256.Sum256(doc)
	return hex.EncodeToString(sum[:])
}

// add takes a device's counts into the sums.
func (t *Totals) add(c *Counts) {
	t.Devices++
	t.sum(c)
	if c.Expected == nil {
		t.Unknown++
	}
}

// join takes the sums of a part in.
func (t *Totals) join(o *Totals) {
	t.sum(&o.Counts)
	t.Devices += o.Devices
	t.Unknown += o.Unknown
}

func (t *Totals) sum(c *Counts) {
	t.Received += c.Received
	t.Duplicate += c.Duplicate
	t.Late += c.Late
	t.Quarantined += c.Quarantined
	t.Expected, t.Missing = plus(t.Expected, c.Expected), plus(t.Missing, c.Missing)
}

// plus adds what is known, without going past the largest number: a boot may
// begin anywhere.
func plus(a, b *int64) *int64 {
	switch {
	case b == nil:
		return a
	case a == nil:
		a = new(int64)
	}
	s := *a + *b
	if s < *a {
		s = math.MaxInt64
	}
	return &s
}

// pack deflates documents, a line each.
func pack(docs [][]byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		return nil, err
	}
	for _, doc := range docs {
		if _, err := w.Write(append(slices.Clip(doc), '\n')); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// mostPacked bounds what a row may inflate to, bytes.
const mostPacked = 1 << 30

func unpack(data []byte) ([][]byte, error) {
	all, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), mostPacked))
	if err != nil {
		return nil, fmt.Errorf("a kept certificate cannot be read: %w", err)
	}
	if len(all) == 0 || all[len(all)-1] != '\n' {
		return nil, errors.New("a kept certificate has no end")
	}
	return bytes.Split(all[:len(all)-1], []byte("\n")), nil
}

func decode[T any](doc []byte) (*T, error) {
	x := new(T)
	if err := json.Unmarshal(doc, x); err != nil {
		return nil, fmt.Errorf("a kept certificate cannot be read: %w", err)
	}
	return x, nil
}
