/** Orders and rides as the life of a job sees them; written from the contracts of the topics, not from the code that is checked. */
import type { JobContent, OrderEvent, RideEvent } from "#schemas";
import { topicNames } from "./history.ts";
import type { Position, ProofRecord } from "./history.ts";

export interface Request extends Position {
  readonly kind: "placed" | "readyTimeChanged" | "cancelled";
  readonly eventId: string;
  readonly version: number;
  /** Placed only. */
  readonly content: JobContent | undefined;
  /** Another ready time only. */
  readonly readyAt: number;
}

export function requestOfOrder({ value: event, partition, offset }: ProofRecord<OrderEvent>): Request {
  const { eventId, version } = event;
  const base = { topic: topicNames.orders, partition, offset, eventId, version };
  switch (event.type) {
    case "OrderPlaced": {
      const { pickup, dropOff, restaurantId, readyAt, occurredAt, notBefore, requirements, priceMinor, currency } = event;
      const where = { kind: "order", pickup, dropOff, placeId: restaurantId } as const;
      const content = { ...where, readyAt, placedAt: occurredAt, notBefore, requirements, priceMinor, currency };
      return { ...base, kind: "placed", content, readyAt };
    }
    case "OrderReadyTimeChanged":
      return { ...base, kind: "readyTimeChanged", content: undefined, readyAt: event.readyAt };
    case "OrderCancelled":
      return { ...base, kind: "cancelled", content: undefined, readyAt: 0 };
    default:
      return never(event);
  }
}

/** A ride is ready as soon as it is asked for, or when its customer wants to start. */
export function requestOfRide({ value: event, partition, offset }: ProofRecord<RideEvent>): Request {
  const { eventId, version } = event;
  const base = { topic: topicNames.rides, partition, offset, eventId, version };
  switch (event.type) {
    case "RideRequested": {
      const { pickup, dropOff, occurredAt, notBefore, requirements, quoteMinor, currency } = event;
      const readyAt = Math.max(occurredAt, notBefore);
      const where = { kind: "ride", pickup, dropOff, placeId: "" } as const;
      const content = { ...where, readyAt, placedAt: occurredAt, notBefore, requirements, priceMinor: quoteMinor, currency };
      return { ...base, kind: "placed", content, readyAt };
    }
    case "RideCancelled":
      return { ...base, kind: "cancelled", content: undefined, readyAt: 0 };
    default:
      return never(event);
  }
}

/** What the content becomes by a change: the customer asked once, whenever he changes his mind. */
export function contentAfter(before: JobContent, request: Request): JobContent {
  if (request.content === undefined) return { ...before, readyAt: request.readyAt };
  return { ...request.content, placedAt: before.placedAt };
}

/** The name of the first field that differs. */
export function differenceOf(expected: JobContent | null, found: JobContent | null): string | undefined {
  if (expected === null || found === null) return expected === found ? undefined : "content";
  const { pickup, dropOff, requirements, ...rest } = expected;
  for (const name of Object.keys(rest) as (keyof typeof rest)[]) if (rest[name] !== found[name]) return name;
  if (pickup.latitude !== found.pickup.latitude || pickup.longitude !== found.pickup.longitude) return "pickup";
  if (dropOff.latitude !== found.dropOff.latitude || dropOff.longitude !== found.dropOff.longitude) return "dropOff";
  const same = requirements.length === found.requirements.length && requirements.every((tag, i) => tag === found.requirements[i]);
  return same ? undefined : "requirements";
}

function never(event: never): never {
  throw new TypeError(`no request for ${JSON.stringify(event)}`);
}
