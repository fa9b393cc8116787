package config

import (
	"fmt"
	"os"
	"time"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/strictyaml"
	"github.com/simpang-id/simpang/internal/wire/escpos"
	"github.com/simpang-id/simpang/internal/wire/modbus"
)

// Templates reads the templates of a source of format escpos, with every fault
// of the file. Times on paper are of zone.
func Templates(s *Source, zone *time.Location) (*escpos.Templates, []Fault) {
	var file escpos.File
	doc, faults := table(s.TemplatesFile, &file)
	if len(faults) > 0 {
		return nil, faults
	}
	t, problems := escpos.Compile(&file, zone)
	for _, p := range problems {
		faults = append(faults, Fault{File: s.TemplatesFile, Line: doc.Line(p.Path), Message: p.Path + " " + p.Message})
	}
	return t, faults
}

// Map reads the map of a source of format modbus, with every fault of the file.
func Map(s *Source) (*modbus.Map, []Fault) {
	var file modbus.File
	doc, faults := table(s.MapFile, &file)
	if len(faults) > 0 {
		return nil, faults
	}
	m, problems := modbus.Compile(&file)
	for _, p := range problems {
		faults = append(faults, Fault{File: s.MapFile, Line: doc.Line(p.Path), Message: p.Path + " " + p.Message})
	}
	return m, faults
}

// table reads a file of its own that a source names.
func table(path string, into any) (*strictyaml.Doc, []Fault) {
	data, err := os.ReadFile(path)
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("it is larger than %d bytes", maxFile)
	}
	if err != nil {
		return nil, []Fault{{File: path, Message: fmt.Sprintf("cannot be read (%v): name another, or mend its rights", err)}}
	}
	doc, found := strictyaml.Decode(data, into)
	var faults []Fault
	for _, f := range found {
		faults = append(faults, Fault{File: path, Line: f.Line, Message: f.Message})
	}
	return doc, faults
}

// tables checks the files that a source names.
func (k *checker) tables(s *Source, key string) {
	switch {
	case s.Format == FormatEscpos && s.TemplatesFile != "" && !k.isBad(key+"templates_file"):
		zone := k.c.City.Zone
		if zone == nil { // its own fault
			zone = time.UTC
		}
		_, faults := Templates(s, zone)
		k.faults = append(k.faults, faults...)
	case s.Format == FormatModbus && s.MapFile != "" && !k.isBad(key+"map_file"):
		_, faults := Map(s)
		k.faults = append(k.faults, faults...)
	}
}

// inventoried warns of devices that lines speak for and devices.csv lacks: what
// they send waits in quarantine. A device of two lines is a fault: each of them
// numbers its readings.
func (k *checker) inventoried(v *inventory.Version) {
	line := map[string]string{}
	for i := range k.c.Sources {
		s := &k.c.Sources[i]
		var ids []string
		switch s.Format {
		case FormatEscpos:
			ids = append(ids, s.Device)
		case FormatModbus:
			if m, faults := Map(s); len(faults) == 0 {
				for _, u := range m.Units {
					ids = append(ids, u.Device)
				}
			}
		}
		for _, id := range ids {
			if other, ok := line[id]; ok {
				k.fault(sourceKey(i)+"id", "%s speaks for device %s, and so does source %s: name a device of its own", s.ID, id, other)
			}
			line[id] = s.ID
			if id != "" && v.Device(id) == nil {
				k.warnings = append(k.warnings, Fault{File: k.c.File, Line: k.c.line(sourceKey(i) + "id"), Message: fmt.Sprintf("source %s speaks for device %s, which is not in devices.csv: add it, until then its readings are set aside", s.ID, id)})
			}
		}
	}
}
