package api

import (
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/open311"
	"github.com/simpang-id/simpang/internal/token"
)

const (
	maxForm  = 256 << 10 // bytes of the texts of a form
	maxParts = 200       // of a multipart form
)

// form311 reads the form of a POST into q.PostForm, and returns its files.
func form311(q *request) (photos [][]byte, err error) {
	media, params, err := mime.ParseMediaType(q.Header.Get("Content-Type"))
	switch {
	case err == nil && media == "multipart/form-data":
		q.PostForm = url.Values{}
		return multipart311(multipart.NewReader(q.Body, params["boundary"]), q.PostForm)
	case q.Header.Get("Content-Type") == "" || media == "application/x-www-form-urlencoded":
		body, err := io.ReadAll(io.LimitReader(q.Body, maxForm+1))
		if err != nil {
			return nil, err
		}
		if len(body) > maxForm {
			return nil, &http.MaxBytesError{Limit: maxForm}
		}
		if q.PostForm, err = url.ParseQuery(string(body)); err != nil {
			return nil, fault(http.StatusBadRequest, "the form cannot be read: "+err.Error())
		}
		return nil, nil
	}
	return nil, fault(http.StatusBadRequest, "send a form: application/x-www-form-urlencoded, or multipart/form-data with photos")
}

func multipart311(r *multipart.Reader, into url.Values) (photos [][]byte, err error) {
	room := maxForm
	for range maxParts {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return photos, nil
		}
		if err != nil {
			return nil, badForm(err)
		}
		most := room
		if part.FileName() != "" {
			most = maxPhoto
		}
		data, err := io.ReadAll(io.LimitReader(part, int64(most)+1))
		switch {
		case err != nil:
			return nil, badForm(err)
		case len(data) > most && part.FileName() != "":
			return nil, fault(http.StatusBadRequest, errPhotoSize.Error())
		case len(data) > most:
			return nil, &http.MaxBytesError{Limit: maxForm}
		case part.FileName() == "":
			room -= len(data)
			into.Add(part.FormName(), string(data))
		case len(data) > 0:
			photos = append(photos, data)
		}
		if len(photos) > maxPhotos {
			return nil, fault(http.StatusBadRequest, fmt.Sprintf("send at most %d photos", maxPhotos))
		}
	}
	return nil, fault(http.StatusBadRequest, fmt.Sprintf("the form has over %d parts", maxParts))
}

func badForm(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return fault(http.StatusBadRequest, "the form cannot be read: "+err.Error())
}

// file311 serves POST /open311/v2/requests.
func (s *Server) file311(w http.ResponseWriter, q *request) error {
	pictures, err := form311(q)
	if err != nil {
		return err
	}
	v := values311(q)
	version, err := s.open311Of(v)
	if err != nil {
		return err
	}
	key, err := s.keyOf311(q, v)
	if err != nil {
		return err
	}
	filing, faults := open311.ParseFiling(v)
	if filing.ServiceCode != "" {
		one := version.Service(filing.ServiceCode)
		if one == nil || !offered(one) {
			return fault(http.StatusNotFound, "service_code "+cut(filing.ServiceCode)+" was not found: /open311/v2/services lists them")
		}
		filing.Attributes = slices.DeleteFunc(filing.Attributes, func(a open311.Answer) bool {
			return !slices.ContainsFunc(one.Attributes, func(d inventory.ServiceAttribute) bool { return d.Code == a.Code })
		})
		faults = append(faults, definitionOf(one).Check(filing.Attributes, s.zone)...)
	}
	if filing.Located && !within(version, filing.Lat, filing.Long) {
		faults = append(faults, open311.Fault{Description: "lat and long lie outside this city"})
	}
	if len(faults) > 0 {
		return faultsOf(faults)
	}
	if err := s.mayFile(q, key); err != nil {
		return err
	}
	n := complaint.New{
		Source: complaint.SourceCitizen, Service: filing.ServiceCode, Lat: filing.Lat, Long: filing.Long, Located: filing.Located,
		Address: filing.Address, Description: filing.Description, MediaURL: filing.MediaURL,
		Private: complaint.Private{
			FirstName: filing.FirstName, LastName: filing.LastName, Phone: filing.Phone, Email: filing.Email, Device: filing.DeviceID, Account: filing.AccountID,
		},
	}
	switch {
	case version.Site(filing.AddressID) != nil:
		n.Subjects.Sites = []string{filing.AddressID}
	case n.Address == "":
		n.Address = filing.AddressID
	}
	for _, a := range filing.Attributes {
		n.Attributes = append(n.Attributes, complaint.Attribute{Code: a.Code, Values: a.Values})
	}
	if n.Photos, err = s.keepPhotos(q, pictures); err != nil {
		return err
	}
	c, err := s.Open311.Reports.Receive(q.Context(), q.now.UnixMilli(), n)
	if err != nil {
		return err
	}
	made := open311.Created{ID: c.ID, Notice: s.notice311(q, &c), Account: filing.AccountID}
	return s.write311(w, q, func(wr open311.Writer) ([]byte, error) { return wr.Created(made) })
}

// mayFile bounds what one address files with a key that citizens share.
func (s *Server) mayFile(q *request, key *token.Token) error {
	if key.Role != token.Reporter || s.filings == nil {
		return nil
	}
	if s.filings.OnLimit(throwaway{}, q.Request, key.ID+" "+s.address(q.Request)) {
		p := fault(http.StatusTooManyRequests, "too many reports from your address; wait a while")
		p.retryAfter = 60
		return p
	}
	return nil
}

// throwaway takes the headers of a limiter that nobody sees.
type throwaway struct{}

func (throwaway) Header() http.Header         { return http.Header{} }
func (throwaway) Write(b []byte) (int, error) { return len(b), nil }
func (throwaway) WriteHeader(int)             {}

func (s *Server) keepPhotos(q *request, pictures [][]byte) (ids []string, err error) {
	for _, data := range pictures {
		clean, media, err := s.takePhoto(q.Context(), data)
		switch {
		case errors.Is(err, errPhoto), errors.Is(err, errPhotoSize), errors.Is(err, errPhotoType):
			return nil, fault(http.StatusBadRequest, err.Error())
		case err != nil:
			return nil, err
		}
		id, err := s.Open311.Reports.PutPhoto(q.Context(), q.now.UnixMilli(), media, clean)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// notice311 tells what comes next, and names open reports of the same kind and
// place.
func (s *Server) notice311(q *request, c *complaint.Complaint) string {
	text := "Laporan diterima."
	if c.VerifyDue != 0 {
		text += " Diverifikasi paling lambat " + time.UnixMilli(c.VerifyDue-1).In(s.zone).Format(time.DateOnly) + "." // the last day of it
	}
	near, err := s.Open311.Reports.Near(q.Context(), c)
	if err != nil {
		s.log.Warn("similar reports could not be looked for", "error", err.Error())
		return text
	}
	var ids []string
	for i := range near {
		if o := &near[i]; o.ID != c.ID && o.Public && !o.Money {
			ids = append(ids, o.ID)
		}
	}
	if len(ids) > 0 {
		text += " Laporan serupa di dekat sini: " + strings.Join(ids, ", ") + "."
	}
	return text
}

// cityMargin is how far from what the inventory names the city may reach,
// degrees: about 17 km.
const cityMargin = 0.15

// within tells whether a place may lie in the city: near what the inventory
// names. A city without any place has no bounds.
func within(v *inventory.Version, lat, long float64) bool {
	south, north, west, east := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	grow := func(lat, lon float64) {
		south, north, west, east = min(south, lat), max(north, lat), min(west, lon), max(east, lon)
	}
	for _, one := range v.Sites {
		grow(one.Location.Lat, one.Location.Lon)
	}
	if len(v.Sites) == 0 {
		return true
	}
	return lat >= south-cityMargin && lat <= north+cityMargin && long >= west-cityMargin && long <= east+cityMargin
}

// photo311 serves GET /open311/v2/photos/{id}.
func (s *Server) photo311(w http.ResponseWriter, q *request) error {
	if s.Open311.Reports == nil {
		return &city.Error{Kind: city.KindUnavailable, Message: "complaints are not served yet; try again shortly"}
	}
	p, err := s.Open311.Reports.Photo(q.Context(), q.text("id"))
	if err != nil {
		return err
	}
	if p.Complaint == "" {
		return fault(http.StatusNotFound, "there is no such photo")
	}
	w.Header().Set("Content-Disposition", "inline")
	writePublic(w, q, []string{p.Type}, p.Data)
	return nil
}
