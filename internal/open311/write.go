package open311

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"time"
)

// Format is how an answer is written.
type Format uint8

// The formats.
const (
	JSON Format = iota
	XML
)

// MediaType returns the format's Content-Type.
func (f Format) MediaType() string {
	if f == XML {
		return "text/xml; charset=utf-8"
	}
	return "application/json; charset=utf-8"
}

// Writer writes answers; times are written in Zone.
type Writer struct {
	Format Format
	Zone   *time.Location
}

// Services writes a list of services.
func (w Writer) Services(list []Service) ([]byte, error) {
	out := make([]serviceOut, len(list))
	for i := range list {
		out[i] = serviceOf(&list[i])
	}
	return w.encode(out, servicesXML{Items: out})
}

// Definition writes what a service asks besides.
func (w Writer) Definition(d *Definition) ([]byte, error) {
	out := definitionOf(d)
	return w.encode(out, out)
}

// Requests writes requests as they are shown.
func (w Writer) Requests(list []Request) ([]byte, error) {
	out := make([]requestOut, len(list))
	for i := range list {
		out[i] = w.requestOf(&list[i])
	}
	return w.encode(out, requestsXML{Items: out})
}

// Created writes the answer to a filing.
func (w Writer) Created(c Created) ([]byte, error) {
	out := []createdOut{{ID: Clean(c.ID), Token: Clean(c.Token), Notice: Clean(c.Notice), Account: Clean(c.Account)}}
	return w.encode(out, createdXML{Items: out})
}

// Token writes the id that a token stands for.
func (w Writer) Token(t Token) ([]byte, error) {
	out := []tokenOut{{ID: Clean(t.ID), Token: Clean(t.Token)}}
	return w.encode(out, tokenXML{Items: out})
}

// Updates writes changes of requests.
func (w Writer) Updates(list []Update) ([]byte, error) {
	out := make([]updateOut, len(list))
	for i := range list {
		u := &list[i]
		out[i] = updateOut{
			ID: Clean(u.ID), RequestID: Clean(u.RequestID), Status: Clean(u.Status), Description: Clean(u.Description), MediaURL: Clean(u.MediaURL),
			Updated: w.time(u.Updated), External: Clean(u.External),
		}
	}
	return w.encode(out, updatesXML{Items: out})
}

// Updated writes the answer to a posted update.
func (w Writer) Updated(u Updated) ([]byte, error) {
	out := []updatedOut{{ID: Clean(u.ID), Account: Clean(u.Account)}}
	return w.encode(out, updatedXML{Items: out})
}

// Faults writes an error answer.
func (w Writer) Faults(list []Fault) ([]byte, error) {
	out := make([]faultOut, len(list))
	for i, f := range list {
		out[i] = faultOut{Code: Clean(f.Code), Description: Clean(f.Description)}
	}
	return w.encode(out, faultsXML{Items: out})
}

// Discovery writes where the service is.
func (w Writer) Discovery(d *Discovery) ([]byte, error) {
	out := discoveryOut{Changeset: w.time(d.Changeset), Contact: Clean(d.Contact), KeyService: Clean(d.KeyService)}
	for i := range d.Endpoints {
		e := &d.Endpoints[i]
		out.Endpoints = append(out.Endpoints, endpointOut{
			Specification: e.Specification, URL: Clean(e.URL), Changeset: w.time(e.Changeset), Type: e.Type, Formats: e.Formats,
		})
	}
	return w.encode(out, out)
}

func (w Writer) time(ms int64) string { return FormatTime(ms, w.Zone) }

func (w Writer) encode(asJSON, asXML any) ([]byte, error) {
	var b bytes.Buffer
	if w.Format == XML {
		b.WriteString(xml.Header)
		if err := xml.NewEncoder(&b).Encode(asXML); err != nil {
			return nil, fmt.Errorf("open311: xml: %w", err)
		}
		return b.Bytes(), nil
	}
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(asJSON); err != nil {
		return nil, fmt.Errorf("open311: json: %w", err)
	}
	return b.Bytes(), nil
}
