/** The bytes that members give one another through the coordinator: Kafka's consumer protocol, so that its tools can show them. */
import { LogError } from "../../errors.ts";

/** What a member says about itself at each join. */
export interface MemberCard {
  readonly memberId: string;
  /** When the member object was made: of two with one id, the younger is meant. */
  readonly bornAt: number;
  /** Counts what the host asked for: a changed card makes the coordinator begin a new generation. */
  readonly joins: number;
  readonly userData: Uint8Array;
}

const VERSION = 1;
const CARD_VERSION = 1;
/** Card version i8, born i64, joins i32, length of the id i16. */
const CARD_HEADER_BYTES = 15;
const NO_OWNED_PARTITIONS_BYTES = 4;

/** A ConsumerProtocolSubscription of version 1: the topics, our card as its user data, no owned partitions. */
export function encodeSubscription(topics: readonly string[], card: MemberCard): Buffer {
  const userData = encodeCard(card);
  const names = topics.map((topic) => Buffer.from(topic));
  const bytes = Buffer.alloc(6 + names.reduce((sum, name) => sum + 2 + name.length, 0) + 4 + userData.length + NO_OWNED_PARTITIONS_BYTES);
  let at = bytes.writeInt16BE(VERSION, 0);
  at = bytes.writeInt32BE(names.length, at);
  for (const name of names) {
    at = bytes.writeInt16BE(name.length, at);
    at += name.copy(bytes, at);
  }
  at = bytes.writeInt32BE(userData.length, at);
  userData.copy(bytes, at);
  return bytes;
}

/** Another kind of program is a member of the group. */
export class ForeignMemberError extends LogError {
  constructor(cause: unknown) {
    super("LOG_UNAVAILABLE", "A member of the group is not of this kind. Use a group of its own for each application.", { cause });
  }
}

/** Throws a `ForeignMemberError`. */
export function decodeSubscription(bytes: Buffer): MemberCard {
  try {
    let at = 2;
    const topics = bytes.readInt32BE(at);
    at += 4;
    for (let topic = 0; topic < topics; topic++) at += 2 + bytes.readInt16BE(at);
    const length = bytes.readInt32BE(at);
    return decodeCard(bytes.subarray(at + 4, at + 4 + length));
  } catch (cause) {
    throw new ForeignMemberError(cause);
  }
}

/** A ConsumerProtocolAssignment of version 1 without partitions: what counts is the engine's own bytes as its user data. */
export function encodeAssignment(assignment: Uint8Array): Buffer {
  const bytes = Buffer.alloc(10 + assignment.length);
  bytes.writeInt16BE(VERSION, 0);
  bytes.writeInt32BE(0, 2);
  bytes.writeInt32BE(assignment.length, 6);
  bytes.set(assignment, 10);
  return bytes;
}

/** Empty for a member that got nothing. */
export function decodeAssignment(bytes: Buffer): Uint8Array {
  if (bytes.length < 10) return new Uint8Array(0);
  const length = Math.max(0, bytes.readInt32BE(6));
  return Uint8Array.from(bytes.subarray(10, 10 + length));
}

function encodeCard({ memberId, bornAt, joins, userData }: MemberCard): Buffer {
  const id = Buffer.from(memberId);
  const bytes = Buffer.alloc(CARD_HEADER_BYTES + id.length + userData.length);
  bytes.writeInt8(CARD_VERSION, 0);
  bytes.writeBigInt64BE(BigInt(bornAt), 1);
  bytes.writeInt32BE(joins, 9);
  bytes.writeInt16BE(id.length, 13);
  id.copy(bytes, CARD_HEADER_BYTES);
  bytes.set(userData, CARD_HEADER_BYTES + id.length);
  return bytes;
}

function decodeCard(bytes: Buffer): MemberCard {
  if (bytes.readInt8(0) !== CARD_VERSION) throw new RangeError(`a card of version ${bytes.readInt8(0)}`);
  const idEnd = CARD_HEADER_BYTES + bytes.readInt16BE(13);
  if (idEnd > bytes.length) throw new RangeError("the id does not fit its card");
  return {
    memberId: bytes.toString("utf8", CARD_HEADER_BYTES, idEnd),
    bornAt: Number(bytes.readBigInt64BE(1)),
    joins: bytes.readInt32BE(9),
    userData: Uint8Array.from(bytes.subarray(idEnd)),
  };
}
