// Package codec reads payloads by the codec of a device's vendor: JavaScript
// with a function decodeUplink, as the LoRa Alliance's TS013 (Payload Codec
// API) describes it, and a mapping of its output to the city's words.
//
// It has two halves, which never run in one process:
//   - Script runs the JavaScript, in the process of package sandbox. Whatever
//     it does, only that process has to bear it.
//   - Mapping reads what came out, in the gateway. Its expressions (expr-lang)
//     have no loops, no variables and no clock, so that each of their nodes is
//     computed at most once.
//
// Call, Result and their bytes are what the two halves say to each other.
package codec
