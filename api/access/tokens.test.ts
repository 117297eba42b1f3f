import { expect, test } from "vitest";
import { digestOf, isAllowed, mayConcern, parseTokens, principalOf, tokensFromEnvironment } from "./tokens.ts";

const kitchen = { name: "kitchen", token: "a-token-of-the-kitchen", scopes: ["ingest"] };
const courier = { name: "courier-7", sha256: digestOf("the-courier's-own-token").toString("hex"), scopes: ["query"], drivers: ["d7"] };

test("a principal is known by his token or its digest, and by nothing else", () => {
  const tokens = parseTokens(JSON.stringify([kitchen, courier]), "tokens");
  expect(principalOf(tokens, "a-token-of-the-kitchen")?.name).toBe("kitchen");
  expect(principalOf(tokens, "the-courier's-own-token")?.name).toBe("courier-7");
  for (const wrong of ["", "a-token-of-the-kitche", "a-token-of-the-kitchen ", courier.sha256])
    expect(principalOf(tokens, wrong)).toBeUndefined();
});

test("a token that names drivers or jobs concerns these alone", () => {
  const [everything, own] = parseTokens(JSON.stringify([kitchen, courier]), "tokens").map(({ principal }) => principal);
  if (everything === undefined || own === undefined) throw new Error("two principals expected");
  expect([mayConcern(everything, "drivers", "d8"), mayConcern(own, "drivers", "d7"), mayConcern(own, "drivers", "d8")]).toEqual([
    true,
    true,
    false,
  ]);
  expect(mayConcern(own, "jobs", "o1")).toBe(false);
  expect([isAllowed(own, "query"), isAllowed(own, "ingest"), isAllowed(everything, "query")]).toEqual([true, false, false]);
});

test("an operator may ask what anybody may, and does not write", () => {
  const [token] = parseTokens(JSON.stringify([{ name: "o", token: "0123456789abcdef", scopes: ["operator"] }]), "tokens");
  if (token === undefined) throw new Error("a token expected");
  expect([isAllowed(token.principal, "query"), isAllowed(token.principal, "ingest")]).toEqual([true, false]);
});

test("a bad list is refused with all that is wrong, and no token is told", () => {
  const secret = "very-secret-and-long-enough";
  const bad = [
    { ...kitchen, token: "short-secret" },
    { ...kitchen, token: secret, scopes: ["everything"] },
    { ...kitchen, token: secret, extra: 1 },
    { name: "two words", token: secret, scopes: ["query"] },
    { ...courier, token: secret },
  ];
  const told = messageOf(() => parseTokens(JSON.stringify(bad), "tokens.json"));
  for (const entry of [1, 2, 3, 4, 5]) expect(told).toContain(`entry ${entry}:`);
  expect(told).not.toContain("secret");
  expect(messageOf(() => parseTokens(JSON.stringify([kitchen, kitchen]), "tokens.json"))).toContain("twice");
  expect(messageOf(() => parseTokens(`{"${secret}`, "tokens.json"))).not.toContain(secret);
});

test("the environment has the list or names its file; without either there is none", () => {
  expect(tokensFromEnvironment({})).toBeUndefined();
  expect(tokensFromEnvironment({ SLACKLINE_TOKENS: JSON.stringify([kitchen]) })?.map(({ principal }) => principal.name)).toEqual([
    "kitchen",
  ]);
  expect(() => tokensFromEnvironment({ SLACKLINE_TOKENS_FILE: "no/such/file" })).toThrow(/ENOENT/);
});

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return String(error);
  }
  throw new Error("it was accepted");
}
