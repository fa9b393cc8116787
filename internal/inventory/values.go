package inventory

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/simpang-id/simpang/internal/strictyaml"
)

// The functions of this file say what is wrong with a value and what to do, ""
// where it is right.

const maxText = 2000

var idPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// ValidID tells whether s can be an id of the inventory.
func ValidID(s string) bool { return checkID(s) == "" }

// checkID holds ids to what fits a topic, a URL and a file name.
func checkID(s string) string {
	if !idPattern.MatchString(s) || s == "." || s == ".." {
		return fmt.Sprintf("is %q: use letters A-Z a-z, digits, dot, underscore and hyphen only, 64 at most", short(s))
	}
	return ""
}

func checkText(s string) string {
	if len(s) > maxText {
		return fmt.Sprintf("is longer than %d bytes: shorten it", maxText)
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return fmt.Sprintf("has the control character %U: remove it", r)
		}
	}
	return ""
}

func checkWord(s string, words []string) string {
	if slices.Contains(words, s) {
		return ""
	}
	if near := strictyaml.Nearest(s, words); near != "" {
		return fmt.Sprintf("is %q: did you mean %s? (use one of %s)", short(s), near, strings.Join(words, ", "))
	}
	return fmt.Sprintf("is %q: use one of %s", short(s), strings.Join(words, ", "))
}

// checkDate accepts YYYY-MM-DD between 1990 and 2199.
func checkDate(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return fmt.Sprintf("is %q: write the date as YYYY-MM-DD", short(s))
	}
	if t.Year() < 1990 || t.Year() > 2199 {
		return fmt.Sprintf("is %q: write a year between 1990 and 2199", s)
	}
	return ""
}

// checkClock accepts HH:MM between 00:00 and 23:59.
func checkClock(s string) string {
	if _, err := time.Parse("15:04", s); err != nil || len(s) != 5 {
		return fmt.Sprintf("is %q: write a time of day as HH:MM, 00:00 to 23:59", short(s))
	}
	return ""
}

func parseWhole(s string, low, high int64) (int64, string) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Sprintf("is %q: write a whole number with digits only", short(s))
	}
	if n < low || n > high {
		return 0, fmt.Sprintf("is %d: write a number from %d to %d", n, low, high)
	}
	return n, ""
}

// parsePPM reads a share of 0 to 1 ("0.1", "10%") as millionths, without a
// float; with decimalComma "0,1" too.
func parsePPM(s string, decimalComma bool) (int64, string) {
	text, percent := strings.CutSuffix(s, "%")
	text = strings.TrimSpace(text)
	if decimalComma {
		text = strings.Replace(text, ",", ".", 1)
	}
	whole, frac, _ := strings.Cut(text, ".")
	digits := 6 // behind the point that a millionth has
	if percent {
		digits = 4
	}
	bad := fmt.Sprintf("is %q: write a share from 0 to 1 with a decimal point, like 0.1, six digits behind it at most", short(s))
	if whole == "" || len(whole) > 3 || len(frac) > digits || strings.ContainsAny(whole+frac, "+-_") {
		return 0, bad
	}
	n, err := strconv.ParseInt(whole+frac+strings.Repeat("0", digits-len(frac)), 10, 64)
	if err != nil || n > 1_000_000 {
		return 0, bad
	}
	return n, ""
}

// parseMoment reads RFC 3339, or a local date and time, or a local date (its
// first moment), as Unix ms.
func parseMoment(s string, zone *time.Location) (int64, string) {
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04Z07:00",
		"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly,
	} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			if t.Year() < 1990 || t.Year() > 2199 {
				return 0, fmt.Sprintf("is %q: write a year between 1990 and 2199", s)
			}
			return t.UnixMilli(), ""
		}
	}
	return 0, fmt.Sprintf("is %q: write a time as 2026-03-01T06:00:00+07:00, or in the city's time as 2026-03-01 06:00", short(s))
}

func splitWords(s string) []string { return strings.Fields(s) }
