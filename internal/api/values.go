package api

import (
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Time is a moment as answers write it: RFC 3339 with the city's offset.
type Time string

// Schema tells OpenAPI what a Time looks like.
func (Time) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Examples: []any{"2026-03-02T08:15:00+07:00"}}
}

// TimeOrNull is a moment, or null where it is "".
type TimeOrNull string

// Schema tells OpenAPI what a TimeOrNull looks like.
func (TimeOrNull) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Nullable: true}
}

// MarshalJSON writes null for "".
func (t TimeOrNull) MarshalJSON() ([]byte, error) { return TextOrNull(t).MarshalJSON() }

// TextOrNull is a text, or null where it is "".
type TextOrNull string

// Schema tells OpenAPI what a TextOrNull looks like.
func (TextOrNull) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Nullable: true}
}

// MarshalJSON writes null for "".
func (t TextOrNull) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(t))
}

// formatTime writes a moment (Unix ms) with milliseconds only where there are
// any.
func formatTime(ms int64, zone *time.Location) string { return string(appendTime(nil, ms, zone)) }

func appendTime(dst []byte, ms int64, zone *time.Location) []byte {
	t := time.UnixMilli(ms).In(zone)
	if ms%1000 == 0 {
		return t.AppendFormat(dst, "2006-01-02T15:04:05-07:00")
	}
	return t.AppendFormat(dst, "2006-01-02T15:04:05.000-07:00")
}

// at writes a moment (Unix ms) in the city's zone.
func (s *Server) at(ms int64) Time { return Time(formatTime(ms, s.zone)) }

// atOrNull writes a moment, null for 0.
func (s *Server) atOrNull(ms int64) TimeOrNull { return FormatTime(ms, s.zone) }

// ageS returns whole seconds from ms to now, never below 0.
func ageS(ms, now int64) int64 { return max(0, now-ms) / 1000 }
