package influx

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// quote writes a Flux string literal. All but plain characters are written as
// bytes in hex, so that neither a quote nor an interpolation can end it.
func quote(s string) string {
	const hex = "0123456789abcdef"
	b := append(make([]byte, 0, len(s)+2), '"')
	for i := range len(s) {
		c := s[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(" ._-/:", c) >= 0
		if plain {
			b = append(b, c)
		} else {
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		}
	}
	return string(append(b, '"'))
}

// idPattern is an id as inventories have them; others are not asked for.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)

// fluxTime writes a time in ms as a Flux literal.
func fluxTime(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

// readingsQuery asks for a device's readings of some kinds, a row a point. Of
// each series the server takes most points and no more into its memory: who gets
// that many rows has not got all.
func readingsQuery(bucket string, o Origin, device string, kinds []city.Kind, from, to int64, most int) string {
	var q strings.Builder
	q.WriteString("from(bucket: " + quote(bucket) + ")\n |> range(start: " + fluxTime(from) + ", stop: " + fluxTime(to) + ")\n |> filter(fn: (r) => (")
	for i, k := range kinds {
		if i > 0 {
			q.WriteString(" or ")
		}
		q.WriteString("r._measurement == " + quote(k.String()))
	}
	q.WriteString(") and r.gateway == " + quote(o.Gateway) + " and r.city == " + quote(o.City) + " and r.device == " + quote(device) + ")\n")
	q.WriteString(" |> limit(n: " + strconv.Itoa(most) + ")\n")
	q.WriteString(` |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")`)
	return q.String()
}
