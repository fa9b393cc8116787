// Package open311 is the words of Open311 GeoReport v2 and of its extension
// for updates: the types, JSON and XML written as the standard has them, forms
// encoded and parsed, and the answers of other servers read with tolerance
// (bare numbers, missing members, a wrapper or none) and within bounds. It
// does no I/O. Codes and ids are always strings; times are Unix ms, 0 where
// unknown.
package open311

// Specification is the address that names GeoReport v2 in a discovery.
const Specification = "http://wiki.open311.org/GeoReport_v2"

// Bounds of the standard, and ours where it names none.
const (
	MaxDescription = 4000 // characters of a description
	MaxSpanDays    = 90   // days between start_date and end_date
	MaxRows        = 1000 // requests in one answer
)
