/** What state must look like from outside, as plain Maps that are copied whole. */
import { alarms, numbers, queue, stamped, words } from "./fixture-stores.ts";

export type Content = ReadonlyMap<string | number, string>;
/** Store name → key → what `describe` below makes of the value. */
export type Contents = ReadonlyMap<string, Map<string | number, string>>;

export const modelStores = [words.name, numbers.name, stamped.name, queue.name, alarms.name];

function emptyContents(): Contents {
  return new Map(modelStores.map((name) => [name, new Map()]));
}

function copyOf(contents: Contents): Contents {
  return new Map([...contents].map(([name, content]) => [name, new Map(content)]));
}

export class StateModel {
  visible: Contents = emptyContents();
  /** What the rows hold. */
  rows: Contents = emptyContents();
  sealed: Contents | undefined;
  written = false;
  #savepoint: Contents = emptyContents();

  put(store: string, key: string | number, value: string): void {
    this.visible.get(store)?.set(key, value);
  }

  delete(store: string, key: string | number): void {
    this.visible.get(store)?.delete(key);
  }

  savepoint(): void {
    this.#savepoint = copyOf(this.visible);
  }

  rollback(): void {
    this.visible = copyOf(this.#savepoint);
  }

  seal(): void {
    this.sealed = copyOf(this.visible);
    this.written = false;
    this.savepoint();
  }

  write(): void {
    if (this.sealed !== undefined) this.rows = copyOf(this.sealed);
    this.written = true;
  }

  acknowledge(): void {
    this.sealed = undefined;
  }

  discard(): void {
    this.visible = copyOf(this.rows);
    this.sealed = undefined;
    this.savepoint();
  }
}

/** In the order of the encoded key. */
export function inKeyOrder(content: Content): [string | number, string][] {
  return [...content].sort(([a], [b]) =>
    typeof a === "number" && typeof b === "number" ? a - b : Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b))),
  );
}
