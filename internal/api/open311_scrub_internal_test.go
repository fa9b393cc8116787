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

		"lihat B 12 AB, B 1234 Kza dan d 1234 ab":     "lihat […], […] dan […]",
		"B 1 A, BK 12 ABC; kt1234xy/z 9 q":            "[…], […]; […]/[…]",
		"di Blok B 12 D 1234 AB parkir":               "di Blok B 12 […] parkir",
		"pintu b 1234 kza, mobil B.1234.KZA, ab-12-c": "pintu […], mobil […], […]",
		"parkir di 12 ab sudah penuh":                 "parkir di 12 ab sudah penuh",
		"di 12 titik, ke 3 di RT 5 RW 3, no 12 b":     "di 12 titik, ke 3 di RT 5 RW 3, no 12 b",
		"gate B 2 dan zona a 3 di barat, KM 12 a":     "gate B 2 dan zona a 3 di barat, KM 12 a",
		"bayar a 5 rb, antre s 10 jam, jl. D 12 ab":   "bayar a 5 rb, antre s 10 jam, jl. D 12 ab",
		"sejak 12 mei 2026 ada 3 org dan pak 4 kali":  "sejak 12 mei 2026 ada 3 org dan pak 4 kali",
		"jam 7 pagi s/d 9 mlm; lebar 5 m 2 org":       "jam 7 pagi s/d 9 mlm; lebar 5 m 2 org",
		"B 1234 KZAX dan 6b 12 ab, Rp5000 per":        "B 1234 KZAX dan 6b 12 ab, Rp5000 per",
	} {
		require.Equal(t, want, scrub(text))
	}
}
