package scenario

import (
	"bytes"
	_ "embed"

	"go.yaml.in/yaml/v3"
)

// DefaultYAML is every member with its default, explained; docs/firmware-sim.md
// holds it word for word.
//
//go:embed default.yaml
var DefaultYAML []byte

// Default is a quiet working day without any fault.
func Default() *Scenario {
	s := &Scenario{}
	d := yaml.NewDecoder(bytes.NewReader(DefaultYAML))
	d.KnownFields(true)
	if err := d.Decode(s); err != nil {
		panic(err) // the file is compiled in, and tested
	}
	return s
}
