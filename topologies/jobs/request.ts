/** Orders and rides in the words of the jobs table: from here on they are the same. */
import type { OrderEvent, RideEvent } from "#schemas";
import type { JobRequest } from "./job.ts";

export function requestOf(event: OrderEvent | RideEvent): JobRequest {
  const { eventId, version } = event;
  switch (event.type) {
    case "OrderPlaced": {
      const { pickup, dropOff, restaurantId, readyAt, occurredAt, notBefore, requirements, priceMinor, currency } = event;
      const content = { kind: "order", pickup, dropOff, placeId: restaurantId, readyAt, placedAt: occurredAt, notBefore } as const;
      return { type: "Placed", eventId, version, content: { ...content, requirements, priceMinor, currency } };
    }
    case "RideRequested": {
      const { pickup, dropOff, occurredAt, notBefore, requirements, quoteMinor, currency } = event;
      const readyAt = Math.max(notBefore, occurredAt);
      const content = { kind: "ride", pickup, dropOff, placeId: "", readyAt, placedAt: occurredAt, notBefore } as const;
      return { type: "Placed", eventId, version, content: { ...content, requirements, priceMinor: quoteMinor, currency } };
    }
    case "OrderReadyTimeChanged":
      return { type: "ReadyTimeChanged", eventId, version, readyAt: event.readyAt };
    case "OrderCancelled":
    case "RideCancelled":
      return { type: "Cancelled", eventId, version, occurredAt: event.occurredAt, reason: event.reason };
    default:
      return never(event);
  }
}

function never(event: never): never {
  throw new TypeError(`no request for ${JSON.stringify(event)}`);
}
