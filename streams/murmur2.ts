/** The hash of Kafka's clients, so that every producer of the field puts a key into the same partition as we do. */

const seed = 0x9747_b28c;
const multiplier = 0x5bd1_e995;
const rotation = 24;

/** Signed 32 bits, as the Java client's `Utils.murmur2`. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  const whole = length & ~3;
  let hash = seed ^ length;
  for (let at = 0; at < whole; at += 4) {
    // Within bounds: `at` + 3 is below `whole`, which is at most the length.
    let word =
      (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
    word = Math.imul(word, multiplier);
    word = Math.imul(word ^ (word >>> rotation), multiplier);
    hash = Math.imul(hash, multiplier) ^ word;
  }
  if (length > whole) {
    if (length - whole > 2) hash ^= (bytes[whole + 2] as number) << 16;
    if (length - whole > 1) hash ^= (bytes[whole + 1] as number) << 8;
    hash = Math.imul(hash ^ (bytes[whole] as number), multiplier);
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}
