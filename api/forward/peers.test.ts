import { describe, expect, test } from "vitest";
import { Peers } from "./peers.ts";

const names: Readonly<Record<string, readonly string[]>> = {
  "a.slackline.svc": ["10.1.2.3"],
  "evil.slackline.svc": ["169.254.169.254"],
  "two.slackline.svc": ["127.0.0.1", "10.1.2.4"],
  localhost: ["127.0.0.1", "::1"],
  "mapped.slackline.svc": ["::ffff:127.0.0.1"],
};
const resolve = (host: string): Promise<readonly string[]> => {
  const found = names[host];
  return found === undefined ? Promise.reject(new Error("no such name")) : Promise.resolve(found);
};
const asked = async (patterns: readonly string[], host: string, port = 7400): Promise<string> =>
  new Peers(patterns, resolve).allow({ host, port }).then(
    ({ address }) => address,
    (error: { code?: string }) => error.code ?? "no code",
  );

describe("allowed peers", () => {
  test.each([
    [["a.slackline.svc:7400"], "a.slackline.svc", 7400, "10.1.2.3"],
    [["A.Slackline.svc:7400"], "a.slackline.SVC".toLowerCase(), 7400, "10.1.2.3"],
    [["*.slackline.svc:7400"], "a.slackline.svc", 7400, "10.1.2.3"],
    [["*.slackline.svc:*"], "a.slackline.svc", 9, "10.1.2.3"],
    [["10.0.0.0/8:7400"], "a.slackline.svc", 7400, "10.1.2.3"],
    [["10.0.0.0/8:7400"], "10.9.9.9", 7400, "10.9.9.9"],
    [["[fd00::]/8:7400"], "fd00::7", 7400, "fd00::7"],
    [["127.0.0.0/8:7400"], "127.0.0.1", 7400, "127.0.0.1"],
    [["127.0.0.1:7400"], "localhost", 7400, "127.0.0.1"],
    [["localhost:7400"], "localhost", 7400, "127.0.0.1"],
    [["*.slackline.svc:7400"], "two.slackline.svc", 7400, "10.1.2.4"],
  ])("%j allows %s:%i", async (patterns, host, port, address) => {
    expect(await asked(patterns, host, port)).toBe(address);
  });

  test.each([
    ["nobody is allowed without a pattern", [], "a.slackline.svc", 7400],
    ["another port", ["a.slackline.svc:7400"], "a.slackline.svc", 7401],
    ["a name that only ends alike", ["*.slackline.svc:7400"], "notslackline.svc", 7400],
    ["the suffix itself", ["*.slackline.svc:7400"], "slackline.svc", 7400],
    ["an address outside the network", ["10.0.0.0/8:7400"], "11.0.0.1", 7400],
    ["a name that leads to credentials of a cloud", ["*.slackline.svc:7400"], "evil.slackline.svc", 7400],
    ["loopback through a network as wide as the world", ["0.0.0.0/0:7400"], "127.0.0.1", 7400],
    ["loopback in the clothes of IPv6", ["[::]/0:7400", "*.slackline.svc:7400"], "mapped.slackline.svc", 7400],
    ["link-local", ["0.0.0.0/0:*"], "169.254.169.254", 80],
    ["loopback by a name", ["*.slackline.svc:*"], "localhost", 7400],
    ["this host as 0.0.0.0", ["10.0.0.0/8:*"], "0.0.0.0", 7400],
  ])("%s is refused", async (_, patterns, host, port) => {
    expect(await asked(patterns, host, port)).toBe("FORWARD_REFUSED");
  });

  test("a name without an address is out of reach", async () => {
    expect(await asked(["gone.slackline.svc:7400"], "gone.slackline.svc")).toBe("INSTANCE_UNREACHABLE");
  });

  test.each(["a", "a:0", "a:70000", "10.0.0.0/33:1", "[::1]/129:1", "http://a:1", "a b:1", "*:7400", "name/8:7400"])(
    "%s is no pattern",
    (pattern) => {
      expect(() => new Peers([pattern])).toThrow(/no pattern/);
    },
  );
});
