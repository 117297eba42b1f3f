/** The record of an accepted input that had no effect. */
import type { InputRefused, RefusalReason } from "#schemas";
import type { RecordMetadata } from "#streams";

/** Bytes of the refused event that a refusal repeats at most. */
export const REFUSED_EVENT_BYTES_MAX = 4_096;

export interface Refused {
  readonly entity: InputRefused["entity"];
  readonly entityId: string;
  readonly event: { readonly type: string; readonly eventId?: string };
  readonly reason: RefusalReason;
  readonly at: number;
}

/** `from` is undefined for an input that was no record. */
export function refusal(refused: Refused, from: RecordMetadata | undefined): InputRefused {
  const { entity, entityId, event, reason, at } = refused;
  return {
    type: "InputRefused",
    entity,
    entityId,
    eventId: event.eventId ?? "",
    eventType: event.type,
    reason,
    topic: from?.topic ?? "",
    partition: from?.partition ?? 0,
    offset: from?.offset ?? 0,
    at,
    event: cut(JSON.stringify(event)),
  };
}

function cut(text: string): string {
  if (text.length * 3 <= REFUSED_EVENT_BYTES_MAX || Buffer.byteLength(text) <= REFUSED_EVENT_BYTES_MAX) return text;
  return Buffer.from(text)
    .subarray(0, REFUSED_EVENT_BYTES_MAX)
    .toString("utf8")
    .replace(/\uFFFD+$/u, "");
}
