package open311

import (
	"encoding/xml"
	"strings"
)

// The members as they are written. Texts are always there, "" where nothing is
// known; numbers, times and addresses of media are left out then: so an answer
// fits the JSON schemas with and without nulls.

type serviceOut struct {
	Code        string `json:"service_code" xml:"service_code"`
	Name        string `json:"service_name" xml:"service_name"`
	Description string `json:"description" xml:"description"`
	Metadata    bool   `json:"metadata" xml:"metadata"`
	Type        string `json:"type" xml:"type"`
	Keywords    string `json:"keywords" xml:"keywords"`
	Group       string `json:"group" xml:"group"`
}

type servicesXML struct {
	XMLName xml.Name     `xml:"services"`
	Items   []serviceOut `xml:"service"`
}

func serviceOf(s *Service) serviceOut {
	return serviceOut{
		Code: Clean(s.Code), Name: Clean(s.Name), Description: Clean(s.Description), Metadata: s.Metadata, Type: s.Type,
		Keywords: Clean(strings.Join(s.Keywords, ",")), Group: Clean(s.Group),
	}
}

type definitionOut struct {
	XMLName    xml.Name       `json:"-" xml:"service_definition"`
	Code       string         `json:"service_code" xml:"service_code"`
	Attributes []attributeOut `json:"attributes" xml:"attributes>attribute"`
}

type attributeOut struct {
	Variable     bool       `json:"variable" xml:"variable"`
	Code         string     `json:"code" xml:"code"`
	Datatype     string     `json:"datatype" xml:"datatype"`
	Required     bool       `json:"required" xml:"required"`
	DatatypeHelp string     `json:"datatype_description" xml:"datatype_description"`
	Order        int        `json:"order" xml:"order"`
	Description  string     `json:"description" xml:"description"`
	Values       []valueOut `json:"values,omitempty" xml:"values>value,omitempty"`
}

type valueOut struct {
	Key  string `json:"key" xml:"key"`
	Name string `json:"name" xml:"name"`
}

func definitionOf(d *Definition) definitionOut {
	out := definitionOut{Code: Clean(d.Code), Attributes: make([]attributeOut, len(d.Attributes))}
	for i := range d.Attributes {
		a := &d.Attributes[i]
		o := attributeOut{
			Variable: a.Variable, Code: Clean(a.Code), Datatype: a.Datatype, Required: a.Required, DatatypeHelp: Clean(a.DatatypeHelp),
			Order: a.Order, Description: Clean(a.Description),
		}
		for _, v := range a.Values {
			o.Values = append(o.Values, valueOut{Clean(v.Key), Clean(v.Name)})
		}
		out.Attributes[i] = o
	}
	return out
}

type requestOut struct {
	ID          string       `json:"service_request_id" xml:"service_request_id"`
	Status      string       `json:"status" xml:"status"`
	StatusNotes string       `json:"status_notes" xml:"status_notes"`
	ServiceName string       `json:"service_name" xml:"service_name"`
	ServiceCode string       `json:"service_code" xml:"service_code"`
	Description string       `json:"description" xml:"description"`
	Agency      string       `json:"agency_responsible" xml:"agency_responsible"`
	Notice      string       `json:"service_notice" xml:"service_notice"`
	Requested   string       `json:"requested_datetime" xml:"requested_datetime"`
	Updated     string       `json:"updated_datetime,omitempty" xml:"updated_datetime,omitempty"`
	Expected    string       `json:"expected_datetime,omitempty" xml:"expected_datetime,omitempty"`
	Address     string       `json:"address" xml:"address"`
	AddressID   string       `json:"address_id" xml:"address_id"`
	Zipcode     string       `json:"zipcode" xml:"zipcode"`
	Lat         *float64     `json:"lat,omitempty" xml:"lat,omitempty"`
	Long        *float64     `json:"long,omitempty" xml:"long,omitempty"`
	MediaURL    string       `json:"media_url,omitempty" xml:"media_url,omitempty"`
	Extended    *extendedOut `json:"extended_attributes,omitempty" xml:"extended_attributes,omitempty"`
	Notes       []noteOut    `json:"notes,omitempty" xml:"notes>note,omitempty"`
}

type requestsXML struct {
	XMLName xml.Name     `xml:"service_requests"`
	Items   []requestOut `xml:"request"`
}

type extendedOut struct {
	Channel    string      `json:"channel,omitempty" xml:"channel,omitempty"`
	State      string      `json:"state,omitempty" xml:"state,omitempty"`
	District   string      `json:"kecamatan,omitempty" xml:"kecamatan,omitempty"`
	Media      []string    `json:"media_urls,omitempty" xml:"media_urls>media_url,omitempty"`
	Attributes []answerOut `json:"attributes,omitempty" xml:"attributes>attribute,omitempty"`
}

type answerOut struct {
	Code   string   `json:"code" xml:"code"`
	Values []string `json:"values" xml:"values>value"`
}

type noteOut struct {
	At      string `json:"datetime" xml:"datetime"`
	Type    string `json:"type" xml:"type"`
	Summary string `json:"summary" xml:"summary"`
}

func (w Writer) requestOf(r *Request) requestOut {
	out := requestOut{
		ID: Clean(r.ID), Status: r.Status, StatusNotes: Clean(r.StatusNotes), ServiceName: Clean(r.ServiceName), ServiceCode: Clean(r.ServiceCode),
		Description: Cut(Clean(r.Description), MaxDescription), Agency: Clean(r.Agency), Notice: Clean(r.Notice),
		Requested: w.time(r.Requested), Updated: w.time(r.Updated), Expected: w.time(r.Expected),
		Address: Clean(r.Address), AddressID: Clean(r.AddressID), Zipcode: Clean(r.Zipcode), MediaURL: Clean(r.MediaURL),
	}
	if r.Located {
		out.Lat, out.Long = &r.Lat, &r.Long
	}
	if e := r.Extended; e != nil {
		out.Extended = &extendedOut{Channel: Clean(e.Channel), State: Clean(e.State), District: Clean(e.District), Media: e.Media}
		for _, a := range e.Attributes {
			answer := answerOut{Code: Clean(a.Code), Values: make([]string, len(a.Values))}
			for i, v := range a.Values {
				answer.Values[i] = Clean(v)
			}
			out.Extended.Attributes = append(out.Extended.Attributes, answer)
		}
		for _, n := range e.Notes {
			out.Notes = append(out.Notes, noteOut{w.time(n.At), Clean(n.Type), Clean(n.Summary)})
		}
	}
	return out
}

type createdOut struct {
	ID      string `json:"service_request_id,omitempty" xml:"service_request_id,omitempty"`
	Token   string `json:"token,omitempty" xml:"token,omitempty"`
	Notice  string `json:"service_notice" xml:"service_notice"`
	Account string `json:"account_id" xml:"account_id"`
}

type createdXML struct {
	XMLName xml.Name     `xml:"service_requests"`
	Items   []createdOut `xml:"request"`
}

type tokenOut struct {
	ID    string `json:"service_request_id" xml:"service_request_id"`
	Token string `json:"token" xml:"token"`
}

type tokenXML struct {
	XMLName xml.Name   `xml:"service_requests"`
	Items   []tokenOut `xml:"request"`
}

type updateOut struct {
	ID          string `json:"update_id" xml:"update_id"`
	RequestID   string `json:"service_request_id" xml:"service_request_id"`
	Status      string `json:"status" xml:"status"`
	Description string `json:"description" xml:"description"`
	MediaURL    string `json:"media_url,omitempty" xml:"media_url,omitempty"`
	Updated     string `json:"updated_datetime" xml:"updated_datetime"`
	External    string `json:"external_status_code,omitempty" xml:"external_status_code,omitempty"`
}

// updatesXML: the reference implementations (FixMyStreet, open311-adapter)
// call the element request_update.
type updatesXML struct {
	XMLName xml.Name    `xml:"service_request_updates"`
	Items   []updateOut `xml:"request_update"`
}

type updatedOut struct {
	ID      string `json:"update_id" xml:"update_id"`
	Account string `json:"account_id,omitempty" xml:"account_id,omitempty"`
}

type updatedXML struct {
	XMLName xml.Name     `xml:"service_request_updates"`
	Items   []updatedOut `xml:"request_update"`
}

type faultOut struct {
	Code        string `json:"code" xml:"code"`
	Description string `json:"description" xml:"description"`
}

type faultsXML struct {
	XMLName xml.Name   `xml:"errors"`
	Items   []faultOut `xml:"error"`
}

type discoveryOut struct {
	XMLName    xml.Name      `json:"-" xml:"discovery"`
	Changeset  string        `json:"changeset" xml:"changeset"`
	Contact    string        `json:"contact" xml:"contact"`
	KeyService string        `json:"key_service" xml:"key_service"`
	Endpoints  []endpointOut `json:"endpoints" xml:"endpoints>endpoint"`
}

type endpointOut struct {
	Specification string   `json:"specification" xml:"specification"`
	URL           string   `json:"url" xml:"url"`
	Changeset     string   `json:"changeset" xml:"changeset"`
	Type          string   `json:"type" xml:"type"`
	Formats       []string `json:"formats" xml:"formats>format"`
}
