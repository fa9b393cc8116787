// Package senml reads SenML in JSON (RFC 8428), with base values and relative
// times, into readings of spots, gates, counts and health.
//
// Where the RFC leaves it open this holds:
//   - A name is device/member, before which anything may stand that ends in / or
//     a colon: urn:dev:bks:spot-a017/occupied. A name without device is of the
//     topic's.
//   - The records of one device and time are one reading: occupied (vb) makes it
//     a spot's; occupied (v) and class a count; direction and class a gate's,
//     with count; else it is health. Lanes and receipts have no form in SenML.
//   - Members: occupied, dwell_s, battery_v (or batt, V or mV; % is battery_pct),
//     temperature_c (or temp, Cel), rssi_dbm (or rssi), snr_db (or snr), direction,
//     class, count, uptime_s, firmware, error. Others are ignored and counted.
//   - seq and boot are the identity, as in format native. Without seq it is the
//     time; a gate's passage then needs one that is not relative, or it could
//     count twice when it is sent again.
package senml
