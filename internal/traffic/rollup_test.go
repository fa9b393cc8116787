package traffic_test

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/traffic"
)

// TestRollUpsAgainstASlowFold sends whole minutes, five minutes and quarters
// of an hour in any order, hours late, from two devices that see the same
// lanes, with flushes and crashes, and asks for any span: of each lane and five
// minutes the device counts that covered more of them, then the first by name.
func TestRollUpsAgainstASlowFold(t *testing.T) {
	t.Parallel()
	v := parse(t, files(t, device("g", "c", 60)+device("h", "c", 300), "", divided("c")))
	dir := t.TempDir()
	const tries = 15 // each opens a file: fewer than rapid's 100
	n, found := 0, false
	rapid.Check(t, func(rt *rapid.T) {
		if n++; n > tries && !found {
			return
		}
		defer func() { found = found || rt.Failed() }()
		r := &rig{t: t, path: filepath.Join(dir, strconv.Itoa(n)), timeline: &inventory.Timeline{}, now: noon}
		r.open()
		defer func() { require.NoError(rt, r.f.Close()) }()
		r.accept(v)
		type place struct {
			t      int64
			lane   uint16
			device string
		}
		fold := map[place]traffic.Counts{}
		used := map[string]bool{}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			switch rapid.IntRange(0, 16).Draw(rt, "what") {
			case 0:
				require.NoError(rt, r.f.Flush())
				continue
			case 1:
				r.reopen()
				continue
			}
			name := rapid.SampledFrom([]string{"g", "h"}).Draw(rt, "device")
			period := rapid.SampledFrom([]int64{1, 1, 1, 5, 15}).Draw(rt, "minutes")
			at := noon + period*rapid.Int64Range(-120/period, 60/period).Draw(rt, "end")*minute
			if used[fmt.Sprint(name, at)] {
				continue
			}
			used[fmt.Sprint(name, at)] = true
			var lanes []city.Lane
			for number := range uint16(rapid.IntRange(1, 2).Draw(rt, "lanes")) {
				parts := max(1, uint32(period/5)) // counts that divide
				l := ln(number+1, parts*rapid.Uint32Range(0, 9).Draw(rt, "sm"), parts*rapid.Uint32Range(0, 9).Draw(rt, "kr"), 0)
				l.Unknown = parts * rapid.Uint32Range(0, 2).Draw(rt, "unknown")
				lanes = append(lanes, l)
				for i := range int64(parts) {
					begin := at - period*minute
					key := place{begin - begin%(5*minute) + i*5*minute, number + 1, name}
					c := fold[key]
					c.SM, c.KR, c.Unknown = c.SM+int64(l.SM/parts), c.KR+int64(l.KR/parts), c.Unknown+int64(l.Unknown/parts)
					c.CoveredMS += min(period, 5) * minute
					fold[key] = c
				}
			}
			r.reading(name, at, uint32(period*60), lanes...)
		}
		for range 4 {
			from := noon + 5*rapid.Int64Range(-30, 14).Draw(rt, "from")*minute
			to := from + 5*rapid.Int64Range(0, 30).Draw(rt, "length")*minute
			var want traffic.Counts
			for at := from; at < to; at += 5 * minute {
				for lane := range uint16(2) {
					g, h := fold[place{at, lane + 1, "g"}], fold[place{at, lane + 1, "h"}]
					if h.CoveredMS > g.CoveredMS {
						g = h
					}
					want.SM, want.KR, want.Unknown, want.CoveredMS = want.SM+g.SM, want.KR+g.KR, want.Unknown+g.Unknown, want.CoveredMS+g.CoveredMS
				}
			}
			require.Equal(rt, want, r.counts("c", from, to))
		}
	})
}
