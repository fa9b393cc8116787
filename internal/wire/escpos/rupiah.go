package escpos

import (
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

// Rupiah reads a sum as it is printed in Indonesia: `Rp` or `IDR` or nothing
// before it, groups of three with dots (with commas where comma is true) or no
// groups at all, and `,-`, `,00`, `.-` or `.00` behind it. A minus or brackets
// make it negative; the amount itself never is. What could mean two sums, or
// has cents, is no sum.
func Rupiah(text string, comma bool) (amount city.Rupiah, negative, ok bool) {
	s := strings.TrimSpace(text)
	if inner, open := strings.CutPrefix(s, "("); open {
		inner, closed := strings.CutSuffix(inner, ")")
		if !closed {
			return 0, false, false
		}
		s, negative = strings.TrimSpace(inner), true
	}
	s, minus := minusOf(s)
	for _, currency := range []string{"RP", "IDR"} {
		if len(s) >= len(currency) && strings.EqualFold(s[:len(currency)], currency) {
			s = strings.TrimLeft(s[len(currency):], ". :")
			break
		}
	}
	s, again := minusOf(s)
	if minus && again || negative && (minus || again) {
		return 0, false, false
	}
	amount, ok = digits(withoutCents(s, comma), comma)
	return amount, negative || minus || again, ok
}

func minusOf(s string) (rest string, minus bool) {
	rest, minus = strings.CutPrefix(s, "-")
	return strings.TrimLeft(rest, " "), minus
}

// withoutCents takes off what stands for no cents.
func withoutCents(s string, comma bool) string {
	ends := []string{",-", ".-", ",00"}
	if comma {
		ends = []string{",-", ".-", ".00"}
	}
	for _, end := range ends {
		if rest, ok := strings.CutSuffix(s, end); ok {
			return rest
		}
	}
	return s
}

func digits(s string, comma bool) (city.Rupiah, bool) {
	part := "."
	if comma {
		part = ","
	}
	groups := strings.Split(s, part)
	var sum int64
	for i, g := range groups {
		if g == "" || len(groups) > 1 && (i == 0 && len(g) > 3 || i > 0 && len(g) != 3) {
			return 0, false
		}
		for _, c := range []byte(g) {
			if c < '0' || c > '9' {
				return 0, false
			}
			if sum = sum*10 + int64(c-'0'); sum > wire.MaxAmount {
				return 0, false
			}
		}
	}
	return city.Rupiah(sum), true
}
