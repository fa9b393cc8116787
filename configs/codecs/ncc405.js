// An example of a payload codec: the layout of nwave's NCC405 vehicle counter.
const RESETS = new Map([[1, "watchdog"], [6, "brownout"], [7, "other"]]);

const readers = {
  1: { length: 2, read: (b) => ({ type: "counter", counter_value: (b[0] << 8) | b[1] }) },
  2: { length: 3, read: (b) => ({ type: "heartbeat", battery_voltage: 2.5 + b[1] * 0.004 }) },
  3: {
    length: 4,
    read: (b) => ({
      type: "startup",
      firmware: `${b[0]}.${b[1]}.${b[2]}`,
      problems: RESETS.has(b[3]) ? [`reset: ${RESETS.get(b[3])}`] : [],
    }),
  },
  6: { length: 0, read: () => ({ type: "debug" }) },
};

const decodeUplink = ({ bytes, fPort }) => {
  const reader = readers[fPort];
  if (!reader) return { errors: [`unknown port ${fPort}`] };
  if (bytes.length < reader.length) return { errors: ["too short"] };
  return { data: reader.read(bytes) };
};
