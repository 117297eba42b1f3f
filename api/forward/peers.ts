/**
 * Which addresses of other instances are believed. They come from the group, that is from anybody who may join it: nothing is sent to
 * an address that no pattern of the configuration allows.
 */
import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { ApiError } from "../errors.ts";

/** `HOST:PORT`, `*.SUFFIX:PORT`, `ADDRESS:PORT` or `CIDR:PORT`; `*` is any port; IPv6 in brackets. */
type Pattern = HostPattern | NetworkPattern;

interface HostPattern {
  readonly kind: "host";
  /** Lower case; a suffix begins with a dot. */
  readonly name: string;
  readonly port: number | undefined;
}

interface NetworkPattern {
  readonly kind: "network";
  readonly network: BlockList;
  /** It lies in what is refused unless it is named: then what it names is allowed. */
  readonly names: boolean;
  readonly port: number | undefined;
}

export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

/** Of one resolution: what is connected to is what was checked. */
export interface AllowedPeer extends PeerAddress {
  readonly address: string;
}

export type ResolveHost = (host: string) => Promise<readonly string[]>;

/** This host, its neighbours on the wire, and the addresses where clouds answer for credentials. */
const local = new BlockList();
for (const [network, bits] of [
  ["0.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["100.100.100.200", 32],
] as const)
  local.addSubnet(network, bits, "ipv4");
for (const [network, bits] of [
  ["::", 127],
  ["fe80::", 10],
  ["fd00:ec2::254", 128],
] as const)
  local.addSubnet(network, bits, "ipv6");

export class Peers {
  readonly #patterns: readonly Pattern[];
  readonly #resolve: ResolveHost;

  /** Throws `BAD_REQUEST` for a pattern that is none. Without patterns nobody is asked. */
  constructor(patterns: readonly string[], resolve: ResolveHost = resolveHost) {
    this.#patterns = patterns.map(parsePattern);
    this.#resolve = resolve;
  }

  /** Rejects with `FORWARD_REFUSED`, or `INSTANCE_UNREACHABLE` when the name has no address. */
  async allow({ host, port }: PeerAddress): Promise<AllowedPeer> {
    const candidates = this.#patterns.filter((each) => each.port === undefined || each.port === port);
    const named = candidates.some((each) => each.kind === "host" && matches(each.name, host.toLowerCase()));
    const networks = candidates.filter((each) => each.kind === "network");
    if (!named && networks.length === 0) throw refused("no pattern of the allowed peers has that port and name");
    const addresses = isIP(host) === 0 ? await this.#resolved(host) : [host];
    const localhost = candidates.some((each) => each.kind === "host" && each.name === "localhost") && host.toLowerCase() === "localhost";
    for (const address of addresses) {
      const family = isIP(address) === 6 ? "ipv6" : "ipv4";
      const within = networks.filter(({ network }) => network.check(address, family));
      const isLocal = local.check(address, family);
      if (isLocal ? localhost || within.some(({ names }) => names) : named || within.length > 0) return { host, port, address };
    }
    throw refused("none of its addresses is allowed, or they are of this host or its link");
  }

  async #resolved(host: string): Promise<readonly string[]> {
    try {
      return await this.#resolve(host);
    } catch (cause) {
      throw new ApiError("INSTANCE_UNREACHABLE", "the name of the instance that has this has no address", { cause });
    }
  }
}

function refused(why: string): ApiError {
  return new ApiError("FORWARD_REFUSED", `the question is not passed on to the instance that has this: ${why}`);
}

function matches(name: string, host: string): boolean {
  return name.startsWith(".") ? host.endsWith(name) && host.length > name.length : host === name;
}

function parsePattern(text: string): Pattern {
  const match = /^(?:\[([^\]]+)\](\/\d{1,3})?|([^:[\]/]+)(\/\d{1,2})?):(\*|\d{1,5})$/.exec(text.trim());
  const place = match?.[1] ?? match?.[3];
  const port = match?.[5] === "*" ? undefined : Number(match?.[5]);
  if (place === undefined || (port !== undefined && !(port >= 1 && port <= 65_535))) throw notAPattern(text);
  const family = isIP(place);
  const bits = match?.[2] ?? match?.[4];
  if (family !== 0) return networkPattern(text, place, family === 6 ? "ipv6" : "ipv4", bits, port);
  if (bits !== undefined || !/^(?:\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(place)) throw notAPattern(text);
  return { kind: "host", name: (place.startsWith("*.") ? place.slice(1) : place).toLowerCase(), port };
}

function networkPattern(
  text: string,
  address: string,
  family: "ipv4" | "ipv6",
  bits: string | undefined,
  port: number | undefined,
): Pattern {
  const most = family === "ipv6" ? 128 : 32;
  const prefix = bits === undefined ? most : Number(bits.slice(1));
  if (prefix > most) throw notAPattern(text);
  const network = new BlockList();
  network.addSubnet(address, prefix, family);
  // A network as wide as the world names nothing in particular.
  return { kind: "network", network, names: prefix >= NAMING_BITS_MIN && local.check(address, family), port };
}

const NAMING_BITS_MIN = 8;

function notAPattern(text: string): ApiError {
  return new ApiError(
    "BAD_REQUEST",
    `"${text}" is no pattern of peers: HOST:PORT, *.SUFFIX:PORT, ADDRESS:PORT or CIDR:PORT, * for any port`,
  );
}

async function resolveHost(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
