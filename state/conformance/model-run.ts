/** Random commands on a state and on the model beside it; after each the two must look the same. */
import * as fc from "fast-check";
import { expect } from "vitest";
import type { PriorityEntry, RowStore, SealedState, TaskState, TaskStateOptions, Timestamped } from "../store.ts";
import type { RowWrite } from "../row-key.ts";
import { alarms, descriptors, numbers, queue, stamped, storeIds, words, type Fact } from "./fixture-stores.ts";
import { inKeyOrder, modelStores, StateModel } from "./state-model.ts";

/** UTF-8 and UTF-16 order these differently; one is a prefix of others. */
const wordKeys = ["a", "ab", "b", "c", "ä", "\u{ffff}", "\u{1f600}", "z"];
const numberKeys = [-1e300, -2, -0.5, 0, 0.5, 1, 255, 256, 1e12];

export type ModelCommand =
  | { readonly kind: "put"; readonly store: string; readonly key: number; readonly value: number; readonly order: number }
  | { readonly kind: "delete"; readonly store: string; readonly key: number }
  | { readonly kind: "savepoint" | "rollback" | "seal" | "write" | "acknowledge" | "discard" | "reopen" }
  | {
      readonly kind: "range";
      readonly from: number | null;
      readonly to: number | null;
      readonly reverse: boolean;
      readonly limit: number | null;
      readonly deleting: boolean;
    };

const store = fc.constantFrom(...modelStores);
const key = fc.nat(wordKeys.length - 1);
const put = fc.record({ kind: fc.constant("put" as const), store, key, value: fc.nat(9), order: fc.nat(3) });
const bound = fc.option(key);

/** Sequences of commands; those that make no sense at their place do nothing. */
export const modelCommands: fc.Arbitrary<ModelCommand[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: put },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), store, key }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          "savepoint" as const,
          "savepoint" as const,
          "rollback" as const,
          "seal" as const,
          "seal" as const,
          "write" as const,
          "write" as const,
          "acknowledge" as const,
          "acknowledge" as const,
          "discard" as const,
          "reopen" as const,
        ),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("range" as const),
        from: bound,
        to: bound,
        reverse: fc.boolean(),
        limit: fc.option(fc.nat(4)),
        deleting: fc.boolean(),
      }),
    },
  ),
  { minLength: 1, maxLength: 60, size: "max" },
);

export class ModelRun {
  readonly #model = new StateModel();
  readonly #options: TaskStateOptions;
  readonly #open: (options: TaskStateOptions) => TaskState;
  readonly #write: (rows: readonly RowWrite[]) => void;
  #state: TaskState;
  #sealed: SealedState | undefined;

  constructor(parts: {
    readonly rows: RowStore;
    readonly partition: number;
    readonly write: (rows: readonly RowWrite[]) => void;
    readonly open: (options: TaskStateOptions) => TaskState;
  }) {
    this.#options = { rows: parts.rows, partition: parts.partition, descriptors, storeIds, freeze: true };
    this.#open = parts.open;
    this.#write = parts.write;
    this.#state = this.#open(this.#options);
  }

  run(commands: readonly ModelCommand[]): void {
    for (const command of commands) {
      this.#apply(command);
      this.#compare();
    }
    // Whatever is left is committed and found again.
    if (this.#sealed !== undefined) this.#applyAll("write", "acknowledge");
    this.#applyAll("seal", "write", "acknowledge", "reopen");
    this.#compare();
  }

  #applyAll(...kinds: readonly ("seal" | "write" | "acknowledge" | "reopen")[]): void {
    for (const kind of kinds) this.#apply({ kind });
  }

  #apply(command: ModelCommand): void {
    if (command.kind === "put") this.#put(command.store, command.key, { n: command.value }, command.order);
    else if (command.kind === "delete") this.#delete(command.store, command.key);
    else if (command.kind === "range") this.#range(command);
    else if (command.kind === "savepoint") {
      this.#state.savepoint();
      this.#model.savepoint();
    } else if (command.kind === "rollback") {
      this.#state.rollback();
      this.#model.rollback();
    } else this.#commitStep(command.kind);
  }

  #commitStep(kind: "seal" | "write" | "acknowledge" | "discard" | "reopen"): void {
    const committing = this.#sealed !== undefined;
    if (kind === "seal" && !committing) {
      this.#sealed = this.#state.seal();
      this.#model.seal();
    } else if (kind === "write" && this.#sealed !== undefined && !this.#model.written) {
      this.#write(this.#sealed.rows);
      this.#model.write();
    } else if (kind === "acknowledge" && committing && this.#model.written) {
      this.#state.acknowledge();
      this.#sealed = undefined;
      this.#model.acknowledge();
    } else if (kind === "discard" || kind === "reopen") {
      // With the generation written or not: that is what an unknown outcome is.
      if (kind === "discard") this.#state.discard();
      else {
        this.#state.close();
        this.#state = this.#open(this.#options);
      }
      this.#sealed = undefined;
      this.#model.discard();
    }
  }

  #put(name: string, keyIndex: number, value: Fact, order: number): void {
    const word = wordKeys[keyIndex] ?? "";
    if (name === words.name) this.#state.store(words).put(word, value);
    else if (name === numbers.name) this.#state.store(numbers).put(numberKeys[keyIndex] ?? 0, value);
    else if (name === stamped.name) this.#state.store(stamped).put(word, { value, timestamp: order });
    else if (name === queue.name) this.#state.store(queue).put(word, order - 1.5, value);
    else this.#state.store(alarms).set(word, order);
    this.#model.put(name, this.#keyOf(name, keyIndex), textOf(name, value, order));
  }

  #delete(name: string, keyIndex: number): void {
    const word = wordKeys[keyIndex] ?? "";
    if (name === words.name) this.#state.store(words).delete(word);
    else if (name === numbers.name) this.#state.store(numbers).delete(numberKeys[keyIndex] ?? 0);
    else if (name === stamped.name) this.#state.store(stamped).delete(word);
    else if (name === queue.name) this.#state.store(queue).delete(word);
    else this.#state.store(alarms).cancel(word);
    this.#model.delete(name, this.#keyOf(name, keyIndex));
  }

  #keyOf(name: string, keyIndex: number): string | number {
    return name === numbers.name ? (numberKeys[keyIndex] ?? 0) : (wordKeys[keyIndex] ?? "");
  }

  #range({ from, to, reverse, limit, deleting }: ModelCommand & { readonly kind: "range" }): void {
    const content = this.#model.visible.get(words.name) ?? new Map<string, string>();
    const low = from === null ? undefined : Buffer.from(wordKeys[from] ?? "");
    const high = to === null ? undefined : Buffer.from(wordKeys[to] ?? "");
    const expected = inKeyOrder(content).filter(([at]) => {
      const bytes = Buffer.from(String(at));
      return (low === undefined || bytes.compare(low) >= 0) && (high === undefined || bytes.compare(high) < 0);
    });
    if (reverse) expected.reverse();
    const options = {
      reverse,
      ...(from === null ? {} : { from: wordKeys[from] ?? "" }),
      ...(to === null ? {} : { to: wordKeys[to] ?? "" }),
      ...(limit === null ? {} : { limit }),
    };
    const store = this.#state.store(words);
    const seen: [string, string][] = [];
    for (const [at, value] of store.range(options)) {
      seen.push([at, textOf(words.name, value, 0)]);
      if (deleting) store.delete(at);
    }
    expect(seen).toEqual(expected.slice(0, limit ?? undefined));
    if (deleting) for (const [at] of seen) this.#model.delete(words.name, at);
  }

  #compare(): void {
    const state = this.#state;
    const visible = (name: string): ReadonlyMap<string | number, string> => this.#model.visible.get(name) ?? new Map<string, string>();
    expect(textsOf(words.name, state.store(words).range())).toEqual(inKeyOrder(visible(words.name)));
    expect(textsOf(numbers.name, state.store(numbers).range({ reverse: true }))).toEqual(inKeyOrder(visible(numbers.name)).toReversed());
    expect(textsOf(stamped.name, state.store(stamped).range())).toEqual(inKeyOrder(visible(stamped.name)));
    for (const word of wordKeys) {
      expect(describe(words.name, state.store(words).get(word))).toBe(visible(words.name).get(word));
      expect(describe(stamped.name, state.store(stamped).get(word))).toBe(visible(stamped.name).get(word));
      expect(describe(queue.name, state.store(queue).get(word))).toBe(visible(queue.name).get(word));
      expect(describe(alarms.name, state.store(alarms).at(word))).toBe(visible(alarms.name).get(word));
      this.#compareCommitted(word);
    }
    this.#compareOrders();
  }

  /** While a written generation is not acknowledged, both answers were committed at some time. */
  #compareCommitted(word: string): void {
    const known = describe(words.name, this.#state.committed<string, Fact>(words.name, word));
    const now = this.#model.rows.get(words.name)?.get(word);
    if (this.#sealed === undefined || !this.#model.written) expect(known).toBe(now);
  }

  #compareOrders(): void {
    const entries = [...(this.#model.visible.get(queue.name) ?? [])].map(
      ([id, text]) => [Number(text.split("@")[1]), String(id), text] as const,
    );
    entries.sort(([a, idA], [b, idB]) => a - b || (idA < idB ? -1 : 1));
    const jobs = this.#state.store(queue);
    expect(jobs.size).toBe(entries.length);
    expect([...jobs.entries()].map((entry) => [entry.id, describe(queue.name, entry)])).toEqual(entries.map(([, id, text]) => [id, text]));
    expect(jobs.peek()?.id).toBe(entries[0]?.[1]);
    const due = [...(this.#model.visible.get(alarms.name) ?? [])].map(([at, text]) => [Number(text), String(at)] as const);
    due.sort(([a, keyA], [b, keyB]) => a - b || (keyA < keyB ? -1 : 1));
    const timers = this.#state.store(alarms);
    expect(timers.size).toBe(due.length);
    expect(timers.peek()?.key).toBe(due[0]?.[1]);
    expect(timers.peek()?.at).toBe(due[0]?.[0]);
  }
}

/** The value as the model keeps it. */
function textOf(name: string, value: Fact | Timestamped<Fact>, order: number): string {
  if (name === queue.name) return `${JSON.stringify(value)}@${order - 1.5}`;
  if (name === alarms.name) return String(order);
  if (name === stamped.name) return JSON.stringify("timestamp" in value ? value : { value, timestamp: order });
  return JSON.stringify(value);
}

function textsOf<K>(name: string, entries: Iterable<readonly [K, Fact | Timestamped<Fact>]>): [K, string][] {
  return [...entries].map(([at, value]) => [at, textOf(name, value, 0)]);
}

function describe(name: string, value: Fact | Timestamped<Fact> | PriorityEntry<Fact> | number | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number") return String(value);
  if ("priority" in value) return `${JSON.stringify(value.value)}@${value.priority}`;
  return textOf(name, value, 0);
}
