// Package lorawan reads what the servers of LoRaWAN networks say of devices:
// format tts is The Things Stack v3, chirpstack is ChirpStack v4. Pure functions.
//
// What a frame is in our words:
//   - Seq is the frame counter and At the network's time of receipt, since the
//     devices have no clock; there is no boot. So a counter that falls (a new
//     session, a reset, 16 bits that wrapped) begins a run, as with any device
//     that does not count its boots.
//   - A frame is one reading of the device's kind, or of health where it says
//     nothing of that. What the device says of itself beside a state, joins and
//     status events are health beside the frames: city.BesideBoot, a Seq made of
//     the time.
//   - Of several gateways the one that heard best tells rssi and snr.
//   - Members that Protobuf leaves out are 0: no f_cnt is 0, no f_port is 0.
package lorawan
