package inventory

import (
	_ "embed" // the services as shipped
	"fmt"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/strictyaml"
)

// DefaultServices is the `services` of agencies.yaml as they are shipped. They
// hold where the file lists none.
//
//go:embed services.yaml
var DefaultServices []byte

// Service is a kind of complaint: who it goes to, and by when.
type Service struct {
	Code         string
	Name         string // in the city's language
	NameEN       string
	Description  string
	Group        string
	Keywords     []string
	Agency       string // id in agencies.yaml, "" where none has it
	Places       []ServicePlace
	Rules        []string // of anomalies that become complaints of it
	Public       bool     // offered to citizens, and its complaints are shown to all
	Confidential bool     // money: shown to no one else, and leaves only for a destination marked so
	Automatic    bool     // verified by itself where an anomaly opened it
	VerifyDays   int      // working days
	FollowDays   int
	CloseDays    int
	Escalate     []string // offices, up the line
	Attributes   []ServiceAttribute
}

// ServicePlace sends complaints of a kind of place to another agency; the first
// that fits counts. What is "" fits all.
type ServicePlace struct {
	Kecamatan string   `yaml:"kecamatan"`
	Levy      Levy     `yaml:"levy"`
	Kind      SiteKind `yaml:"kind"`
	Agency    string   `yaml:"agency"`
}

// ServiceAttribute is a question that goes with a service (GeoReport v2).
type ServiceAttribute struct {
	Code                string         `yaml:"code"`
	Datatype            string         `yaml:"datatype"`
	Required            bool           `yaml:"required"`
	Description         string         `yaml:"description"`
	DatatypeDescription string         `yaml:"datatype_description"`
	Values              []ServiceValue `yaml:"values"`
}

// ServiceValue is an answer that may be chosen.
type ServiceValue struct {
	Key  string `yaml:"key"`
	Name string `yaml:"name"`
}

// datatypes are those of GeoReport v2.
var datatypes = []string{"string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"}

// List tells whether the answer is chosen from Values.
func (a *ServiceAttribute) List() bool {
	return a.Datatype == "singlevaluelist" || a.Datatype == "multivaluelist"
}

// Service returns the service of that code, nil if there is none.
func (v *Version) Service(code string) *Service {
	for i := range v.Services {
		if v.Services[i].Code == code {
			return &v.Services[i]
		}
	}
	return nil
}

// ServiceOfRule returns the service whose complaints anomalies of a rule
// become, nil if there is none.
func (v *Version) ServiceOfRule(rule string) *Service {
	for i := range v.Services {
		if slices.Contains(v.Services[i].Rules, rule) {
			return &v.Services[i]
		}
	}
	return nil
}

// AgencyAt returns who a complaint of the service goes to: site may be nil.
func (s *Service) AgencyAt(site *Site, kecamatan string) string {
	var levy Levy
	var kind SiteKind
	if site != nil {
		levy, kind = site.Levy, site.Kind
		if kecamatan == "" {
			kecamatan = site.Kecamatan
		}
	}
	for _, p := range s.Places {
		if (p.Levy == "" || p.Levy == levy) && (p.Kind == "" || p.Kind == kind) && (p.Kecamatan == "" || strings.EqualFold(p.Kecamatan, kecamatan)) {
			return p.Agency
		}
	}
	return s.Agency
}

type serviceDays struct {
	Verify   int `yaml:"verify"`
	FollowUp int `yaml:"follow_up"`
	Close    int `yaml:"close"`
}

type serviceEntry struct {
	Code         string             `yaml:"code"`
	Name         string             `yaml:"name"`
	NameEN       string             `yaml:"name_en"`
	Description  string             `yaml:"description"`
	Group        string             `yaml:"group"`
	Keywords     []string           `yaml:"keywords"`
	Agency       string             `yaml:"agency"`
	Places       []ServicePlace     `yaml:"places"`
	Rules        []string           `yaml:"rules"`
	Public       bool               `yaml:"public"`
	Confidential bool               `yaml:"confidential"`
	Verify       string             `yaml:"verify"`
	Days         serviceDays        `yaml:"days"`
	Escalate     []string           `yaml:"escalate"`
	Attributes   []ServiceAttribute `yaml:"attributes"`
}

// The defaults in working days (facts: SP4N-LAPOR).
const (
	defaultVerifyDays = 3
	defaultFollowDays = 5
	defaultCloseDays  = 10
	mostServiceDays   = 90
)

func (e *serviceEntry) service() Service {
	or := func(days, otherwise int) int {
		if days == 0 {
			return otherwise
		}
		return days
	}
	return Service{
		Code: e.Code, Name: e.Name, NameEN: e.NameEN, Description: e.Description, Group: e.Group, Keywords: e.Keywords, Agency: e.Agency,
		Places: e.Places, Rules: e.Rules, Public: e.Public, Confidential: e.Confidential, Automatic: e.Verify == "automatic",
		VerifyDays: or(e.Days.Verify, defaultVerifyDays), FollowDays: or(e.Days.FollowUp, defaultFollowDays), CloseDays: or(e.Days.Close, defaultCloseDays),
		Escalate: e.Escalate, Attributes: e.Attributes,
	}
}

// shippedServices are the defaults, sent to no agency that the city has not.
func (p *parser) shippedServices() []Service {
	var file agencyFile
	strictyaml.Decode(DefaultServices, &file) // a test reads it
	services := make([]Service, 0, len(file.Services))
	for i := range file.Services {
		s := file.Services[i].service()
		if !p.hasAgency(s.Agency) {
			s.Agency = ""
		}
		s.Places = slices.DeleteFunc(s.Places, func(at ServicePlace) bool { return !p.hasAgency(at.Agency) })
		services = append(services, s)
	}
	return services
}

// services checks those of agencies.yaml. They keep their order, which is the
// one that citizens see.
func (p *parser) services(doc *strictyaml.Doc, list []serviceEntry) {
	c := serviceCheck{p: p, doc: doc, codes: map[string]int{}, rules: map[string]string{}}
	for i := range list {
		e := &list[i]
		c.path = fmt.Sprintf("services[%d]", i)
		if c.check(e) {
			p.v.Services = append(p.v.Services, e.service())
		}
	}
}

type serviceCheck struct {
	p     *parser
	doc   *strictyaml.Doc
	path  string
	codes map[string]int    // to the line
	rules map[string]string // to the service
}

func (c *serviceCheck) wrong(path, format string, args ...any) {
	c.p.fault(fileAgencies, c.doc.Line(c.path+path), format, args...)
}

func (c *serviceCheck) check(e *serviceEntry) bool {
	switch first, twice := c.codes[e.Code]; {
	case e.Code == "":
		c.wrong("", "the service has no code: give it one")
		return false
	case twice:
		c.wrong("", "service %s is there twice (first on line %d): keep one", e.Code, first)
		return false
	}
	c.codes[e.Code] = c.doc.Line(c.path)
	if f := checkID(e.Code); f != "" {
		c.wrong(".code", "code %s", f)
	}
	if e.Name == "" {
		c.wrong("", "service %s has no name: give it one", e.Code)
	}
	for _, text := range slices.Concat([]string{e.Name, e.NameEN, e.Description, e.Group}, e.Keywords, e.Escalate) {
		if f := checkText(text); f != "" {
			c.wrong("", "service %s: a text %s", e.Code, f)
		}
	}
	if e.Public && e.Confidential {
		c.wrong(".confidential", "service %s is public and confidential: set one of them", e.Code)
	}
	if e.Verify != "" {
		if f := checkWord(e.Verify, []string{"officer", "automatic"}); f != "" {
			c.wrong(".verify", "verify %s", f)
		} else if e.Confidential && e.Verify == "automatic" {
			c.wrong(".verify", "service %s is confidential: an officer verifies it, set verify: officer", e.Code)
		}
	}
	c.agency(".agency", e.Agency)
	for i, at := range e.Places {
		c.place(fmt.Sprintf(".places[%d]", i), at)
	}
	for i, rule := range e.Rules {
		path := fmt.Sprintf(".rules[%d]", i)
		if f := checkID(rule); f != "" {
			c.wrong(path, "rule %s", f)
		}
		if other, ok := c.rules[rule]; ok {
			c.wrong(path, "rule %s is of service %s already: keep one", rule, other)
		}
		c.rules[rule] = e.Code
	}
	for name, days := range map[string]int{"verify": e.Days.Verify, "follow_up": e.Days.FollowUp, "close": e.Days.Close} {
		path := ".days." + name
		if given := c.doc.Has(c.path + path); given && days < 1 || days < 0 || days > mostServiceDays {
			c.wrong(path, "days.%s is %d: give working days from 1 to %d", name, days, mostServiceDays)
		}
	}
	c.attributes(e.Attributes)
	return true
}

func (c *serviceCheck) agency(path, id string) {
	if id == "" {
		c.wrong(path, "the service goes to no agency: name one of %s", c.p.agencyIDs())
	} else if !c.p.hasAgency(id) {
		c.wrong(path, "agency %s is not in the file: use one of %s", short(id), c.p.agencyIDs())
	}
}

func (c *serviceCheck) place(path string, at ServicePlace) {
	c.agency(path+".agency", at.Agency)
	if at.Levy != "" {
		if f := checkWord(string(at.Levy), []string{string(LevyStreet), string(LevySpecial), string(LevyPBJT)}); f != "" {
			c.wrong(path+".levy", "levy %s", f)
		}
	}
	if at.Kind != "" {
		if f := checkWord(string(at.Kind), []string{string(OnStreet), string(OffStreet)}); f != "" {
			c.wrong(path+".kind", "kind %s", f)
		}
	}
	if at.Kecamatan == "" && at.Levy == "" && at.Kind == "" {
		c.wrong(path, "the place is any place: give kecamatan, levy or kind, or change the service's agency")
	}
}

func (c *serviceCheck) attributes(list []ServiceAttribute) {
	seen := map[string]bool{}
	for i := range list {
		a, path := &list[i], fmt.Sprintf(".attributes[%d]", i)
		if f := checkID(a.Code); f != "" {
			c.wrong(path, "code %s", f)
		} else if seen[a.Code] {
			c.wrong(path, "attribute %s is there twice: keep one", a.Code)
		}
		seen[a.Code] = true
		if f := checkWord(a.Datatype, datatypes); f != "" {
			c.wrong(path+".datatype", "datatype %s", f)
		}
		if a.List() != (len(a.Values) > 0) {
			c.wrong(path, "attribute %s: values go with singlevaluelist and multivaluelist, and only with them", a.Code)
		}
		for _, value := range a.Values {
			if value.Key == "" || value.Name == "" {
				c.wrong(path+".values", "a value of attribute %s lacks its key or name: give both", a.Code)
			}
		}
		for _, text := range []string{a.Description, a.DatatypeDescription} {
			if f := checkText(text); f != "" {
				c.wrong(path, "attribute %s: a text %s", a.Code, f)
			}
		}
	}
}
