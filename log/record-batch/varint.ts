/** Zigzag varints as Kafka's records use them: writing, and the sizes that must be known before writing. */

const INT_MAX = 0x3fff_ffff;

/** Bytes of the zigzag varint of a safe integer. */
export function varintBytes(value: number): number {
  if (value >= -INT_MAX && value <= INT_MAX) {
    const zigzag = (value << 1) ^ (value >> 31);
    return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : zigzag < 0x20_0000 ? 3 : zigzag < 0x1000_0000 ? 4 : 5;
  }
  let zigzag = value < 0 ? -value * 2 - 1 : value * 2;
  let bytes = 1;
  for (; zigzag >= 0x80; bytes++) zigzag = Math.floor(zigzag / 0x80);
  return bytes;
}

/** Writes the zigzag varint of a safe integer and returns the position behind it. */
export function writeVarint(bytes: Buffer, at: number, value: number): number {
  if (value < -INT_MAX || value > INT_MAX) return writeLongVarint(bytes, at, value);
  let zigzag = (value << 1) ^ (value >> 31);
  while (zigzag > 0x7f) {
    bytes[at++] = (zigzag & 0x7f) | 0x80;
    zigzag >>>= 7;
  }
  bytes[at++] = zigzag;
  return at;
}

/** By arithmetic, since shifts stop at 32 bits; doubling a safe integer loses nothing below 2^53. */
function writeLongVarint(bytes: Buffer, at: number, value: number): number {
  let zigzag = value < 0 ? -value * 2 - 1 : value * 2;
  while (zigzag > 0x7f) {
    const rest = Math.floor(zigzag / 0x80);
    bytes[at++] = (zigzag - rest * 0x80) | 0x80;
    zigzag = rest;
  }
  bytes[at++] = zigzag;
  return at;
}
