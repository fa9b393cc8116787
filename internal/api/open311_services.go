package api

import (
	"net/http"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/open311"
)

// discovery311 serves /open311/v2/discovery.
func (s *Server) discovery311(w http.ResponseWriter, q *request) error {
	if _, err := s.open311Of(values311(q)); err != nil {
		return err
	}
	// The day of the endpoint's last change of shape; a client that sees another
	// reads everything anew.
	const changeset = 1_764_547_200_000
	d := &open311.Discovery{
		Changeset: changeset, Contact: s.Open311.Contact,
		KeyService: "The city gives out keys for applications (simpang token -role reporter). Contact: " + s.Open311.Contact,
		Endpoints: []open311.Endpoint{{
			Specification: open311.Specification, URL: s.baseOf(q.Request), Changeset: changeset, Type: "production", Formats: []string{"application/json", "text/xml"},
		}},
	}
	return s.write311(w, q, func(wr open311.Writer) ([]byte, error) { return wr.Discovery(d) })
}

// services311 serves /open311/v2/services.
func (s *Server) services311(w http.ResponseWriter, q *request) error {
	version, err := s.open311Of(values311(q))
	if err != nil {
		return err
	}
	var list []open311.Service
	for i := range version.Services {
		if one := &version.Services[i]; offered(one) {
			list = append(list, open311.Service{
				Code: one.Code, Name: one.Name, Description: one.Description, Metadata: len(one.Attributes) > 0, Type: open311.Realtime,
				Keywords: one.Keywords, Group: one.Group,
			})
		}
	}
	return s.write311(w, q, func(wr open311.Writer) ([]byte, error) { return wr.Services(list) })
}

// offered tells whether citizens may report it.
func offered(s *inventory.Service) bool { return s.Public && !s.Confidential }

// service311 serves /open311/v2/services/{code}.
func (s *Server) service311(w http.ResponseWriter, q *request) error {
	version, err := s.open311Of(values311(q))
	if err != nil {
		return err
	}
	one := version.Service(bare(q))
	if one == nil || !offered(one) {
		return fault(http.StatusNotFound, "service_code "+cut(bare(q))+" was not found: /open311/v2/services lists them")
	}
	d := definitionOf(one)
	return s.write311(w, q, func(wr open311.Writer) ([]byte, error) { return wr.Definition(d) })
}

func definitionOf(s *inventory.Service) *open311.Definition {
	d := &open311.Definition{Code: s.Code}
	for i := range s.Attributes {
		a := &s.Attributes[i]
		out := open311.Attribute{
			Variable: true, Code: a.Code, Datatype: a.Datatype, Required: a.Required, DatatypeHelp: a.DatatypeDescription, Order: i + 1, Description: a.Description,
		}
		for _, v := range a.Values {
			out.Values = append(out.Values, open311.Value{Key: v.Key, Name: v.Name})
		}
		d.Attributes = append(d.Attributes, out)
	}
	return d
}
