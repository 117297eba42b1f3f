/** The last event ids of one entity: a known id has no effect a second time. */

/** How many ids an entity remembers. */
export const RECENT_EVENTS_MAX = 64;

/** Oldest first. */
export function remember(recent: readonly string[], eventId: string): readonly string[] {
  return recent.length < RECENT_EVENTS_MAX ? [...recent, eventId] : [...recent.slice(recent.length - RECENT_EVENTS_MAX + 1), eventId];
}
