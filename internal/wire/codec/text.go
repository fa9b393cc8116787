package codec

import (
	"strconv"
	"strings"
)

func indexName(i int) string { return strconv.Itoa(i) }

// clip bounds a text that others wrote.
func clip(s string) string {
	const most = 256
	s = strings.ToValidUTF8(s, "?")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

// short bounds what a fault repeats of a file.
func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "..."
	}
	return s
}
