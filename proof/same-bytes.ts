/** D6: two runs of the same input give the same topics, byte for byte. */
import type { Source } from "./history.ts";
import { Findings } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

/** A record as it lies in the log. */
export interface RawRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly { readonly key: string; readonly value: Uint8Array | null }[];
}

export interface TopicPair {
  readonly topic: string;
  readonly first: Source<RawRecord>;
  readonly second: Source<RawRecord>;
}

export interface SameBytesOptions {
  /** Compare offsets too: true unless one run's log has transaction markers or was cut. Default true. */
  readonly offsets?: boolean;
  /** A run's records that the other's reading has not reached yet, in one topic. Default 100,000: beyond it RangeError. */
  readonly aheadMax?: number;
}

/** Compares partition by partition, however the two readings interleave them. After a partition's first difference it is left. */
export async function compareRuns(pairs: Iterable<TopicPair>, options: SameBytesOptions = {}): Promise<Verdict> {
  const findings = new Findings("D6");
  for (const pair of pairs) await compareTopic(pair, findings, { offsets: options.offsets ?? true, aheadMax: options.aheadMax ?? 100_000 });
  return findings.verdict();
}

interface Lane {
  /** Records of the run that is ahead. */
  readonly ahead: RawRecord[];
  taken: number;
  run: 0 | 1;
  differs: boolean;
}

async function compareTopic(pair: TopicPair, findings: Findings, options: Required<SameBytesOptions>): Promise<void> {
  const runs = [iteratorOf(pair.first), iteratorOf(pair.second)] as const;
  const lanes = new Map<number, Lane>();
  const open = [true, true];
  let waiting = 0;
  while (open[0] === true || open[1] === true) {
    for (const run of [0, 1] as const) {
      if (open[run] !== true) continue;
      const { done, value: record } = await runs[run].next();
      if (done === true) {
        open[run] = false;
        continue;
      }
      let lane = lanes.get(record.partition);
      if (lane === undefined) {
        lane = { ahead: [], taken: 0, run, differs: false };
        lanes.set(record.partition, lane);
      }
      if (lane.differs) continue;
      waiting += meet(lane, run, record, pair.topic, findings, options.offsets);
      if (waiting > options.aheadMax) {
        throw new RangeError(`${pair.topic}: one run is ${waiting} records ahead of the other: read both in the same order of partitions`);
      }
    }
  }
  for (const [partition, lane] of lanes) {
    const left = lane.ahead[lane.taken];
    if (lane.differs || left === undefined) continue;
    const names = lane.run === 0 ? "the first run has a record that the second lacks" : "the second run has a record that the first lacks";
    findings.violated(pair.topic, { partition, offset: left.offset }, names);
  }
}

/** Change of the number of records that wait for their twin. */
function meet(lane: Lane, run: 0 | 1, record: RawRecord, topic: string, findings: Findings, offsets: boolean): number {
  if (lane.taken === lane.ahead.length) {
    lane.ahead.length = 0;
    lane.taken = 0;
    lane.run = run;
  }
  if (lane.run === run) {
    lane.ahead.push(record);
    return 1;
  }
  const twin = lane.ahead[lane.taken++];
  findings.checked();
  const difference = twin === undefined ? "presence" : differenceOf(twin, record, offsets);
  if (difference !== undefined) {
    lane.differs = true;
    findings.violated(topic, record, `the runs differ in ${difference}`);
    return lane.taken - 1 - lane.ahead.length;
  }
  return -1;
}

function differenceOf(a: RawRecord, b: RawRecord, offsets: boolean): string | undefined {
  if (offsets && a.offset !== b.offset) return `offset: ${a.offset} and ${b.offset}`;
  if (a.timestamp !== b.timestamp) return `timestamp: ${a.timestamp} and ${b.timestamp}`;
  if (!sameBytes(a.key, b.key)) return "key";
  if (!sameBytes(a.value, b.value)) return "value";
  const mine = a.headers ?? [];
  const theirs = b.headers ?? [];
  const same =
    mine.length === theirs.length && mine.every((header, i) => header.key === theirs[i]?.key && sameBytes(header.value, theirs[i].value));
  return same ? undefined : "headers";
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return Buffer.compare(a, b) === 0;
}

function iteratorOf(source: Source<RawRecord>): { next(): IteratorResult<RawRecord> | Promise<IteratorResult<RawRecord>> } {
  return Symbol.iterator in source ? source[Symbol.iterator]() : source[Symbol.asyncIterator]();
}
