package archive

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestOneDeviceIsPickedOutOfTheMapAsTheWholeMapHasIt(t *testing.T) {
	name := rapid.OneOf(
		rapid.StringMatching(`[a-c0-9._:-]{1,3}`), rapid.SampledFrom([]string{",", `"`, `","`, `\`, `a"`, "a,b", "é", "],", `],"first_row":[`, "<a>", " a"}),
	)
	rapid.Check(t, func(r *rapid.T) {
		x := &index{}
		names := rapid.SliceOfNDistinct(name, 0, 12, rapid.ID[string]).Draw(r, "names")
		slices.Sort(names)
		for _, n := range names {
			for range rapid.IntRange(1, 3).Draw(r, "entries") {
				x.add(n, rapid.Int64Range(-1<<60, 1<<60).Draw(r, "at"), rapid.IntRange(1, 9).Draw(r, "rows"), []byte(rapid.String().Draw(r, "bytes")))
			}
		}
		text, err := x.encode()
		require.NoError(r, err)
		picked := 0
		for _, n := range append(names, "a", "b", "zz", "") {
			got, ok := pick(text, n)
			if !ok {
				continue
			}
			picked++
			require.Equal(r, x.only(x.find(n)), got, "%q of %s", n, text)
		}
		if len(names) > 0 {
			require.Positive(r, picked)
		}
		cut := text[:rapid.IntRange(0, len(text)).Draw(r, "cut")]
		_, _ = pick(cut, "a") // no panic
	})
}

func TestWhatIsBehindCommas(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.StringMatching(`[,a]{0,20}(a{200})?[,a]{0,20}(,{300})?[a,]{0,600}`).Draw(r, "text")
		fields := strings.Split(text, ",")
		n := rapid.IntRange(0, len(fields)+1).Draw(r, "n")
		rest, ok := behindCommas(text, n)
		require.Equal(r, n < len(fields), ok)
		if ok {
			require.Equal(r, strings.Join(fields[n:], ","), rest)
		}
	})
}

func BenchmarkPick(b *testing.B) {
	x := &index{}
	for i := range 3000 {
		x.add("spot-alun-alun-"+string(rune('a'+i/676))+string(rune('a'+i/26%26))+string(rune('a'+i%26)), int64(i), 90, []byte{1})
	}
	text, err := x.encode()
	require.NoError(b, err)
	for b.Loop() {
		_, ok := pick(text, x.Device[2000])
		require.True(b, ok)
	}
}
