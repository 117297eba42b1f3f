/** Annotated primitives that several schemas use. */

/** Milliseconds since the epoch, UTC; a plain number. */
export const timeSchema = { type: "long", logicalType: "timestamp-millis" } as const;

/** Id of an entity or event: 1 to 128 UTF-16 units. */
export const idSchema = { type: "string", minLength: 1, maxLength: 128 } as const;

/** ISO 4217 code of a currency in use. */
export const currencySchema = { type: "string", format: "currency" } as const;

/** Integer minor units, not negative. */
export const minorSchema = { type: "long", minimum: 0 } as const;

/** Counts from 1. */
export const countSchema = { type: "int", minimum: 1 } as const;

/** Free text from outside. */
export const noteSchema = { type: "string", maxLength: 1024 } as const;

/** Driver tags that a job asks for, or that a driver has. */
export const tagsSchema = { type: "array", items: idSchema, maxItems: 64 } as const;

/** A whole number that only ever grows from 0. */
export const counterSchema = { type: "int", minimum: 0 } as const;
