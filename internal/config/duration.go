package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a time span as people write it: Go's way ("90s", "1h30m") or
// whole days ("7d").
type Duration struct{ time.Duration }

const maxDays = 100_000

// UnmarshalScalar reads a span that is not below 0.
func (d *Duration) UnmarshalScalar(text string) error {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 32)
		if err != nil || n > maxDays {
			return fmt.Errorf("%q is no number of days: write it like 7d, up to %dd", short(text), maxDays)
		}
		d.Duration = time.Duration(n) * day
		return nil
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is no time span: write it like 90s, 5m, 168h or 7d", short(text))
	}
	if v < 0 {
		return fmt.Errorf("%q is below 0: write it like 90s, 5m, 168h or 7d", short(text))
	}
	d.Duration = v
	return nil
}

// String writes whole days as days.
func (d Duration) String() string {
	if d.Duration > 0 && d.Duration%day == 0 {
		return strconv.FormatInt(int64(d.Duration/day), 10) + "d"
	}
	return d.Duration.String()
}

func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "..."
	}
	return s
}
