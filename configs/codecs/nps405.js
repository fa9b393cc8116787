// An example of a payload codec: the layout of nwave's NPS405 parking sensor,
// read by port.
"use strict";

var RESETS = { 1: "watchdog", 6: "brownout", 7: "other" };

function signed(b) {
  return b > 127 ? b - 256 : b;
}

// How long the state before lasted: minutes up to 90, then steps of 5, then of 60.
function minutes(code) {
  if (code >= 127) return undefined; // over 660
  if (code >= 120) return 240 + 60 * (code - 120);
  if (code >= 90) return 90 + 5 * (code - 90);
  return code;
}

function state(data, first) {
  data.occupied = (first & 1) === 1;
  var lasted = minutes(first >> 1);
  if (lasted !== undefined) data.previous_state_s = lasted * 60;
}

function heartbeat(data, bytes) {
  data.occupied = (bytes[0] & 1) === 1;
  data.battery_voltage = (2500 + 4 * bytes[1]) / 1000;
  data.temperature = signed(bytes[2]) * 0.5 + 10;
  data.problems = [];
  var volts = data.battery_voltage + (data.temperature < -5 ? 0.1 : 0);
  if (volts < 2.9) data.problems.push("battery critical");
  else if (volts < 3) data.problems.push("battery low");
  if (bytes[0] >> 1) data.problems.push("hardware status " + (bytes[0] >> 1));
}

function startup(data, bytes) {
  data.firmware = bytes.slice(0, 3).join(".");
  data.problems = RESETS[bytes[3]] ? ["reset: " + RESETS[bytes[3]]] : [];
  data.occupied = (bytes[4] & 1) === 1;
}

var LENGTHS = { 1: 1, 2: 3, 3: 5, 6: 0, 10: 5 };

function decodeUplink(input) {
  var bytes = input.bytes, data = {};
  var need = LENGTHS[input.fPort];
  if (need === undefined) return { errors: ["unknown port " + input.fPort] };
  if (bytes.length < need) return { errors: ["too short"] };
  switch (input.fPort) {
    case 1:
    case 10:
      state(data, bytes[0]);
      break;
    case 2:
      heartbeat(data, bytes);
      break;
    case 3:
      startup(data, bytes);
      break;
  }
  return { data: data, warnings: [] };
}
