/**
 * Values to Avro bodies and back. Avro's library reads and writes the records; around it lie the union at the top, which
 * `type` picks, the guard and the domain checks. A reading type has one more field than the bytes: `type`, always missing in
 * what was written and so filled in by its default. Reading old data and naming kinds is thereby the same step.
 */
import type { Type } from "avsc";
import { SerdeError } from "../errors.ts";
import { type Check, branchPicker, createCheck } from "./check.ts";
import { type Guard, createGuard } from "./guard.ts";
import type { DecodeLimits } from "./limits.ts";
import { parseSchema, typesOf } from "./parse-schema.ts";
import { type AvroSchema, branchesOf, isUnion } from "./schema.ts";
import { schemaJson } from "./schema-text.ts";

/** Reads bodies that one writer's schema wrote. */
export interface BodyReader {
  read(bytes: Buffer, start: number, end: number): unknown;
}

/** One branch of the schema, or the whole of it when it is no union. */
interface Branch {
  readonly wire: Type;
  readonly reading: Type;
  readonly check: Check | undefined;
}

export class Codec {
  readonly #branches: readonly Branch[];
  readonly #isUnion: boolean;
  readonly #pick: (value: unknown) => number;
  readonly #check: Check | undefined;
  readonly #limits: DecodeLimits;

  constructor(schema: AvroSchema, limits: DecodeLimits) {
    const schemas = branchesOf(schema);
    const wire = typesOf(schemaJson(schema)).branches;
    const reading = typesOf(schemaJson(schema, { tags: true })).branches;
    this.#branches = schemas.map((branch, index) => ({
      wire: wire[index] as Type,
      reading: reading[index] as Type,
      check: createCheck(branch, "decoded"),
    }));
    this.#isUnion = isUnion(schema);
    this.#pick = this.#isUnion ? branchPicker(schemas) : () => 0;
    this.#check = createCheck(schema, "foreign");
    this.#limits = limits;
  }

  /** Throws VALIDATION for a value that does not fit the schema or its ranges. */
  validate(value: unknown): void {
    this.#check?.(value);
  }

  /** Writes the body and returns its end, or the length that the target would need at least. */
  write(value: unknown, target: Buffer, at: number): number {
    this.#check?.(value);
    const index = this.#pick(value);
    const branch = this.#branches[index] as Branch;
    let start = at;
    // The branch index is a zigzag varint: one byte below 64 branches.
    if (this.#isUnion) {
      if (start < target.length) target[start] = index << 1;
      start++;
    }
    const end = branch.wire.encode(value, target, start);
    return end >= 0 ? end : target.length - end;
  }

  /** Throws SCHEMA_INCOMPATIBLE or SCHEMA_INVALID for a writer whose data cannot be read here. */
  readerFor(writerText: string): BodyReader {
    const writer = parseSchema(writerText);
    const readings = writer.branches.map((type) => this.#reading(type));
    const first = readings.find((reading) => reading instanceof SerdeError);
    if (first !== undefined && readings.every((reading) => reading instanceof SerdeError)) throw first;
    return writer.isUnion ? new UnionReader(readings) : (readings[0] as Reading);
  }

  #reading(writer: Type): Reading | SerdeError {
    const guard = createGuard(writer, this.#limits);
    let cause: unknown;
    for (const { reading, check } of this.#branches) {
      try {
        return new Reading(reading, reading.createResolver(writer), guard, check);
      } catch (error) {
        if (cause === undefined || reading.name === writer.name) cause = error;
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
      // The guard has passed the structure: what is left are longs beyond 2^53 and unknown enum symbols.
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
