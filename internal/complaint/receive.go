package complaint

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// Bounds of what is received, in characters.
const (
	TextMost    = 4000
	addressMost = 500
	nameMost    = 200
	urlMost     = 2000
	photosMost  = 5
	answersMost = 50
)

// Receive takes a report of a citizen, or one of the city's system, which is
// taken once. An error of KindNotFound: there is no such service, of KindInvalid
// with its fields: what is wrong with it.
func (r *Register) Receive(ctx context.Context, now int64, n New) (Complaint, error) {
	var c Complaint
	err := r.change(ctx, now, func(x *change) error {
		if n.Source == SourceCity {
			known, err := x.byTheirs(n.Theirs)
			if err != nil || known != nil {
				if known != nil {
					c = known.Complaint
				}
				return err
			}
		}
		s := x.v.Service(n.Service)
		if s == nil || !s.Public && n.Source == SourceCitizen {
			return &city.Error{Kind: city.KindNotFound, Message: fmt.Sprintf("there is no service %q", n.Service)}
		}
		if faults := n.check(s, x.v); len(faults) > 0 {
			return &city.Error{Kind: city.KindInvalid, Message: faults[0].Field + ": " + faults[0].Detail, Fields: faults}
		}
		rec, err := x.received(&n, s)
		if err != nil {
			return err
		}
		c = rec.Complaint
		return nil
	})
	return c, err
}

func (x *change) received(n *New, s *inventory.Service) (*record, error) {
	rec := &record{Complaint: Complaint{
		Source: n.Source, Service: s.Code, Subjects: n.Subjects, Kecamatan: n.Kecamatan, Lat: n.Lat, Long: n.Long, Located: n.Located,
		Address: n.Address, Description: n.Description, Attributes: n.Attributes, MediaURL: n.MediaURL, Private: n.Private,
		Money: s.Confidential, Public: s.Public, Theirs: n.Theirs,
	}}
	site := x.place(&rec.Complaint)
	rec.Agency = s.AgencyAt(site, rec.Kecamatan)
	if n.Source == SourceCity && n.Agency != "" {
		rec.Agency = n.Agency
	}
	if err := x.number(rec); err != nil {
		return nil, err
	}
	rec.receive(x.now, rulesOf(x.v, s.Code))
	if n.Source == SourceCity {
		rec.Delivery = DeliverySent
	}
	for _, id := range n.Photos {
		if err := x.takePhoto(rec, id); err != nil {
			return nil, err
		}
	}
	by := string(n.Source)
	if _, err := x.tell(rec, Update{What: "received", By: by}); err != nil {
		return nil, err
	}
	return rec, x.put(rec)
}

// nearM is how far a report may lie from a site that it is about, m.
const nearM = 75

// place finds the site that a complaint is about where it names none, and its
// kecamatan.
func (x *change) place(c *Complaint) *inventory.Site {
	var site *inventory.Site
	switch {
	case len(c.Subjects.Sites) == 1:
		site = x.v.Site(c.Subjects.Sites[0])
	case len(c.Subjects.Sites) == 0 && len(c.Subjects.Segments) == 0 && c.Located:
		best := float64(nearM)
		for _, s := range x.v.Sites {
			if m := metres(s.Location.Lat, s.Location.Lon, c.Lat, c.Long); m <= best {
				best, site = m, s
			}
		}
		if site != nil {
			c.Subjects.Sites = []string{site.ID}
		}
	}
	if site != nil && c.Kecamatan == "" {
		c.Kecamatan = site.Kecamatan
	}
	if site != nil && c.Address == "" {
		c.Address = site.Address
	}
	if site != nil && !c.Located {
		c.Lat, c.Long, c.Located = site.Location.Lat, site.Location.Lon, true
	}
	return site
}

// metres is the distance of two positions that are not far from each other.
func metres(lat1, long1, lat2, long2 float64) float64 {
	const perDegree = 111_195
	x := (long2 - long1) * math.Cos((lat1+lat2)/2*math.Pi/180)
	return math.Hypot(x, lat2-lat1) * perDegree
}

// byTheirs returns the complaint of an id of the city's system, nil where there
// is none.
func (x *change) byTheirs(theirs string) (*record, error) { return byTheirs(x.ctx, x.tx, theirs) }

func byTheirs(ctx context.Context, q rower, theirs string) (*record, error) {
	if theirs == "" {
		return nil, nil
	}
	r, err := scanRecord(q.QueryRowContext(ctx, "SELECT "+columns+" FROM complaint WHERE theirs = ?", theirs))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return r, err
}

// check tells every fault of what is to be received.
func (n *New) check(s *inventory.Service, v *inventory.Version) (faults []city.FieldError) {
	wrong := func(field, format string, args ...any) {
		faults = append(faults, city.FieldError{Field: field, Detail: fmt.Sprintf(format, args...)})
	}
	long := func(field, text string, most int) {
		if utf8.RuneCountInString(text) > most || !utf8.ValidString(text) {
			wrong(field, "must be text of %d characters at most", most)
		}
	}
	if !slices.Contains(Sources, n.Source) {
		wrong("source", "must be one of citizen, anomaly and city")
	}
	if n.Source == SourceCity && n.Theirs == "" {
		wrong("service_request_id", "is required of what comes from the city's system")
	}
	long("description", n.Description, TextMost)
	long("address_string", n.Address, addressMost)
	long("media_url", n.MediaURL, urlMost)
	for field, text := range map[string]string{
		"first_name": n.Private.FirstName, "last_name": n.Private.LastName, "phone": n.Private.Phone, "email": n.Private.Email,
		"device_id": n.Private.Device, "account_id": n.Private.Account,
	} {
		long(field, text, nameMost)
	}
	if n.Located && !(n.Lat >= -90 && n.Lat <= 90 && n.Long >= -180 && n.Long <= 180) {
		wrong("lat", "lat and long must be degrees, WGS 84")
	}
	if !n.Located && n.Address == "" && len(n.Subjects.Sites) == 0 && n.Source == SourceCitizen {
		wrong("lat", "give lat and long, or address_string")
	}
	for _, id := range n.Subjects.Sites {
		if v.Site(id) == nil {
			wrong("address_id", "there is no site %q", id)
		}
	}
	if len(n.Photos) > photosMost {
		wrong("media", "%d photos at most", photosMost)
	}
	if n.Source == SourceCitizen {
		n.checkAttributes(s, wrong)
	}
	return faults
}

func (n *New) checkAttributes(s *inventory.Service, wrong func(field, format string, args ...any)) {
	given := map[string][]string{}
	for _, a := range n.Attributes {
		given[a.Code] = a.Values
	}
	for i := range s.Attributes {
		a := &s.Attributes[i]
		field := "attribute[" + a.Code + "]"
		values := slices.DeleteFunc(slices.Clone(given[a.Code]), func(v string) bool { return v == "" })
		delete(given, a.Code)
		if len(values) == 0 {
			if a.Required {
				wrong(field, "is required")
			}
			continue
		}
		if len(values) > answersMost || len(values) > 1 && a.Datatype != "multivaluelist" {
			wrong(field, "has too many answers")
			continue
		}
		for _, value := range values {
			if fault := answerFault(a, value); fault != "" {
				wrong(field, "%s", fault)
			}
		}
	}
	for code := range given {
		wrong("attribute["+code+"]", "is no attribute of service %s", s.Code)
	}
}

func answerFault(a *inventory.ServiceAttribute, value string) string {
	switch {
	case utf8.RuneCountInString(value) > TextMost || !utf8.ValidString(value):
		return "must be text of " + strconv.Itoa(TextMost) + " characters at most"
	case a.List() && !slices.ContainsFunc(a.Values, func(v inventory.ServiceValue) bool { return v.Key == value }):
		return fmt.Sprintf("%q is none of its values", value)
	case a.Datatype == "number":
		if f, err := strconv.ParseFloat(value, 64); err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return "must be a number"
		}
	case a.Datatype == "datetime":
		if _, err := time.Parse(time.RFC3339, value); err != nil {
			return "must be a time like 2026-03-02T08:00:00+07:00"
		}
	}
	return ""
}
