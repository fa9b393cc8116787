// Package vendors reads the payloads of devices as they are sold: one decoder
// for each profile that devices.csv can name. Pure functions of a LoRaWAN port
// and its bytes; what a payload says is returned in the city's words, without
// an identity, which the network gives.
//
// Where our words have no place for a value it is left out: magnetic fields,
// levels, and the tags of permit holders, which are personal data and end here.
// docs/devices.md has the source of every layout.
package vendors
