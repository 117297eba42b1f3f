/**
 * Present drivers and their last locations in memory, by fine cell: committed rows of the partitions whose tasks run in this process,
 * kept by the feed. What is not whole here is read from the stores.
 */
import type { StoreKey } from "#state";
import type { CommittedFeed, CommittedView, InputPosition, RowSink } from "#streams";
import { PRESENCE_STORE, type DriverWhereabouts, type PresenceRow } from "#topologies";
import {
  finePathOf,
  lastLocation,
  middleOf,
  storedDrivers,
  WHEREABOUTS_STORE,
  type DriverSource,
  type LastLocation,
  type PresenceArea,
  type PresentDriver,
} from "./driver-source.ts";

/** Stores that a feed needs for the index. */
export const INDEXED_STORES: readonly string[] = [PRESENCE_STORE, WHEREABOUTS_STORE];

/** Fine cells are kept together by their parents of this resolution, the finest that are asked for. */
const BUCKET_RESOLUTION = 8;
/** Base cell. */
const PATH_BASE = 3;
const BUCKET_PATH = PATH_BASE + BUCKET_RESOLUTION;
const CHILD_DIGITS = ["0", "1", "2", "3", "4", "5", "6"];

export interface DriverIndexOptions {
  /** Of a feed that has `INDEXED_STORES`; it feeds one index at a time. */
  readonly feed: CommittedFeed;
  readonly view: CommittedView;
  /** Hears why a partition is read from the stores again, until its task is opened anew. */
  readonly onFailure: (error: unknown) => void;
  /** Rows of both stores together; with more of them nothing is kept and the stores answer. Default 1,000,000: some 350 MB. */
  readonly rowsMax?: number;
}

const ROWS_MAX = 1_000_000;

type Rows = Pick<RowSink, "put" | "delete" | "clear">;

interface Entry extends PresentDriver {
  readonly key: string;
}

class Bucket {
  readonly entries = new Map<string, Entry>();
  #sorted: readonly Entry[] | undefined;

  changed(): void {
    this.#sorted = undefined;
  }

  /** In the order of the store's keys. */
  get sorted(): readonly Entry[] {
    return (this.#sorted ??= [...this.entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1)));
  }
}

export class DriverIndex implements DriverSource {
  readonly #feed: CommittedFeed;
  readonly #stored: DriverSource;
  /** By partition, then by path of the parent. */
  readonly #buckets = new Map<number, Map<string, Bucket>>();
  readonly #located = new Map<string, LastLocation & { readonly partition: number }>();
  readonly #detach: readonly (() => void)[];
  readonly #options: DriverIndexOptions;
  #present = 0;
  #closed = false;

  constructor(options: DriverIndexOptions) {
    const { feed, view, onFailure } = options;
    this.#options = options;
    this.#feed = feed;
    this.#stored = storedDrivers(view);
    this.#detach = [
      feed.attach(PRESENCE_STORE, { ...this.#presence(), failed: onFailure }),
      feed.attach(WHEREABOUTS_STORE, { ...this.#whereabouts(), failed: onFailure }),
    ];
  }

  /** Everything is read from the stores from then on. */
  close(): void {
    this.#closed = true;
    for (const detach of this.#detach) detach();
    this.#buckets.clear();
    this.#located.clear();
    this.#present = 0;
  }

  /** How far the inputs of what it has of the partition were processed; undefined while it has not all of it. */
  positions(partition: number): readonly InputPosition[] | undefined {
    return this.#feed.positions(PRESENCE_STORE, partition);
  }

  /** Rows in memory. */
  counts(): { readonly present: number; readonly located: number } {
    return { present: this.#present, located: this.#located.size };
  }

  present(partition: number, area: PresenceArea, rowsMax: number): readonly PresentDriver[] {
    if (!this.#feed.whole(PRESENCE_STORE, partition) || area.path.length > BUCKET_PATH)
      return this.#stored.present(partition, area, rowsMax);
    const buckets = this.#buckets.get(partition);
    if (buckets === undefined) return [];
    const found = area.path.length === BUCKET_PATH ? (buckets.get(area.path)?.sorted ?? []) : below(buckets, area.path);
    return found.length > rowsMax ? found.slice(0, rowsMax) : found;
  }

  lastLocations(driverIds: readonly string[]): readonly (LastLocation | undefined)[] {
    const located = driverIds.map((driverId): LastLocation | undefined => this.#located.get(driverId));
    if (this.#feed.complete(WHEREABOUTS_STORE) || !located.includes(undefined)) return located;
    // Theirs are the partitions that are not whole here.
    const missing = driverIds.filter((_, at) => located[at] === undefined);
    const read = this.#stored.lastLocations(missing);
    let next = 0;
    return located.map((known) => known ?? read[next++]);
  }

  #presence(): Rows {
    const bucketOf = (partition: number, key: string): Bucket => {
      let buckets = this.#buckets.get(partition);
      if (buckets === undefined) this.#buckets.set(partition, (buckets = new Map()));
      const path = key.slice(0, BUCKET_PATH);
      let bucket = buckets.get(path);
      if (bucket === undefined) buckets.set(path, (bucket = new Bucket()));
      return bucket;
    };
    return {
      put: (partition, rowKey, value) => {
        const key = textOf(rowKey);
        const bucket = bucketOf(partition, key);
        if (!bucket.entries.has(key)) this.#present++;
        // The store holds nothing else.
        bucket.entries.set(key, { key, row: value as PresenceRow, middle: middleOf(finePathOf(key)) });
        bucket.changed();
        this.#checkRoom();
      },
      delete: (partition, rowKey) => {
        const key = textOf(rowKey);
        const bucket = bucketOf(partition, key);
        if (bucket.entries.delete(key)) this.#present--;
        bucket.changed();
        if (bucket.entries.size === 0) this.#buckets.get(partition)?.delete(key.slice(0, BUCKET_PATH));
      },
      clear: (partition) => {
        for (const { entries } of this.#buckets.get(partition)?.values() ?? []) this.#present -= entries.size;
        this.#buckets.delete(partition);
      },
    };
  }

  /** A scan that is under way may bring a few more rows after it. */
  #checkRoom(): void {
    const { rowsMax = ROWS_MAX, onFailure } = this.#options;
    if (this.#present + this.#located.size <= rowsMax) return;
    const wasClosed = this.#closed;
    this.close();
    if (!wasClosed) onFailure(new RangeError(`more than ${rowsMax} rows of drivers: they are read from the stores from now on`));
  }

  #whereabouts(): Rows {
    return {
      // The store holds nothing else.
      put: (partition, key, value) => {
        this.#located.set(textOf(key), { ...lastLocation(value as DriverWhereabouts), partition });
        this.#checkRoom();
      },
      delete: (_partition, key) => void this.#located.delete(textOf(key)),
      clear: (partition) => {
        for (const [driverId, location] of this.#located) if (location.partition === partition) this.#located.delete(driverId);
      },
    };
  }
}

/** All buckets below a path, in its order. */
function below(buckets: ReadonlyMap<string, Bucket>, path: string): readonly Entry[] {
  if (path.length === BUCKET_PATH) return buckets.get(path)?.sorted ?? [];
  return CHILD_DIGITS.flatMap((digit) => below(buckets, path + digit));
}

/** Both stores have texts as keys. */
function textOf(key: StoreKey): string {
  return String(key);
}
