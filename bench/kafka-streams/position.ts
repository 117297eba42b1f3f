/** A driver's position, framed Avro: string, double, double, long, float, float, float. The Java anchor reads and writes the same bytes. */
import type { Serde } from "#state";

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

export const positionSerde: Serde<DriverPosition> = { id: "driver-position", encode: writePosition, decode: readPosition };

export const driverStateSerde: Serde<DriverState> = {
  id: "driver-state",
  encode(state, target, at) {
    if (at + CELL_BYTES > target.length) return at + CELL_BYTES + BYTES_BESIDE_ID;
    target.writeUInt32LE(Number.parseInt(state.cell.slice(-8), 16), at);
    target.writeUInt32LE(Number.parseInt(state.cell.slice(0, -8), 16), at + 4);
    return writePosition(state.last, target, at + CELL_BYTES);
  },
  decode(bytes, start) {
    const low = bytes.readUInt32LE(start).toString(16).padStart(8, "0");
    return { cell: bytes.readUInt32LE(start + 4).toString(16) + low, last: readPosition(bytes, start + CELL_BYTES) };
  },
};

function writePosition(value: DriverPosition, target: Buffer, start: number): number {
  const idBytes = Buffer.byteLength(value.driverId);
  if (start + BYTES_BESIDE_ID + idBytes > target.length) return start + BYTES_BESIDE_ID + idBytes;
  target.writeUInt8(0, start);
  target.writeUInt32BE(SCHEMA_ID, start + 1);
  let at = writeLong(idBytes, target, start + FRAME_BYTES);
  at += target.write(value.driverId, at, "utf8");
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
  const driverId = bytes.toString("utf8", at + 1, idEnd);
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

/** Zero or more. */
function writeLong(value: number, target: Buffer, start: number): number {
  let rest = value * 2;
  let at = start;
  for (; rest >= LOW_BITS; rest = Math.floor(rest / LOW_BITS)) target[at++] = (rest % LOW_BITS) | LOW_BITS;
  target[at++] = rest;
  return at;
}
