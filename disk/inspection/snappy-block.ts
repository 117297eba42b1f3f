/** Snappy's format, without its frame: how LevelDB keeps blocks. */
import { VarintReader } from "./varint-reader.ts";

const [LITERAL, COPY_1, COPY_2] = [0, 1, 2] as const;

/** Throws RangeError where the bytes are not what they should be. */
export function decompressSnappy(bytes: Buffer, bytesMax: number): Buffer {
  const header = new VarintReader(bytes);
  const length = header.number();
  if (length > bytesMax) throw new RangeError(`a block of ${length} bytes is too large`);
  const out = Buffer.alloc(length);
  let from = header.at;
  let to = 0;
  while (from < bytes.length) {
    const tag = byteAt(bytes, from++);
    const kind = tag & 3;
    if (kind === LITERAL) {
      const short = tag >>> 2;
      const extra = Math.max(0, short - 59);
      const count = (extra === 0 ? short : littleEndian(bytes, from, extra)) + 1;
      from += extra;
      if (from + count > bytes.length || to + count > length) throw new RangeError("a literal goes on behind the end");
      bytes.copy(out, to, from, from + count);
      from += count;
      to += count;
      continue;
    }
    const extra = kind === COPY_1 ? 1 : kind === COPY_2 ? 2 : 4;
    const count = kind === COPY_1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const offset = kind === COPY_1 ? ((tag >>> 5) << 8) | byteAt(bytes, from) : littleEndian(bytes, from, extra);
    from += extra;
    if (offset === 0 || offset > to || to + count > length) throw new RangeError("a copy is of what is not there");
    // One by one: a copy may run into what it writes.
    for (let index = 0; index < count; index++) out[to + index] = byteAt(out, to - offset + index);
    to += count;
  }
  if (to !== length) throw new RangeError(`${to} bytes instead of ${length}`);
  return out;
}

function littleEndian(bytes: Buffer, at: number, count: number): number {
  let value = 0;
  for (let index = count - 1; index >= 0; index--) value = value * 256 + byteAt(bytes, at + index);
  return value;
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new RangeError("the bytes end too early");
  return byte;
}
