// Package escpos reads the copied print stream of a till (format `escpos`): a
// machine that knows the length of each ESC/POS command takes the text out, a
// splitter finds the ends of receipts, and templates make a receipt of it.
//
// What holds:
//   - Images, barcodes, 2D codes and every other argument are skipped by their
//     lengths and never taken for text; what a barcode or 2D code says is kept
//     beside the text.
//   - A command that is not known drops its two bytes and is counted.
//   - A receipt ends at a cut, at ESC @ after text, or when the line is idle.
//   - What was not seen from its beginning to its end is never read for an
//     amount; neither is text that no template fits.
//
// The lengths are those of facts/devices.md, section 5.7; the commands that are
// marked as general there or in command.go are not verified against a printer.
package escpos
