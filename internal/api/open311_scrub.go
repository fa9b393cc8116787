package api

import (
	"regexp"
	"strings"
)

// scrubbed is what a citizen's words may hold that points to a person: e-mail
// addresses, telephone numbers, numbers of identity cards.
var scrubbed = regexp.MustCompile(`[\pL\pN._%+-]+@[\pL\pN.-]+\.\pL{2,}|(?:\+?62|\b0)[ .-]?8(?:[ .-]?[0-9]){7,11}\b|` +
	// NIK: six digits of the place, the day (of a woman 40 more) and month of birth
	`\b[1-9][0-9]{5}(?:[04][1-9]|[1256][0-9]|[37][01])(?:0[1-9]|1[0-2])[0-9]{6}\b`)

// plates are numbers of vehicles, as people write them: B 1234 KZA, b1234kza.
var plates = regexp.MustCompile(`\b(?:[A-Z]{1,2}|b)[ -]?[0-9]{3,4}[ -]?(?:[A-Z]{1,3}|[a-z]{2,3})\b`)

// notPlates begin what only looks like one: amounts, and parts of an address.
var notPlates = []string{"RP", "NO", "JL", "KM", "RT", "RW"}

// scrub takes that out of a public text. The register keeps the text as it came.
func scrub(text string) string {
	return plates.ReplaceAllStringFunc(scrubbed.ReplaceAllString(text, "[…]"), func(found string) string {
		for _, head := range notPlates {
			if strings.HasPrefix(found, head) {
				return found
			}
		}
		return "[…]"
	})
}
