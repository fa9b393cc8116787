package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/simpang-id/simpang/internal/certificate"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// Certificates tells what of a day came from devices and places. Dates are
// YYYY-MM-DD; revision 0 is the newest; KindNotFound: there is none.
type Certificates interface {
	State(date string) certificate.State
	Device(ctx context.Context, id, date string, revision int64) (*certificate.Kept, error)
	Place(ctx context.Context, key, date string, revision int64) (*certificate.Kept, error)
	// City also returns the entry of the books that has its hash, 0 none yet,
	// else certificate.OtherHash or HashRefused.
	City(ctx context.Context, date string, revision int64) (kept *certificate.Kept, entry int64, err error)
	// Draft and DraftDevice are of an open day, as known now.
	Draft(ctx context.Context, key, date string) (*certificate.Kept, error)
	DraftDevice(ctx context.Context, id, date string) (*certificate.Kept, error)
	// Basis is what tells how many readings were to be expected.
	Basis(d *inventory.Device, expected int64) certificate.Basis
}

// Certified is a certificate of completeness and where it stands.
type Certified[T any] struct {
	State       string     `json:"state" enum:"open,closed" doc:"open: as known now, it will change"`
	ClosesAt    string     `json:"closes_at" format:"date-time" doc:"when the day is, or was, closed: no late reading is taken any more"`
	Revision    int64      `json:"revision" doc:"0: the day is open"`
	Newest      int64      `json:"newest_revision"`
	SHA256      TextOrNull `json:"sha256" doc:"of the bytes of certificate as they stand in this answer, hex"`
	Entry       *int64     `json:"entry" doc:"of the list of a day: number of the entry of the books that holds the hash; null: hash_booked is not yes, or no list"`
	HashBooked  TextOrNull `json:"hash_booked" enum:"yes,no,other,refused" doc:"of the list of a closed day: whether the books hold this hash; no: not yet; other: they hold another one of this day and revision, and refused: none, so that no entry proves this list"`
	Certificate T          `json:"certificate"`
}

// certified is a certificate on its way to the client.
type certified struct {
	kept  *certificate.Kept
	state certificate.State
	entry int64
	date  string

	booked string // of a list, as Certified.HashBooked
}

// certificateDay is the day that is asked about, default today.
func (s *Server) certificateDay(q *request) (date string, state certificate.State, err error) {
	date = s.day(q.now.UnixMilli())
	if q.given("date") {
		date = q.text("date")
	}
	state = s.Certificates.State(date)
	if !state.Known {
		return date, state, notFound("no certificates are kept of that day: it lies before the first, or nothing was taken yet")
	}
	if date > s.day(q.now.UnixMilli()) {
		return date, state, notFound("that day has not begun")
	}
	return date, state, nil
}

// certify finds a certificate: what is kept of a closed day, else what is known
// now.
func (s *Server) certify(q *request, kept func(date string, revision int64) (*certificate.Kept, error), draft func(date string) (*certificate.Kept, error)) (*certified, error) {
	date, state, err := s.certificateDay(q)
	if err != nil {
		return nil, err
	}
	c := &certified{state: state, date: date}
	revision := q.args.get("revision").whole
	if !state.Closed && revision > 0 {
		return nil, notFound("the day is not closed yet: it has no revisions")
	}
	if state.Closed {
		c.kept, err = kept(date, revision)
	} else {
		c.kept, err = draft(date)
	}
	return c, err
}

// deviceCertificate serves /v1/devices/{id}/certificate.
func (s *Server) deviceCertificate(w http.ResponseWriter, q *request) error {
	id := q.text("id")
	c, err := s.certify(q,
		func(date string, revision int64) (*certificate.Kept, error) {
			return s.Certificates.Device(q.Context(), id, date, revision)
		},
		func(date string) (*certificate.Kept, error) { return s.Certificates.DraftDevice(q.Context(), id, date) })
	if err != nil {
		return err
	}
	return writeCertified(s, w, q, c, deviceTable, s.deviceForm)
}

// siteCertificate serves /v1/parking/sites/{id}/completeness.
func (s *Server) siteCertificate(w http.ResponseWriter, q *request) error {
	return s.placeCertificate(w, q, certificate.SiteKey(q.text("id")), s.board.Load().version.Site(q.text("id")) != nil)
}

// segmentCertificate serves /v1/traffic/segments/{id}/completeness.
func (s *Server) segmentCertificate(w http.ResponseWriter, q *request) error {
	return s.placeCertificate(w, q, certificate.SegmentKey(q.text("id")), s.board.Load().version.Segment(q.text("id")) != nil)
}

func (s *Server) placeCertificate(w http.ResponseWriter, q *request, key string, known bool) error {
	c, err := s.certify(q,
		func(date string, revision int64) (*certificate.Kept, error) {
			return s.Certificates.Place(q.Context(), key, date, revision)
		},
		func(date string) (*certificate.Kept, error) {
			if !known {
				return nil, notFound("there is no such place")
			}
			return s.Certificates.Draft(q.Context(), key, date)
		})
	if err != nil {
		return err
	}
	return writeCertified(s, w, q, c, placeTable, s.placeForm)
}

// cityCertificate serves /v1/completeness.
func (s *Server) cityCertificate(w http.ResponseWriter, q *request) error {
	var entry int64
	c, err := s.certify(q,
		func(date string, revision int64) (kept *certificate.Kept, err error) {
			kept, entry, err = s.Certificates.City(q.Context(), date, revision)
			return kept, err
		},
		func(date string) (*certificate.Kept, error) {
			return nil, notFound("the list is made when the day is closed, at " + string(s.at(s.Certificates.State(date).ClosesAt)) + "; until then ask for a site or a device")
		})
	if err != nil {
		return err
	}
	c.entry, c.booked = entry, hashBooked(entry)
	return writeCertified(s, w, q, c, cityTable, s.cityForm)
}

func hashBooked(entry int64) string {
	switch {
	case entry > 0:
		return "yes"
	case entry == certificate.OtherHash:
		return "other"
	case entry == certificate.HashRefused:
		return "refused"
	default:
		return "no"
	}
}

// writeCertified answers with a certificate: its bytes as they are kept, or what
// is made of them.
func writeCertified[T any](s *Server, w http.ResponseWriter, q *request, c *certified, asTable func(*T, *certified) *table, asForm func(*T, *certified) *formPage) error {
	if q.format() == "json" {
		answer := Certified[json.RawMessage]{
			State: "open", ClosesAt: string(s.at(c.state.ClosesAt)), Revision: c.kept.Revision, Newest: c.kept.Newest, SHA256: TextOrNull(c.kept.SHA256), Certificate: c.kept.Bytes,
		}
		if c.state.Closed {
			answer.State = "closed"
		}
		if c.entry > 0 {
			answer.Entry = &c.entry
		}
		answer.HashBooked = TextOrNull(c.booked)
		writeJSON(w, q, http.StatusOK, answer)
		return nil
	}
	x := new(T)
	if err := json.Unmarshal(c.kept.Bytes, x); err != nil {
		return err
	}
	if q.format() == "html" {
		page := asForm(x, c)
		page.About.City, page.About.Updated = s.Reporting.City, q.now.In(s.zone)
		return s.writeForm(w, page.Form, page.name)
	}
	return s.writeTable(w, q, asTable(x, c), notStored, "")
}

// forgottenMs is how old a day is of which devices' numbers may be forgotten, so
// that its certificate answers for it.
const forgottenMs = 365 * 24 * int64(time.Hour/time.Millisecond)

// certifiedDay returns a device's day out of its certificate where the numbers
// themselves may be forgotten; nil where they are not, or there is none.
func (s *Server) certifiedDay(q *request, id, date string) (*certificate.DeviceDay, error) {
	state := s.Certificates.State(date)
	if !state.Closed || q.now.UnixMilli()-state.ClosesAt < forgottenMs {
		return nil, nil
	}
	kept, err := s.Certificates.Device(q.Context(), id, date, 0)
	if city.KindOf(err) == city.KindNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d := new(certificate.DeviceDay)
	return d, json.Unmarshal(kept.Bytes, d)
}
