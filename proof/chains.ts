/**
 * Exactly once, shown by chains: each event of a key makes one link, which carries its number, a hash over all events of the key
 * so far, and the event. A lost, doubled or reordered event breaks the chain from there on. It knows nothing of what made them.
 */

export interface ChainRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: string;
}

export interface ChainTopics {
  /** As committed, in offset order within a partition; each key in one partition. */
  readonly events: readonly ChainRecord[];
  /** Likewise. */
  readonly links: readonly ChainRecord[];
  /** Events that must have no link: partition/offset of each dead letter's origin. */
  readonly deadLetters?: readonly string[];
  /** Which events are bad; default none. */
  readonly isBad?: (value: string) => boolean;
}

const EXAMPLES_MAX = 10;
const FNV_START = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The hash of a chain after one more event; begin with `undefined`. */
export function chainHash(before: number | undefined, event: string): number {
  let hash = before ?? FNV_START;
  for (let index = 0; index < event.length; index++) hash = Math.imul(hash ^ event.charCodeAt(index), FNV_PRIME);
  return hash >>> 0;
}

/** The value of a link. */
export function chainLink(number: number, hash: number, event: string): string {
  return `${number} ${hash} ${event}`;
}

/** What is wrong, at most ten examples; empty when every good event has its one link in its place, and every bad one its dead letter. */
export function checkChains({ events, links, deadLetters = [], isBad = () => false }: ChainTopics): readonly string[] {
  const wrong: string[] = [];
  const tell = (text: string): void => {
    if (wrong.length < EXAMPLES_MAX) wrong.push(text);
  };
  const expected = new Map<string, string[]>();
  const hashes = new Map<string, number>();
  const bad = new Set<string>();
  for (const { partition, offset, key, value } of events) {
    if (isBad(value)) {
      bad.add(`${partition}/${offset}`);
      continue;
    }
    const chain = expected.get(key) ?? [];
    expected.set(key, chain);
    const hash = chainHash(hashes.get(key), value);
    hashes.set(key, hash);
    chain.push(chainLink(chain.length + 1, hash, value));
  }
  const seen = new Map<string, number>();
  for (const { partition, offset, key, value } of links) {
    const at = seen.get(key) ?? 0;
    seen.set(key, at + 1);
    const due = expected.get(key)?.[at];
    if (due !== value) tell(`link ${partition}/${offset} of ${key} is "${value}", expected ${due === undefined ? "none" : `"${due}"`}`);
  }
  for (const [key, chain] of expected) {
    const count = seen.get(key) ?? 0;
    if (count !== chain.length) tell(`${key} has ${count} links of ${chain.length}`);
  }
  const buried = new Set<string>();
  for (const origin of deadLetters) {
    if (!bad.has(origin)) tell(`the event ${origin} is a dead letter and was good`);
    if (buried.has(origin)) tell(`the event ${origin} is a dead letter twice`);
    buried.add(origin);
  }
  for (const origin of bad) if (!buried.has(origin)) tell(`the bad event ${origin} is no dead letter`);
  return wrong;
}
