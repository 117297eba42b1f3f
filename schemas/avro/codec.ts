/**
 * Avro bodies to values and back. Avro's library reads them, `BodyWriter` writes them; around the reading lie the union at the
 * top, the guard before and the domain checks after. A reading type has one field more than the bytes: `type`, always missing
 * in what was written and so filled in by its default. Reading old data and naming kinds is thereby the same step.
 */
import type { Type } from "avsc";
import { SerdeError } from "../errors.ts";
import { type Check, createCheck } from "./check.ts";
import { type Guard, createGuard } from "./guard.ts";
import type { DecodeLimits } from "./limits.ts";
import { parseSchema, typesOf } from "./parse-schema.ts";
import { type AvroSchema, branchesOf } from "./schema.ts";
import { schemaJson } from "./schema-text.ts";
import { BodyWriter } from "./write.ts";

const nowhere = Buffer.alloc(0);
/** Writers' schemas that one codec keeps compiled. */
const READERS_MAX = 1_024;

/** By schema and limits. */
const codecs = new WeakMap<object, Map<string, Codec>>();

/** One for each schema and limits of a thread: compiling it takes milliseconds, and what is compiled anew runs cold. */
export function codecOf(schema: AvroSchema, limits: DecodeLimits): Codec {
  if (typeof schema === "string") return new Codec(schema, limits);
  const ofSchema = codecs.get(schema) ?? new Map<string, Codec>();
  codecs.set(schema, ofSchema);
  const key = JSON.stringify(limits);
  const codec = ofSchema.get(key) ?? new Codec(schema, limits);
  ofSchema.set(key, codec);
  return codec;
}

/** Reads bodies that one writer's schema wrote. */
export interface BodyReader {
  read(bytes: Buffer, start: number, end: number): unknown;
}

/** One branch of the schema, or the whole of it when it is no union. */
interface Branch {
  readonly type: Type;
  readonly check: Check | undefined;
}

export class Codec {
  readonly #branches: readonly Branch[];
  readonly #writer: BodyWriter;
  readonly #limits: DecodeLimits;
  readonly #readers = new Map<string, BodyReader>();

  constructor(schema: AvroSchema, limits: DecodeLimits) {
    const { branches } = typesOf(schemaJson(schema, { tags: true }));
    this.#branches = branchesOf(schema).map((branch, index) => ({ type: branches[index] as Type, check: createCheck(branch) }));
    this.#writer = new BodyWriter(schema);
    this.#limits = limits;
  }

  /** Throws VALIDATION for a value that does not fit the schema or its ranges. */
  validate(value: unknown): void {
    this.#writer.write(value, nowhere, 0);
  }

  /** Writes the body and returns its end, or the length that the target would need at least. Throws VALIDATION. */
  write(value: unknown, target: Buffer, at: number): number {
    return this.#writer.write(value, target, at);
  }

  /** Throws SCHEMA_INCOMPATIBLE or SCHEMA_INVALID for a writer whose data cannot be read here. */
  readerFor(writerText: string): BodyReader {
    const known = this.#readers.get(writerText);
    if (known !== undefined) return known;
    const reader = this.#compile(writerText);
    if (this.#readers.size >= READERS_MAX) this.#readers.clear();
    this.#readers.set(writerText, reader);
    return reader;
  }

  #compile(writerText: string): BodyReader {
    const writer = parseSchema(writerText);
    const readings = writer.branches.map((type) => this.#reading(type));
    const first = readings.find((reading) => reading instanceof SerdeError);
    if (first !== undefined && readings.every((reading) => reading instanceof SerdeError)) throw first;
    return writer.isUnion ? new UnionReader(readings) : (readings[0] as Reading);
  }

  #reading(writer: Type): Reading | SerdeError {
    const guard = createGuard(writer, this.#limits);
    let cause: unknown;
    for (const { type, check } of this.#branches) {
      try {
        return new Reading(type, type.createResolver(writer), guard, check);
      } catch (error) {
        if (cause === undefined || type.name === writer.name) cause = error;
      }
    }
    const name = writer.name ?? writer.typeName;
    return new SerdeError("SCHEMA_INCOMPATIBLE", `${name} of the writer's schema cannot be read here: upgrade this reader.`, { cause });
  }
}

type Resolver = ReturnType<Type["createResolver"]>;

class Reading implements BodyReader {
  readonly #type: Type;
  readonly #resolver: Resolver;
  readonly #guard: Guard;
  readonly #check: Check | undefined;

  constructor(type: Type, resolver: Resolver, guard: Guard, check: Check | undefined) {
    this.#type = type;
    this.#resolver = resolver;
    this.#guard = guard;
    this.#check = check;
  }

  read(bytes: Buffer, start: number, end: number): unknown {
    this.#guard(bytes, start, end);
    let value: unknown;
    try {
      ({ value } = this.#type.decode(bytes, start, this.#resolver) as { readonly value: unknown });
    } catch (cause) {
      // The guard has passed the structure, so this is a net: nothing is known that gets here.
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SerdeError("VALIDATION", `field= reason=${reason}`, { field: "", reason, cause });
    }
    this.#check?.(value);
    return value;
  }
}

class UnionReader implements BodyReader {
  readonly #readings: readonly (Reading | SerdeError)[];

  constructor(readings: readonly (Reading | SerdeError)[]) {
    this.#readings = readings;
  }

  read(bytes: Buffer, start: number, end: number): unknown {
    const first = start < end ? (bytes[start] as number) : 1;
    const reading = (first & 1) === 0 && first < 128 ? this.#readings[first >> 1] : undefined;
    if (reading === undefined) throw new SerdeError("MALFORMED_FRAME", `union index byte ${first} of ${this.#readings.length} kinds`);
    if (reading instanceof SerdeError) throw reading;
    return reading.read(bytes, start + 1, end);
  }
}
