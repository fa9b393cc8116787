package native_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// TestACounterSaysItsEnd: as a Modbus register does that is written so.
func TestACounterSaysItsEnd(t *testing.T) {
	t.Parallel()
	for _, end := range []int64{0, 65_536, 1_000_000 << 32} {
		r := city.Reading{
			Device: "g", Kind: city.KindGate, HasBoot: true, Boot: 1, Seq: 2, At: 1_772_380_800_000,
			Gate: &city.Gate{Class: city.Car, Total: city.SomeInt(5), End: end},
		}
		d := native.Decode("g", native.Encode(&r))
		require.Empty(t, d.Refused)
		require.Equal(t, []city.Reading{r}, d.Readings)
	}
}
