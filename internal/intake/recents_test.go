package intake

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestRecentsAreTheLast compares the ring with a plain list, whatever is in a
// row and whatever was stored meanwhile.
func TestRecentsAreTheLast(t *testing.T) {
	type one struct {
		boot, seq   uint64
		content, at uint32
	}
	rapid.Check(t, func(t *rapid.T) {
		var x recents
		var list []one
		stored := false // then how many are in a row is counted anew
		last := one{boot: rapid.Uint64Range(0, 2).Draw(t, "boot"), seq: rapid.Uint64().Draw(t, "seq")}
		for range rapid.IntRange(1, 8).Draw(t, "stretches") {
			switch rapid.IntRange(0, 3).Draw(t, "break") {
			case 0:
				last.boot++
			case 1:
				last.seq += rapid.Uint64Range(0, 3).Draw(t, "gap")
			case 2:
				last.seq = rapid.Uint64().Draw(t, "seq")
			}
			for range rapid.IntRange(1, 100).Draw(t, "n") {
				last.seq, last.content, last.at = last.seq+1, last.content+1, last.at+7
				x.note(last.boot, last.seq, last.content, last.at)
				if list = append(list, last); len(list) > recentSize {
					list = list[1:]
				}
			}
			if rapid.IntRange(0, 3).Draw(t, "stored") == 0 {
				stored = true
				m, err := decodeMemory(encodeMemory(nil, &memory{recents: x, runs: []run{{hasBoot: true, boot: last.boot, spans: []span{{last.seq, last.seq}}}}}))
				require.NoError(t, err)
				x = m.recents
			}
			require.Len(t, x.contents, len(list))
			for _, want := range list {
				found := false
				for i := x.find(want.boot, want.seq, 0); i >= 0; i = x.find(want.boot, want.seq, i+1) {
					found = found || x.contents[i] == want.content && (x.ats == nil || want.boot != 0 || x.ats[i] == want.at)
				}
				require.True(t, found, "%+v in %+v", want, x)
			}
			next := func(o one) bool { return o.boot == last.boot && o.seq == last.seq+1 }
			require.Equal(t, slices.ContainsFunc(list, next), x.find(last.boot, last.seq+1, 0) >= 0)
		}
		if !stored && len(list) == recentSize && list[0].boot == last.boot && list[0].seq == last.seq-recentSize+1 {
			require.Nil(t, x.keys, "all are in a row")
		}
	})
}
