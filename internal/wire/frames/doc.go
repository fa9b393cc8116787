// Package frames is the format `frames` of contract section 3: sentences of
// our own over a serial line, framed like NMEA 0183.
//
// Where the contract is silent this holds:
//   - The 255 bytes are those of the whole sentence, from $ to LF.
//   - $ and * stand nowhere inside a sentence: a $ always begins one.
//   - A sentence may end in LF alone; the checksum may be in either case.
//   - Optional are boot, direction (forward), the class of a receipt, void (0),
//     and all counts, speed, occupancy and totals. If any of the four counts is
//     there, the empty ones are 0; if none is, the lane has no counts.
//   - More fields than ours are ignored and counted, fewer are absent ones.
//   - Numbers are plain decimals: no exponent, no plus sign, no space.
//   - What the format has no field for (a spot's battery, a receipt's times)
//     Encode leaves out; what it cannot say at all is an error.
package frames

// MaxLine is the longest sentence with $ and CR LF, bytes.
const MaxLine = 255
