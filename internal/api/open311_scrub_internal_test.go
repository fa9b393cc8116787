package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestScrubPlates: what points to a person or a vehicle goes, amounts and addresses
// stay.
func TestScrubPlates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Mobil B 1234 KZA di trotoar":           "Mobil […] di trotoar",
		"motor b1234kza dan B-1234-KZ":          "motor […] dan […]",
		"AD 4321 XY parkir ganda":               "[…] parkir ganda",
		"diminta Rp 5000 per jam, RP 5000 JUGA": "diminta Rp 5000 per jam, RP 5000 JUGA",
		"RT 005 RW 003, KM 120 A, Blok B 12 A":  "RT 005 RW 003, KM 120 A, Blok B 12 A",
		"telp 0812-3456-7890, a@b.id":           "telp […], […]",
	} {
		require.Equal(t, want, scrub(text))
	}
}
