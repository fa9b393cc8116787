package inventory

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/strictyaml"
	"github.com/simpang-id/simpang/internal/tariff"
)

// The files of an inventory (contract, section 5).
const (
	fileSites      = "sites.geojson"
	fileSegments   = "segments.geojson"
	fileDevices    = "devices.csv"
	fileAccounts   = "accounts.csv"
	fileTargets    = "targets.csv"
	fileOperators  = "operators.csv"
	fileAttendants = "attendants.csv"
	fileHolidays   = "holidays.csv"
	fileClosures   = "closures.csv"
	fileTariffs    = "tariffs.yaml"
	fileAgencies   = "agencies.yaml"
	fileRules      = "rules.yaml"
	filePKJI       = "pkji2023.yaml"
)

var knownFiles = []string{
	fileSites, fileSegments, fileDevices, fileAccounts, fileTargets, fileOperators, fileAttendants,
	fileHolidays, fileClosures, fileTariffs, fileAgencies, fileRules, filePKJI,
}

// MaxFile is the largest file that is read, bytes.
const MaxFile = 32 << 20

// Parse reads a whole inventory, file name -> content. It tells every fault at
// once, in the order of the files and lines; the version is nil if there is
// any. The same files give the same version. Zone is the city's.
func Parse(files map[string][]byte, zone *time.Location) (*Version, []Fault) {
	v, faults := parse(files, zone)
	if len(faults) > 0 {
		return nil, faults
	}
	return v, nil
}

// parse returns what could be read beside the faults.
func parse(files map[string][]byte, zone *time.Location) (*Version, []Fault) {
	p := &parser{
		files: files, zone: zone,
		v: &Version{Hash: HashFiles(files), Files: files, Zone: zone, Revenue: defaultRevenue(), sites: map[string]*Site{}, segments: map[string]*Segment{}, devices: map[string]*Device{}, euis: map[string]*Device{}},

		sites: map[string]*props{}, segments: map[string]*props{}, devices: map[string]row{},
	}
	p.names()
	p.operators()
	p.agencies()
	p.accounts()
	p.tariffs()
	p.pkji()
	p.readSegments()
	p.readSites()
	p.readDevices()
	p.rules()
	p.targets()
	p.attendants()
	p.holidays()
	p.closures()
	p.cross()
	p.v.finish()
	p.v.Warnings = tidy(p.warnings)
	return p.v, tidy(p.faults)
}

type parser struct {
	files    map[string][]byte
	zone     *time.Location
	v        *Version
	faults   []Fault
	warnings []Fault

	tariffsRead bool // tariffs.yaml is there and has no fault

	// where things stand, by id
	sites    map[string]*props
	segments map[string]*props
	devices  map[string]row
}

func (p *parser) fault(file string, line int, format string, args ...any) {
	p.faults = append(p.faults, Fault{file, line, fmt.Sprintf(format, args...)})
}

func (p *parser) warn(file string, line int, format string, args ...any) {
	p.warnings = append(p.warnings, Fault{file, line, fmt.Sprintf(format, args...)})
}

func (p *parser) has(file string) bool { _, ok := p.files[file]; return ok }

// tidy sorts faults by file and line and bounds them.
func tidy(faults []Fault) []Fault {
	place := func(name string) int {
		if i := slices.Index(knownFiles, name); i >= 0 {
			return i
		}
		return len(knownFiles)
	}
	sort.SliceStable(faults, func(i, j int) bool {
		a, b := faults[i], faults[j]
		if a.File != b.File {
			if place(a.File) != place(b.File) {
				return place(a.File) < place(b.File)
			}
			return a.File < b.File
		}
		return a.Line < b.Line
	})
	return faults
}

// names checks which files there are.
func (p *parser) names() {
	for name, data := range p.files {
		if len(data) > MaxFile {
			p.fault(name, 1, "the file is larger than %d MiB: split the city or remove what is not ours", MaxFile>>20)
			p.files = without(p.files, name)
		}
		if !slices.Contains(knownFiles, name) {
			p.fault(name, 1, "unknown file: %s", strictyaml.Suggest(name, knownFiles))
		}
	}
	if !p.has(fileSites) && !p.has(fileSegments) {
		p.fault(fileSites, 1, "neither sites.geojson nor segments.geojson is there: an inventory needs one of them, check the folder")
	}
}

func without(files map[string][]byte, name string) map[string][]byte {
	out := make(map[string][]byte, len(files))
	for n, data := range files {
		if n != name {
			out[n] = data
		}
	}
	return out
}

func (p *parser) tariffs() {
	data, ok := p.files[fileTariffs]
	if !ok {
		return
	}
	book, faults := tariff.ParseYAML(data)
	for _, f := range faults {
		p.fault(fileTariffs, max(f.Line, 1), "%s", f.Message)
	}
	p.v.Tariffs = book
	p.tariffsRead = len(faults) == 0
}

// defaultTables is the built-in tables, read once: nobody changes a version.
var defaultTables = sync.OnceValue(func() *PKJI {
	tables, _ := ParsePKJI(filePKJI, DefaultPKJI)
	return tables
})

func (p *parser) pkji() {
	data, ok := p.files[filePKJI]
	if !ok || bytes.Equal(data, DefaultPKJI) {
		p.v.PKJI = defaultTables()
		return
	}
	tables, faults := ParsePKJI(filePKJI, data)
	p.faults = append(p.faults, faults...)
	if tables == nil {
		tables = defaultTables()
	}
	p.v.PKJI = tables
}

type agencyFile struct {
	Agencies []struct {
		ID       string   `yaml:"id"`
		Name     string   `yaml:"name"`
		PIC      string   `yaml:"pic"`
		Duties   []string `yaml:"duties"`
		Services []string `yaml:"services"`
		Contact  string   `yaml:"contact"`
	} `yaml:"agencies"`
	Services []serviceEntry `yaml:"services"`
}

func (p *parser) agencies() {
	data, ok := p.files[fileAgencies]
	if !ok {
		p.v.Services = p.shippedServices()
		return
	}
	var file agencyFile
	doc, faults := strictyaml.Decode(data, &file)
	for _, f := range faults {
		p.fault(fileAgencies, f.Line, "%s", f.Message)
	}
	seen := map[string]int{}
	for i, a := range file.Agencies {
		path := fmt.Sprintf("agencies[%d]", i)
		line := doc.Line(path)
		if a.ID == "" {
			p.fault(fileAgencies, line, "the agency has no id: give it one")
			continue
		}
		if f := checkID(a.ID); f != "" {
			p.fault(fileAgencies, doc.Line(path+".id"), "id %s", f)
		}
		if first, ok := seen[a.ID]; ok {
			p.fault(fileAgencies, line, "agency %s is there twice (first on line %d): keep one", a.ID, first)
			continue
		}
		seen[a.ID] = line
		if a.Name == "" {
			p.fault(fileAgencies, line, "agency %s has no name: give it one", a.ID)
		}
		for _, text := range slices.Concat([]string{a.Name, a.PIC, a.Contact}, a.Duties, a.Services) {
			if f := checkText(text); f != "" {
				p.fault(fileAgencies, line, "agency %s: a text %s", a.ID, f)
			}
		}
		p.v.Agencies = append(p.v.Agencies, Agency(a))
	}
	if len(file.Agencies) == 0 && len(faults) == 0 {
		p.fault(fileAgencies, 1, "the file lists no agency: give `agencies:` with at least one, or remove the file")
	}
	sort.Slice(p.v.Agencies, func(i, j int) bool { return p.v.Agencies[i].ID < p.v.Agencies[j].ID })
	if !doc.Has("services") {
		p.v.Services = p.shippedServices()
		return
	}
	p.services(doc, file.Services)
}

func (p *parser) hasAgency(id string) bool {
	return slices.ContainsFunc(p.v.Agencies, func(a Agency) bool { return a.ID == id })
}

func (p *parser) agencyIDs() string {
	ids := make([]string, len(p.v.Agencies))
	for i := range p.v.Agencies {
		ids[i] = p.v.Agencies[i].ID
	}
	return strings.Join(ids, ", ")
}
