package open311

import (
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of a filing.
const (
	maxMember     = 255 // characters of a name, phone, e-mail, account or device
	maxAddress    = 500
	maxMediaURL   = 2000
	maxAttributes = 60 // of one filing
	maxValues     = 50 // of one attribute
	maxAnswer     = 4000
)

// Filing is what a POST of a request carries, without its key.
type Filing struct {
	ServiceCode  string
	Jurisdiction string
	Located      bool
	Lat, Long    float64
	Address      string // address_string
	AddressID    string
	Description  string
	MediaURL     string
	DeviceID     string
	AccountID    string
	Attributes   []Answer // by code

	// Of the person; never shown to the public.
	Email, Phone, FirstName, LastName string
}

// Values encodes a filing with a key as the standard's form.
func (f *Filing) Values(key string) url.Values {
	v := url.Values{}
	set := func(name, text string) {
		if text != "" {
			v.Set(name, text)
		}
	}
	set("api_key", key)
	set("jurisdiction_id", f.Jurisdiction)
	set("service_code", f.ServiceCode)
	if f.Located {
		v.Set("lat", strconv.FormatFloat(f.Lat, 'f', -1, 64))
		v.Set("long", strconv.FormatFloat(f.Long, 'f', -1, 64))
	}
	set("address_string", f.Address)
	set("address_id", f.AddressID)
	set("description", f.Description)
	set("media_url", f.MediaURL)
	set("device_id", f.DeviceID)
	set("account_id", f.AccountID)
	set("email", f.Email)
	set("phone", f.Phone)
	set("first_name", f.FirstName)
	set("last_name", f.LastName)
	for _, a := range f.Attributes {
		if len(a.Values) == 1 {
			v.Set("attribute["+a.Code+"]", a.Values[0])
			continue
		}
		v["attribute["+a.Code+"][]"] = slices.Clone(a.Values)
	}
	return v
}

// ParseFiling reads the form of a filing. Members that the standard does not
// know are left alone. Every fault is told at once.
func ParseFiling(v url.Values) (*Filing, []Fault) {
	p := formParser{v: v}
	f := &Filing{
		ServiceCode: p.text("service_code", maxMember), Jurisdiction: p.text("jurisdiction_id", maxMember),
		Address: p.text("address_string", maxAddress), AddressID: p.text("address_id", maxMember),
		Description: p.text("description", MaxDescription), MediaURL: p.link("media_url"),
		DeviceID: p.text("device_id", maxMember), AccountID: p.text("account_id", maxMember),
		Email: p.text("email", maxMember), Phone: p.text("phone", maxMember), FirstName: p.text("first_name", maxMember), LastName: p.text("last_name", maxMember),
	}
	if f.ServiceCode == "" {
		p.fault("service_code was not provided")
	}
	lat, hasLat := p.degrees("lat", 90)
	long, hasLong := p.degrees("long", 180)
	switch {
	case hasLat && hasLong:
		f.Located, f.Lat, f.Long = true, lat, long
	case hasLat != hasLong:
		p.fault("lat and long belong together: give both")
	case len(p.faults) == 0 && f.Address == "" && f.AddressID == "":
		p.fault("a location was not provided: give lat and long, address_string or address_id")
	}
	f.Attributes = p.attributes()
	return f, p.faults
}

// ParseUpdate reads the form of a posted update. A time without a zone is of
// zone; none is 0.
func ParseUpdate(v url.Values, zone *time.Location) (*Update, []Fault) {
	p := formParser{v: v}
	u := &Update{
		ID: p.text("update_id", maxMember), RequestID: p.text("service_request_id", maxMember),
		Description: p.text("description", MaxDescription), MediaURL: p.link("media_url"),
	}
	if u.RequestID == "" {
		p.fault("service_request_id was not provided")
	}
	if u.ID == "" {
		p.fault("update_id was not provided")
	}
	word := p.text("status", maxMember)
	var known bool
	if u.Status, known = Status(word); !known {
		p.fault("status must be one of " + strings.ToUpper(strings.Join(Statuses, ", ")))
	}
	if at := p.text("updated_datetime", maxMember); at == "" {
		p.fault("updated_datetime was not provided")
	} else if u.Updated, known = ParseTime(at, zone); !known {
		p.fault("updated_datetime must be a time with zone like 2026-03-02T08:15:00+07:00")
	}
	if u.Description == "" {
		p.fault("description was not provided")
	}
	return u, p.faults
}

// Form encodes an update with a key as the extension's form.
func (u *Update) Form(key string, zone *time.Location) url.Values {
	v := url.Values{
		"api_key": {key}, "update_id": {u.ID}, "service_request_id": {u.RequestID}, "status": {strings.ToUpper(u.Status)},
		"updated_datetime": {FormatTime(u.Updated, zone)}, "description": {u.Description},
	}
	if u.MediaURL != "" {
		v.Set("media_url", u.MediaURL)
	}
	return v
}

type formParser struct {
	v      url.Values
	faults []Fault
}

func (p *formParser) fault(description string) {
	p.faults = append(p.faults, Fault{Code: "400", Description: description})
}

// text returns a member, clean and without space around it.
func (p *formParser) text(name string, most int) string {
	text := strings.TrimSpace(Clean(p.v.Get(name)))
	if utf8.RuneCountInString(text) > most {
		p.fault(fmt.Sprintf("%s is over %d characters", name, most))
		return ""
	}
	return text
}

// link returns an address of the web.
func (p *formParser) link(name string) string {
	text := p.text(name, maxMediaURL)
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		p.fault(name + " must be an address that begins with https://")
		return ""
	}
	return u.String()
}

func (p *formParser) degrees(name string, most float64) (float64, bool) {
	raw := strings.TrimSpace(p.v.Get(name))
	if raw == "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > most {
		p.fault(fmt.Sprintf("%s must be degrees (WGS 84) from %v to %v", name, -most, most))
		return 0, false
	}
	return f, true
}

// attributes reads attribute[CODE] and attribute[CODE][], in the order of
// their codes.
func (p *formParser) attributes() []Answer {
	byCode := map[string][]string{}
	for name, values := range p.v {
		rest, found := strings.CutPrefix(name, "attribute[")
		if !found {
			continue
		}
		code, ok := strings.CutSuffix(strings.TrimSuffix(rest, "[]"), "]")
		if !ok || code == "" || utf8.RuneCountInString(code) > maxMember || Clean(code) != code {
			p.fault("an attribute is sent as attribute[CODE]=value, or attribute[CODE][]=value once for each value")
			continue
		}
		for _, value := range values {
			if value = strings.TrimSpace(Clean(value)); value != "" {
				byCode[code] = append(byCode[code], value)
			}
			if utf8.RuneCountInString(value) > maxAnswer {
				p.fault(fmt.Sprintf("attribute[%s] is over %d characters", code, maxAnswer))
			}
		}
		if len(byCode[code]) > maxValues {
			p.fault(fmt.Sprintf("attribute[%s] has over %d values", code, maxValues))
		}
	}
	if len(byCode) > maxAttributes {
		p.fault(fmt.Sprintf("there are over %d attributes", maxAttributes))
		return nil
	}
	var out []Answer
	for _, code := range slices.Sorted(maps.Keys(byCode)) {
		out = append(out, Answer{Code: code, Values: byCode[code]})
	}
	return out
}
