package watch

import (
	"slices"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/inventory"
)

// judgeOverstay: a place is taken for longer than the site's restrictions allow
// ("paling lama 3 jam"), else than hours.
func (f *Follower) judgeOverstay(x *judged, n siteNow) {
	g, p := x.g, &f.inv.Rules.Overstay
	if p.Off || g.d.Kind != inventory.DeviceSpot || g.site == nil {
		x.calm(saysOverstay)
		return
	}
	longest := f.longest(g)
	switch {
	case f.clock-g.LastAt > g.unknown(): // it may have been left meanwhile
	case g.Occupied == 0 || g.says(saysStuck):
		x.calm(saysOverstay)
	case n.open && longest > 0 && f.clock-g.Occupied > longest:
		x.stands(saysOverstay, p.RecoverMin, Sum{"taken_s", (f.clock - g.Occupied) / 1000}, Sum{"longest_s", longest / 1000})
	}
}

// longest is after how long a place is taken for too long, ms; 0: never.
func (f *Follower) longest(g *gadget) int64 {
	p := &f.inv.Rules.Overstay
	if ms, ok := longestStay(g.site.Restrictions); ok {
		return ms + int64(p.SlackMin)*minuteMs
	}
	return int64(p.Hours) * hourMs
}

// longestStay reads how long a vehicle may stay, ms, out of restrictions as a
// person writes them.
func longestStay(restrictions []string) (ms int64, ok bool) {
	for _, text := range restrictions {
		words := strings.Fields(strings.ToLower(text))
		for i := 1; i+1 < len(words); i++ {
			before := words[i-1]
			if before == "lama" && (i < 2 || words[i-2] != "paling") || !slices.Contains([]string{"lama", "maksimal", "maks.", "max"}, before) {
				continue
			}
			n, err := strconv.ParseInt(words[i], 10, 32)
			if err != nil || n <= 0 {
				continue
			}
			switch words[i+1] {
			case "jam", "h", "hours", "hour":
				return n * hourMs, true
			case "menit", "min", "minutes":
				return n * minuteMs, true
			}
		}
	}
	return 0, false
}
