import { SerdeError } from "../errors.ts";
import type { SchemaRegistry } from "../registry/registry.ts";
import { type BodyReader, type Codec, codecOf } from "./codec.ts";
import { type DecodeLimits, defaultLimits } from "./limits.ts";
import type { AvroSchema, AvroValue } from "./schema.ts";
import { schemaText } from "./schema-text.ts";

/** Bytes for values and values for bytes, in the shape that the engine asks for. */
export interface ValueSerde<T> {
  /** `avro:` and the subject: later versions of a compatible schema read what earlier ones wrote. */
  readonly id: string;
  /** Writes the frame at `at` and returns its end, or the length that the target must have at least. Throws VALIDATION. */
  encode(value: T, target: Buffer, at: number): number;
  /** Reads exactly bytes[start, end). Throws SerdeError; the value's objects have the same shape each time. */
  decode(bytes: Buffer, start: number, end: number): T;
  /** The value itself; throws VALIDATION if `encode` would refuse it: for input from elsewhere, before it is trusted. */
  validate(value: unknown): T;
}

export interface AvroSerdeOptions<S extends AvroSchema> {
  readonly subject: string;
  readonly schema: S;
  readonly registry: SchemaRegistry;
  /** Id of the schema in the registry. Default: what the registry has or gives for it. */
  readonly schemaId?: number;
  readonly limits?: Partial<DecodeLimits>;
}

const FRAME_BYTES = 5;
/** Writers' schemas that one serde keeps compiled. */
const READERS_MAX = 1_024;

/** Frames of the Confluent wire format: byte 0, the writer's schema id as 4 bytes big-endian, the Avro body. */
export function avroSerde<const S extends AvroSchema>(options: AvroSerdeOptions<S>): ValueSerde<AvroValue<S>> {
  const { subject, schema, registry } = options;
  const schemaId = options.schemaId ?? registry.register(subject, schemaText(schema));
  return new AvroSerde<AvroValue<S>>(subject, schemaId, schema, registry, { ...defaultLimits, ...options.limits });
}

class AvroSerde<T> implements ValueSerde<T> {
  readonly id: string;
  readonly #subject: string;
  readonly #schemaId: number;
  readonly #codec: Codec;
  readonly #registry: SchemaRegistry;
  readonly #bytesMax: number;
  /** Readers by the writer's schema id, or why there is none, and the one used last: nearly always there is only one. */
  readonly #readers = new Map<number, BodyReader | SerdeError>();
  #lastId = -1;
  #lastReader: BodyReader | undefined;

  constructor(subject: string, schemaId: number, schema: AvroSchema, registry: SchemaRegistry, limits: DecodeLimits) {
    this.id = `avro:${subject}`;
    this.#subject = subject;
    this.#schemaId = schemaId;
    this.#codec = codecOf(schema, limits);
    this.#registry = registry;
    this.#bytesMax = limits.bytesMax;
  }

  encode(value: T, target: Buffer, at: number): number {
    const body = at + FRAME_BYTES;
    const end = this.#codec.write(value, target, body);
    if (end - at > this.#bytesMax)
      throw new SerdeError("LIMIT_EXCEEDED", `${this.#subject}: a value of ${end - at} bytes, at most ${this.#bytesMax}.`, {
        subject: this.#subject,
      });
    if (end <= target.length) {
      target[at] = 0;
      target.writeUInt32BE(this.#schemaId, at + 1);
    }
    return end;
  }

  decode(bytes: Buffer, start: number, end: number): T {
    const length = end - start;
    if (length < FRAME_BYTES || bytes[start] !== 0) throw this.#notAFrame(bytes, start, length);
    if (length > this.#bytesMax)
      throw new SerdeError("LIMIT_EXCEEDED", `${this.#subject}: a value of ${length} bytes, at most ${this.#bytesMax}.`, {
        subject: this.#subject,
      });
    const id = bytes.readUInt32BE(start + 1);
    if (id !== this.#lastId || this.#lastReader === undefined) {
      this.#lastReader = this.#reader(id);
      this.#lastId = id;
    }
    // The codec reads by the schema from which S derives T.
    return this.#lastReader.read(bytes, start + FRAME_BYTES, end) as T;
  }

  validate(value: unknown): T {
    this.#codec.validate(value);
    // The check knows every field of the schema from which S derives T.
    return value as T;
  }

  #reader(id: number): BodyReader {
    const known = this.#readers.get(id);
    if (known instanceof SerdeError) throw known;
    if (known !== undefined) return known;
    const text = this.#registry.schemaById(id);
    const subject = this.#subject;
    if (text === undefined)
      throw new SerdeError("UNKNOWN_SCHEMA", `id=${id} ${subject}: register the writer's schema, or look who writes here.`, {
        subject,
        schemaId: id,
      });
    if (this.#readers.size >= READERS_MAX) this.#readers.clear();
    try {
      const reader = this.#codec.readerFor(text);
      this.#readers.set(id, reader);
      return reader;
    } catch (error) {
      // Compiled once, not for each record of a wrong writer.
      if (error instanceof SerdeError) this.#readers.set(id, error);
      throw error;
    }
  }

  #notAFrame(bytes: Buffer, start: number, length: number): SerdeError {
    const reason = length < FRAME_BYTES ? `${length} bytes are shorter than a frame` : `the first byte is ${bytes[start]}, not 0`;
    return new SerdeError("MALFORMED_FRAME", `${this.#subject}: ${reason}. The writer does not use the Confluent wire format.`, {
      subject: this.#subject,
      reason,
    });
  }
}
