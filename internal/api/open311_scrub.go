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

// plates are numbers of vehicles, as people write them: B 1234 KZA, b1234kza,
// d 12 ab: the letters of a region, up to four digits and up to three letters.
// The first group is a word before it.
var plates = regexp.MustCompile(`(?i)(?:\b([a-z]+)\.?[ -]+)??\b(a[abdeg]?|b[abdeghkmnlp]?|d[abcdeghklmnprst]?|e[abd]?|f|g|h|k[bhtu]?|l|m|n|p[abgst]?|r|s|t|w|z)` +
	`[ .-]?([0-9]{1,4})[ .-]?([a-z]{1,3})\b`)

// placeWords stand before what looks like a plate and is a part of a place.
var placeWords = wordSet(`blok blk jl jln jalan gg gang no nomor pintu gerbang gate zona lantai lt kav kavling unit lot tower jalur baris slot
	petak tiang kios los ruko terminal halte`)

// shortWords follow a number and are no end of a plate, in small letters.
var shortWords = wordSet(`dan di ke ini itu ada yg dr utk jam org rb jt km cm kg hr bln dgn dng tp krn tak tdk sdh blm udh lg jg aja aj kok nih sih deh pas mau per dll dst atau`)

func wordSet(list string) map[string]bool {
	out := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		out[word] = true
	}
	return out
}

// scrub takes that out of a public text. The register keeps the text as it came.
func scrub(text string) string {
	return scrubPlates(scrubbed.ReplaceAllString(text, "[…]"))
}

func scrubPlates(text string) string {
	var out strings.Builder
	for {
		at := plates.FindStringSubmatchIndex(text)
		if at == nil {
			out.WriteString(text)
			return out.String()
		}
		before := ""
		if at[2] >= 0 {
			before = strings.ToLower(text[at[2]:at[3]])
		}
		digits, tail := at[7]-at[6], text[at[8]:at[9]]
		until := strings.HasSuffix(strings.ToLower(text[:at[4]]), "s/") // s/d 12 mei
		if placeWords[before] && digits < 4 || digits < 3 && (shortWords[tail] || until) {
			out.WriteString(text[:at[5]]) // what follows may still be one: B 12 D 1234 AB
			text = text[at[5]:]
			continue
		}
		out.WriteString(text[:at[4]] + "[…]")
		text = text[at[9]:]
	}
}
