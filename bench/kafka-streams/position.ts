/** A driver's position, framed Avro: string, double, double, long, float, float, float. The Java anchor reads and writes the same bytes. */
import { stringSerde, type Serde } from "#state";

export interface DriverPosition {
  readonly driverId: string;
  readonly latitude: number;
  readonly longitude: number;
  /** Microseconds since the epoch. */
  readonly recordedAtMicros: number;
  readonly accuracyMetres: number;
  readonly speed: number;
  readonly heading: number;
}

export interface DriverState {
  /** 15 hex digits. */
  readonly cell: string;
  readonly last: DriverPosition;
}

const FRAME_BYTES = 5;
const SCHEMA_ID = 1;
const CELL_BYTES = 8;
/** Frame, longest varints, two doubles and three floats. */
const BYTES_BESIDE_ID = FRAME_BYTES + 5 + 16 + 10 + 12;
const LOW_BITS = 0x80;
const TWO_TO_28 = 2 ** 28;

export const positionSerde: Serde<DriverPosition> = { id: "driver-position", encode: writePosition, decode: readPosition };

export const driverStateSerde: Serde<DriverState> = {
  id: "driver-state",
  encode(state, target, at) {
    if (at + CELL_BYTES > target.length) return at + CELL_BYTES + BYTES_BESIDE_ID;
    const { cell } = state;
    target.writeUInt32LE(hexOf(cell, cell.length - 8, cell.length), at);
    target.writeUInt32LE(hexOf(cell, 0, cell.length - 8), at + 4);
    return writePosition(state.last, target, at + CELL_BYTES);
  },
  decode(bytes, start) {
    const low = bytes.readUInt32LE(start).toString(16).padStart(8, "0");
    return { cell: bytes.readUInt32LE(start + 4).toString(16) + low, last: readPosition(bytes, start + CELL_BYTES) };
  },
};

/** Of the lower-case digits from one place up to another, at most eight. */
function hexOf(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const unit = text.charCodeAt(at);
    value = (value << 4) | (unit < 0x60 ? unit - 0x30 : unit - 0x57);
  }
  return value >>> 0;
}

function writePosition(value: DriverPosition, target: Buffer, start: number): number {
  // Up to 63 bytes, so that its length has one: written before it is known.
  const idAt = start + FRAME_BYTES + 1;
  let at = stringSerde.encode(value.driverId, target, idAt);
  if (at + BYTES_BESIDE_ID > target.length) return at + BYTES_BESIDE_ID;
  target[start] = 0;
  target.writeUInt32BE(SCHEMA_ID, start + 1);
  writeLong(at - idAt, target, start + FRAME_BYTES);
  target.writeDoubleLE(value.latitude, at);
  target.writeDoubleLE(value.longitude, at + 8);
  at = writeLong(value.recordedAtMicros, target, at + 16);
  target.writeFloatLE(value.accuracyMetres, at);
  target.writeFloatLE(value.speed, at + 4);
  return target.writeFloatLE(value.heading, at + 8);
}

function readPosition(bytes: Buffer, start: number): DriverPosition {
  let at = start + FRAME_BYTES;
  // An id of up to 63 bytes has a length of one byte; zigzag doubles it.
  const idEnd = at + 1 + ((bytes[at] ?? 0) >>> 1);
  const driverId = stringSerde.decode(bytes, at + 1, idEnd);
  const latitude = bytes.readDoubleLE(idEnd);
  const longitude = bytes.readDoubleLE(idEnd + 8);
  at = idEnd + 16;
  // Above 2^31: by arithmetic, not by bits.
  let doubled = 0;
  let factor = 1;
  for (;;) {
    const next = bytes[at++] ?? 0;
    doubled += (next & 0x7f) * factor;
    if (next < LOW_BITS) break;
    factor *= LOW_BITS;
  }
  return {
    driverId,
    latitude,
    longitude,
    recordedAtMicros: doubled / 2,
    accuracyMetres: bytes.readFloatLE(at),
    speed: bytes.readFloatLE(at + 4),
    heading: bytes.readFloatLE(at + 8),
  };
}

/** Zero or more, below 2^52: by shifts, four groups of seven bits and then the rest. */
function writeLong(value: number, target: Buffer, start: number): number {
  const doubled = value * 2;
  const high = Math.floor(doubled / TWO_TO_28);
  let rest = doubled - high * TWO_TO_28;
  let at = start;
  if (high > 0) {
    for (let group = 0; group < 4; group++, rest >>>= 7) target[at++] = (rest & 0x7f) | LOW_BITS;
    rest = high;
  }
  for (; rest >= LOW_BITS; rest >>>= 7) target[at++] = (rest & 0x7f) | LOW_BITS;
  target[at++] = rest;
  return at;
}
