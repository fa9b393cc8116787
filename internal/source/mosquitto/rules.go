package mosquitto

import "slices"

// Our part of the access rules stands between these.
const (
	begin = "# simpang: begin (written by simpang device mosquitto)"
	end   = "# simpang: end"
)

// withRules returns access rules with our part at their end, in place of what
// was our part before. There it takes nobody's rules away: rules of no user
// stand before the first one.
func withRules(lines []string, gateway string) []string {
	if from := slices.Index(lines, begin); from >= 0 {
		if n := slices.Index(lines[from:], end); n >= 0 {
			lines = slices.Delete(slices.Clone(lines), from, from+n+1)
		}
	}
	return append(lines,
		begin,
		"# A device (%u is its name) publishes its own readings and status, and reads",
		"# what is meant for it.",
		"pattern write sg/v1/%u/up",
		"pattern write sg/v1/%u/status",
		"pattern read sg/v1/%u/down",
		"# The gateway reads all devices and writes to them.",
		"user "+gateway,
		"topic read sg/v1/+/up",
		"topic read sg/v1/+/status",
		"topic write sg/v1/+/down",
		end)
}
