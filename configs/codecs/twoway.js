// An example of a payload codec: a made-up counter that tells what passed in
// both ways since its last frame.
function decodeUplink(input) {
  return {
    data: {
      class: ["car", "motorcycle"][input.bytes[0] >> 7],
      battery: input.bytes[0] & 0x7f,
      in: input.bytes[1],
      out: input.bytes[2],
    },
  };
}
