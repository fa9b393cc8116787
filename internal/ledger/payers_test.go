package ledger

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

func TestPayersAreCounted(t *testing.T) {
	for name, x := range map[string]struct {
		sums  Payers
		count int
	}{
		"nobody":                       {Payers{}, 0},
		"by NPWPD":                     {Payers{{"P.1", "a"}: 1, {"P.2", "b"}: 1}, 2},
		"several operators, one NPWPD": {Payers{{"P.1", "a"}: 1, {"P.1", "b"}: 1, {"P.1", "c"}: 1}, 1},
		"without NPWPD":                {Payers{{"", "a"}: 1, {"", "b"}: 1, {"P.1", "c"}: 1}, 3},
		"one got its NPWPD later":      {Payers{{"", "a"}: 1, {"P.1", "a"}: 1, {"P.1", "b"}: 1}, 1},
		"nothing left":                 {Payers{{"P.1", "a"}: 1, {"P.1", "b"}: -1, {"P.2", "c"}: 0}, 0},
		"unknown alone":                {Payers{{"", ""}: 1}, 1},
		"unknown beside others":        {Payers{{"", ""}: 1, {"P.1", "a"}: 1, {"P.2", "b"}: 1}, 2},
	} {
		require.Equal(t, x.count, x.sums.Count(), name)
		require.Equal(t, x.count == 1 || x.count == 2, x.sums.Few(), name)
	}
	all := Payers{{"P.1", "a"}: 5}
	all.AddAll(Payers{{"P.1", "a"}: -5})
	require.Equal(t, 1, all.Count())
}

// TestATaxpayerWithoutNPWPDIsOne: op-1 to op-3 have no NPWPD.
func TestATaxpayerWithoutNPWPDIsOne(t *testing.T) {
	files := testFiles()
	files["operators.csv"] = []byte(strings.NewReplacer("P.1", "", "P.2", "", "P.3", "").Replace(string(files["operators.csv"])))
	b := benchOf(t, parseVersion(t, files))
	total := func() AccountTotal { return b.account(t, accountPBJT) }
	for i, device := range []string{"meter-c", "meter-d", "meter-e"} {
		b.read(t, (&till{device: device, boot: 1}).paper(day0, "1", 10_000, city.Cash))
		require.Equal(t, i == 2, total().Recorded.OK, "of %d taxpayers", i+1)
	}
	require.Equal(t, city.SomeInt(30_000), total().Recorded)
	for _, operator := range []string{"op-1", "op-2"} {
		b.book(t, day0, deposit(operator, "SSPD", 1_000, 0, pbjt(operator, "")))
		require.True(t, total().Suppressed)
		require.False(t, total().Realized.OK)
	}
	b.book(t, day0, deposit("op-3", "SSPD", 1_000, 0, pbjt("op-3", "")))
	require.Equal(t, city.SomeInt(3_000), total().Realized)
	b.book(t, day0, deposit("op-1b", "SSPD", 500, 0, pbjt("op-1", "")))
	require.Equal(t, city.SomeInt(3_000), total().Realized, "told with two others")
	require.True(t, total().Withheld)
	b.verify(t)
}
