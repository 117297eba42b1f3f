/** User data and parts as bytes: a version, then fields one after the other; what a later version adds at the end is skipped. */
import type { TaskId } from "../task/task-id.ts";
import { StreamsError } from "../errors.ts";
import { NAME_BYTES_MAX, PART_BYTES_MAX, USER_DATA_BYTES_MAX } from "./defaults.ts";
import type { Endpoint, MemberPart, MemberState, OwnerInstance, TaskOwner, TaskOwners } from "./group-contract.ts";

/** Raised when an old reader could not make sense of the bytes; fields added at the end do not raise it. */
const VERSION = 1;
/** Flags. */
const HANDS_OVER = 1;
const STOPS = 2;
const REFUSED = 4;
const FENCES_GONE = 8;

/** The part of a member to whom nothing was given. */
export const NOTHING: MemberPart = {
  active: [],
  standby: [],
  warmUps: [],
  handsOver: false,
  stops: false,
  refused: false,
  owners: { instances: [], tasks: [] },
  members: [],
  fencesGone: false,
};

/**
 * At most 60 KiB: positions that do not fit are left out, the smallest first, and count as rows that are not there. Throws
 * `GROUP_DATA_INVALID` when even the claims do not fit.
 */
export function encodeUserData(state: Omit<MemberState, "memberId">): Uint8Array {
  const out = new GroupWriter();
  out.byte(VERSION);
  out.name(state.instanceId);
  out.endpoint(state.endpoint);
  out.number(state.fingerprint);
  out.number(state.generation + 1);
  out.tasks(state.active);
  out.tasks(state.standby);
  out.byte(state.stops ? STOPS : 0);
  const room = USER_DATA_BYTES_MAX - out.length - LONGEST_NUMBER;
  const positions = state.positions.toSorted((a, b) => b.position - a.position).slice(0, Math.max(0, Math.floor(room / LONGEST_POSITION)));
  out.number(positions.length);
  for (const { task, position } of positions) {
    out.task(task);
    out.number(position);
  }
  return out.bytes(USER_DATA_BYTES_MAX);
}

/** Throws `GROUP_DATA_INVALID`. */
export function decodeUserData(memberId: string, bytes: Uint8Array): MemberState {
  const from = new GroupReader(bytes, USER_DATA_BYTES_MAX);
  return {
    memberId,
    instanceId: from.name(),
    endpoint: from.endpoint(),
    fingerprint: from.number(),
    generation: from.number() - 1,
    active: from.tasks(),
    standby: from.tasks(),
    stops: (from.byte() & STOPS) !== 0,
    positions: from.list(() => ({ task: from.task(), position: from.number() })),
  };
}

/** Throws `GROUP_DATA_INVALID` above 256 KiB. */
export function encodePart(part: MemberPart): Uint8Array {
  const { active, standby, warmUps, handsOver, stops, refused, owners, members, fencesGone } = part;
  const out = new GroupWriter();
  out.byte(VERSION);
  out.tasks(active);
  out.tasks(standby);
  out.tasks(warmUps);
  out.byte((handsOver ? HANDS_OVER : 0) | (stops ? STOPS : 0) | (refused ? REFUSED : 0) | (fencesGone ? FENCES_GONE : 0));
  out.number(owners.instances.length);
  for (const { instanceId, endpoint } of owners.instances) {
    out.name(instanceId);
    out.endpoint(endpoint);
  }
  out.number(owners.tasks.length);
  for (const owner of owners.tasks) {
    out.task(owner);
    out.number(owner.active === undefined ? 0 : owner.active + 1);
    out.number(owner.standbys.length);
    for (const index of owner.standbys) out.number(index);
  }
  out.number(members.length);
  members.forEach((member, index) => out.nameAfter(members[index - 1] ?? "", member));
  return out.bytes(PART_BYTES_MAX);
}

/** A member to whom nothing was said has nothing. Throws `GROUP_DATA_INVALID`. */
export function decodePart(bytes: Uint8Array): MemberPart {
  if (bytes.length === 0) return NOTHING;
  const from = new GroupReader(bytes, PART_BYTES_MAX);
  const [active, standby, warmUps, flags] = [from.tasks(), from.tasks(), from.tasks(), from.byte()];
  return {
    active,
    standby,
    warmUps,
    handsOver: (flags & HANDS_OVER) !== 0,
    stops: (flags & STOPS) !== 0,
    refused: (flags & REFUSED) !== 0,
    owners: ownersFrom(from),
    members: from.atEnd ? [] : membersFrom(from),
    fencesGone: (flags & FENCES_GONE) !== 0,
  };
}

function membersFrom(from: GroupReader): readonly string[] {
  let before = "";
  return from.list(() => (before = from.nameAfter(before)));
}

function ownersFrom(from: GroupReader): TaskOwners {
  const instances = from.list((): OwnerInstance => ({ instanceId: from.name(), endpoint: from.endpoint() }));
  const index = (): number => {
    const value = from.number();
    if (value >= instances.length) throw from.invalid(`there is no instance ${value}`);
    return value;
  };
  const tasks = from.list((): TaskOwner => {
    const task = from.task();
    const active = from.number();
    if (active > instances.length) throw from.invalid(`there is no instance ${active - 1}`);
    return { ...task, active: active === 0 ? undefined : active - 1, standbys: from.list(index) };
  });
  return { instances, tasks };
}

const LONGEST_NUMBER = 8;
const LONGEST_POSITION = 3 * LONGEST_NUMBER;

class GroupWriter {
  #bytes = Buffer.alloc(1024);
  #at = 0;

  get length(): number {
    return this.#at;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  /** A whole number ≥ 0, 7 bits a byte. */
  number(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no whole number from 0`);
    this.#room(LONGEST_NUMBER);
    let rest = value;
    while (rest > 0x7f) {
      const above = Math.floor(rest / 0x80);
      this.#bytes[this.#at++] = (rest - above * 0x80) | 0x80;
      rest = above;
    }
    this.#bytes[this.#at++] = rest;
  }

  name(text: string): void {
    const bytes = Buffer.from(text);
    if (bytes.length > NAME_BYTES_MAX)
      throw invalid(`"${text.slice(0, 40)}…" has ${bytes.length} bytes: names have at most ${NAME_BYTES_MAX}`);
    this.byte(bytes.length);
    this.#put(bytes);
  }

  /** Names in order begin alike as a rule: only what differs from the one before is kept. */
  nameAfter(before: string, text: string): void {
    let same = 0;
    while (same < text.length && text[same] === before[same]) same++;
    // A character of two halves is not cut.
    while (same > 0 && !text.slice(same).isWellFormed()) same--;
    const bytes = Buffer.from(text.slice(same));
    this.number(same);
    this.number(bytes.length);
    this.#put(bytes);
  }

  /** A port of 0 is none. */
  endpoint(endpoint: Endpoint | undefined): void {
    this.number(endpoint?.port ?? 0);
    if (endpoint !== undefined) this.name(endpoint.host);
  }

  task({ subtopology, partition }: TaskId): void {
    this.number(subtopology);
    this.number(partition);
  }

  tasks(tasks: readonly TaskId[]): void {
    this.number(tasks.length);
    for (const task of tasks) this.task(task);
  }

  bytes(most: number): Uint8Array {
    if (this.#at > most) throw invalid(`${this.#at} bytes are above ${most}: use fewer partitions, or fewer instances`);
    return Uint8Array.from(this.#bytes.subarray(0, this.#at));
  }

  #put(bytes: Buffer): void {
    this.#room(bytes.length);
    this.#at += bytes.copy(this.#bytes, this.#at);
  }

  #room(bytes: number): void {
    let size = this.#bytes.length;
    while (this.#at + bytes > size) size *= 2;
    if (size === this.#bytes.length) return;
    const larger = Buffer.alloc(size);
    this.#bytes.copy(larger);
    this.#bytes = larger;
  }
}

class GroupReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array, most: number) {
    this.#bytes = bytes;
    if (bytes.length > most) throw this.invalid(`${bytes.length} bytes are above ${most}`);
    const version = this.byte();
    if (version !== VERSION)
      throw this.invalid(`version ${version} is not known here, only ${VERSION}: finish the upgrade of all instances before the next`);
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw this.invalid("it ends too early");
    this.#at += 1;
    return value;
  }

  number(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw this.invalid("a number is too large");
  }

  name(): string {
    return this.#text(this.byte());
  }

  nameAfter(before: string): string {
    const same = this.number();
    if (same > before.length) throw this.invalid(`a name begins with ${same} characters of "${before}"`);
    return before.slice(0, same) + this.#text(this.number());
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  endpoint(): Endpoint | undefined {
    const port = this.number();
    if (port === 0) return undefined;
    if (port > 65_535) throw this.invalid(`${port} is no port`);
    return { port, host: this.name() };
  }

  task(): TaskId {
    return { subtopology: this.number(), partition: this.number() };
  }

  tasks(): readonly TaskId[] {
    return this.list(() => this.task());
  }

  /** An element has at least a byte: a count above what is left is a lie, and nothing is made for it. */
  list<T>(element: () => T): readonly T[] {
    const count = this.number();
    if (count > this.#bytes.length - this.#at) throw this.invalid(`${count} elements do not fit`);
    return Array.from({ length: count }, element);
  }

  invalid(what: string): StreamsError {
    return invalid(what);
  }

  #text(length: number): string {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw this.invalid("it ends too early");
    const text = Buffer.from(this.#bytes.subarray(this.#at, end)).toString("utf8");
    this.#at = end;
    return text;
  }
}

function invalid(what: string): StreamsError {
  return new StreamsError("GROUP_DATA_INVALID", `What a member of the group said cannot be used: ${what}.`);
}
