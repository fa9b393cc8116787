package open311

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Reader reads the answers of other servers. Times without a zone are of Zone.
// Whatever it cannot make out is an error, never an empty list.
type Reader struct{ Zone *time.Location }

// Requests reads a list of requests, or one. One without an id is left out.
func (rd Reader) Requests(body []byte) ([]Request, error) {
	records, err := list(body, "service_request_id", "service_code", "token")
	if err != nil {
		return nil, err
	}
	out := make([]Request, 0, len(records))
	for _, n := range records {
		r := Request{
			ID: n.get("service_request_id"), Status: statusOf(n.get("status")), StatusNotes: n.get("status_notes"), ServiceName: n.get("service_name"),
			ServiceCode: n.get("service_code"), Description: n.get("description"), Agency: n.get("agency_responsible"), Notice: n.get("service_notice"),
			Requested: rd.time(n, "requested_datetime"), Updated: rd.time(n, "updated_datetime"), Expected: rd.time(n, "expected_datetime"),
			Address: n.get("address"), AddressID: n.get("address_id"), Zipcode: n.get("zipcode"), MediaURL: n.get("media_url"), Token: n.get("token"),
		}
		if r.ID == "" {
			continue
		}
		lat, latOK := degrees(n.get("lat"), 90)
		long, longOK := degrees(n.get("long"), 180)
		if latOK && longOK {
			r.Located, r.Lat, r.Long = true, lat, long
		}
		r.Extended = answersOf(n)
		out = append(out, r)
	}
	if len(out) == 0 && len(records) > 0 {
		return nil, fmt.Errorf("%w: no request in it has a service_request_id", errAnswer)
	}
	return out, nil
}

// Created reads the answer to a filing: it has an id or a token.
func (rd Reader) Created(body []byte) (Created, error) {
	records, err := list(body, "service_request_id", "token")
	if err != nil {
		return Created{}, err
	}
	for _, n := range records {
		c := Created{ID: n.get("service_request_id"), Token: n.get("token"), Notice: n.get("service_notice"), Account: n.get("account_id")}
		if c.ID != "" || c.Token != "" {
			return c, nil
		}
	}
	return Created{}, fmt.Errorf("%w: it has neither service_request_id nor token", errAnswer)
}

// Updated reads the answer to a posted update: it has an id.
func (rd Reader) Updated(body []byte) (Updated, error) {
	records, err := list(body, "update_id")
	if err != nil {
		return Updated{}, err
	}
	for _, n := range records {
		if u := (Updated{ID: n.get("update_id"), Account: n.get("account_id")}); u.ID != "" {
			return u, nil
		}
	}
	return Updated{}, fmt.Errorf("%w: it has no update_id", errAnswer)
}

// Token reads what a token stands for; the id is "" while there is none.
func (rd Reader) Token(body []byte) (Token, error) {
	records, err := list(body, "service_request_id", "token")
	if err != nil {
		return Token{}, err
	}
	for _, n := range records {
		if t := (Token{ID: n.get("service_request_id"), Token: n.get("token")}); t.ID != "" || t.Token != "" {
			return t, nil
		}
	}
	return Token{}, nil
}

// Updates reads changes of requests. One without a request's id is left out;
// one without an id of its own gets one that its content makes.
func (rd Reader) Updates(body []byte) ([]Update, error) {
	records, err := list(body, "update_id", "service_request_id")
	if err != nil {
		return nil, err
	}
	out := make([]Update, 0, len(records))
	for _, n := range records {
		u := Update{
			ID: n.get("update_id"), RequestID: n.get("service_request_id"), Status: strings.ToLower(n.get("status")), Description: n.get("description"),
			MediaURL: n.get("media_url"), Updated: rd.time(n, "updated_datetime"), External: n.get("external_status_code"),
		}
		if u.RequestID == "" {
			continue
		}
		if known, ok := Status(u.Status); ok {
			u.Status = known
		}
		if u.ID == "" {
			u.ID = u.RequestID + "@" + strconv.FormatInt(u.Updated, 10) + "/" + u.Status
		}
		out = append(out, u)
	}
	if len(out) == 0 && len(records) > 0 {
		return nil, fmt.Errorf("%w: no update in it has a service_request_id", errAnswer)
	}
	return out, nil
}

// Services reads a list of services. One without a code is left out.
func (rd Reader) Services(body []byte) ([]Service, error) {
	records, err := list(body, "service_code")
	if err != nil {
		return nil, err
	}
	out := make([]Service, 0, len(records))
	for _, n := range records {
		s := Service{
			Code: n.get("service_code"), Name: n.get("service_name"), Description: n.get("description"), Metadata: n.get("metadata") == "true",
			Type: n.get("type"), Group: n.get("group"),
		}
		for word := range strings.SplitSeq(n.get("keywords"), ",") {
			if word = strings.TrimSpace(word); word != "" {
				s.Keywords = append(s.Keywords, word)
			}
		}
		if s.Code != "" {
			out = append(out, s)
		}
	}
	return out, nil
}

// Definition reads what a service asks besides.
func (rd Reader) Definition(body []byte) (Definition, error) {
	root, err := parse(body)
	if err != nil {
		return Definition{}, err
	}
	if root.list && len(root.kids) == 1 {
		root = &root.kids[0]
	}
	d := Definition{Code: root.get("service_code")}
	attributes := root.find("attributes")
	if attributes == nil {
		return d, fmt.Errorf("%w: it has no attributes", errAnswer)
	}
	for i := range attributes.kids {
		n := &attributes.kids[i]
		a := Attribute{
			Variable: n.get("variable") != "false", Code: n.get("code"), Datatype: n.get("datatype"), Required: n.get("required") == "true",
			DatatypeHelp: n.get("datatype_description"), Description: n.get("description"),
		}
		a.Order, _ = strconv.Atoi(n.get("order"))
		if values := n.find("values"); values != nil {
			for j := range values.kids {
				a.Values = append(a.Values, Value{Key: values.kids[j].get("key"), Name: values.kids[j].get("name")})
			}
		}
		if a.Code != "" {
			d.Attributes = append(d.Attributes, a)
		}
	}
	return d, nil
}

// Faults reads an error answer; false where it is none.
func (rd Reader) Faults(body []byte) ([]Fault, bool) {
	records, err := list(body, "code", "description")
	if err != nil {
		return nil, false
	}
	var out []Fault
	for _, n := range records {
		f := Fault{Code: n.get("code"), Description: Cut(n.get("description"), 500)}
		if f.Code == "" || n.find("description") == nil {
			return nil, false
		}
		out = append(out, f)
	}
	return out, len(out) > 0
}

func list(body []byte, members ...string) ([]*node, error) {
	root, err := parse(body)
	if err != nil {
		return nil, err
	}
	records, ok := root.records(members...)
	if !ok {
		return nil, fmt.Errorf("%w: it holds no record", errAnswer)
	}
	return records, nil
}

func (rd Reader) time(n *node, member string) int64 {
	ms, _ := ParseTime(n.get(member), rd.Zone)
	return ms
}

// statusOf maps a stranger's status to open or closed; "" where it says
// nothing that is known.
func statusOf(text string) string {
	known, ok := Status(text)
	switch {
	case !ok || known == StatusUnchanged:
		return ""
	case Ends(known):
		return Closed
	}
	return Open
}

func degrees(text string, most float64) (float64, bool) {
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && math.Abs(f) <= most
}

// answersOf reads attributes where a list shows them: as a list of code and
// value, or as members.
func answersOf(n *node) *Extended {
	var out []Answer
	for _, name := range []string{"attributes", "extended_attributes"} {
		holder := n.find(name)
		if holder == nil || holder.leaf {
			continue
		}
		for i := range holder.kids {
			kid := &holder.kids[i]
			switch code := kid.get("code"); {
			case code != "":
				out = append(out, Answer{Code: code, Values: textsOf(kid)})
			case kid.leaf && kid.name != "" && kid.text != "":
				out = append(out, Answer{Code: kid.name, Values: []string{Clean(kid.text)}})
			}
		}
	}
	if out == nil {
		return nil
	}
	return &Extended{Attributes: out}
}

func textsOf(n *node) []string {
	var out []string
	for _, name := range []string{"value", "values"} {
		kid := n.find(name)
		if kid == nil {
			continue
		}
		if kid.leaf {
			out = append(out, Clean(kid.text))
		}
		for i := range kid.kids {
			if kid.kids[i].leaf {
				out = append(out, Clean(kid.kids[i].text))
			}
		}
	}
	return out
}
