package inventory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// foreign is a device whose profile is not built in.
type foreign struct {
	device *Device
	line   int // of devices.csv
}

// CheckProfiles checks the devices whose profile is not built in against the
// profiles that the configuration adds, each with the kinds of device that it
// can be of. A version does not depend on them: it is the same without.
func (v *Version) CheckProfiles(added map[string][]city.Kind) (faults, warnings []Fault) {
	for _, f := range v.foreign {
		kinds, ok := added[f.device.Profile]
		switch {
		case ok && f.device.Kind != "" && !slices.ContainsFunc(kinds, f.device.Sends):
			faults = append(faults, Fault{fileDevices, f.line, fmt.Sprintf("the codec of profile %s makes readings of %s, but device %s is a %s: correct the kind, the profile or the codec's readings",
				f.device.Profile, words(kinds), f.device.ID, f.device.Kind)})
		case !ok && f.device.EUI != "":
			names := slices.Sorted(maps.Keys(added))
			warnings = append(warnings, Fault{fileDevices, f.line, fmt.Sprintf("profile %s is none that is known, so its LoRaWAN payloads are set aside: add its vendor's codec to codecs_file, or use one of %s",
				f.device.Profile, strings.Join(slices.Concat(names, vendors.Names()), ", "))})
		}
	}
	return faults, warnings
}

func words(kinds []city.Kind) string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = k.String()
	}
	return strings.Join(out, " and ")
}
