package mosquitto

import (
	"slices"
	"strings"
)

// Our part of the access rules stands between these.
const (
	begin = "# simpang: begin (written by simpang device mosquitto)"
	end   = "# simpang: end"
)

// withRules returns access rules with our part where it was before, else at
// their end. There it takes nobody's rules away: rules of no user stand before
// the first one. What follows our part is of the gateway's user, which our part
// ends with, so it must stay behind it.
func withRules(lines []string, gateway string) []string {
	ours := []string{
		begin,
		"# A device (%u is its name) publishes its own readings and status, and reads",
		"# what is meant for it.",
		"pattern write sg/v1/%u/up",
		"pattern write sg/v1/%u/status",
		"pattern read sg/v1/%u/down",
		"# The gateway reads all devices and writes to them.",
		"user " + gateway,
		"topic read sg/v1/+/up",
		"topic read sg/v1/+/status",
		"topic write sg/v1/+/down",
		end,
	}
	from, to := ourPart(lines)
	return slices.Concat(lines[:from], ours, lines[to:])
}

// ourPart returns where our part begins and ends: the last mark of a beginning
// before the first mark of an end, so that one without an end takes nothing of
// others with it. Both are at the end where there is none.
func ourPart(lines []string) (from, to int) {
	from = -1
	for i, line := range lines {
		switch strings.TrimSpace(line) {
		case begin:
			from = i
		case end:
			if from >= 0 {
				return from, i + 1
			}
		}
	}
	return len(lines), len(lines)
}
