package open311

import (
	"strings"
	"time"
)

// layouts that are read; those without a zone in the reader's.
var layouts = []string{time.RFC3339, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05", time.DateOnly}

// ParseTime reads a time as Open311 servers and clients write it, Unix ms. A
// time without a zone is of zone; a space before a zone is the `+` that a form
// made of it.
func ParseTime(text string, zone *time.Location) (int64, bool) {
	text = strings.TrimSpace(text)
	if i := strings.IndexByte(text, 'T'); i > 0 {
		text = text[:i] + strings.ReplaceAll(text[i:], " ", "+")
	}
	if len(text) > 40 {
		return 0, false
	}
	for _, layout := range layouts {
		t, err := time.ParseInLocation(layout, text, zone)
		if err == nil && t.Year() > 1900 && t.Year() < 10_000 {
			return t.UnixMilli(), true
		}
	}
	return 0, false
}

// FormatTime writes a time in its zone, to the second; "" for 0.
func FormatTime(ms int64, zone *time.Location) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).In(zone).Format("2006-01-02T15:04:05Z07:00")
}
