// An example of a payload codec: a made-up radar that tells an interval of two
// lanes, with the time by its own clock.
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  u8() {
    return this.bytes[this.at++];
  }
  u16() {
    return (this.u8() << 8) | this.u8();
  }
  u32() {
    return this.u16() * 65536 + this.u16();
  }
}

function lane(r) {
  const one = { motorcycles: r.u16(), cars: r.u16(), trucks: r.u8() };
  const speed = r.u8();
  if (speed !== 255) one.speed = speed / 2; // 255: nothing passed
  return one;
}

function decodeUplink(input) {
  const r = new Reader(input.bytes);
  const flags = r.u8();
  const data = { event: flags & 1 ? "interval" : "status", tilted: (flags & 2) !== 0, battery_mv: r.u16() };
  if (data.event === "interval") {
    data.end = new Date(r.u32() * 1000);
    data.minutes = r.u8();
    data.near = lane(r);
    data.far = lane(r);
  }
  return { data };
}
