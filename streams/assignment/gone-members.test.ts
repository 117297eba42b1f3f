import { describe, expect, test } from "vitest";
import { LogError } from "#log";
import { silentLogger, turnOfLoop } from "../runtime/defaults.ts";
import { GoneMembers } from "./gone-members.ts";
import { NOTHING } from "./group-bytes.ts";
import type { MemberPart } from "./group-contract.ts";

/** A log that fences as it is told to, and what a thread heard of it. */
class Bench {
  readonly fenced: string[] = [];
  readonly told: string[] = [];
  answer: (wanted: () => boolean) => Promise<boolean> = (wanted) => Promise.resolve(wanted());
  readonly gone = new GoneMembers({
    applicationId: "app",
    log: {
      fenceWriter: (id, wanted) => {
        this.fenced.push(id);
        return this.answer(wanted);
      },
    },
    logger: { ...silentLogger, warn: (_, message) => this.told.push(message) },
  });

  async hears(members: readonly string[], more: Partial<MemberPart> = {}, lasts: () => boolean = () => true): Promise<readonly string[]> {
    const before = this.fenced.length;
    this.gone.heard({ ...NOTHING, members, fencesGone: true, ...more }, lasts);
    await turnOfLoop();
    return this.fenced.slice(before);
  }
}

describe("what members that are gone left open", () => {
  test("is ended once, by the transactional id of each, and of nobody who is a member", async () => {
    const bench = new Bench();
    expect(await bench.hears(["a-0", "b-0", "b-1", "c-0"])).toEqual([]);
    expect(await bench.hears(["a-0", "c-0", "d-0"])).toEqual(["app-b-0", "app-b-1"]);
    expect(await bench.hears(["a-0", "c-0", "d-0"])).toEqual([]);
    expect(await bench.hears(["a-0", "b-0"])).toEqual(["app-c-0", "app-d-0"]);
    expect(bench.told).toEqual([]);
  });

  test("is left to the one member that the leader names", async () => {
    const bench = new Bench();
    await bench.hears(["a-0", "b-0"]);
    expect(await bench.hears(["a-0"], { fencesGone: false })).toEqual([]);
    expect(await bench.hears(["a-0"])).toEqual([]);
  });

  test("a leader that does not say who is a member changes nothing of what is known", async () => {
    const bench = new Bench();
    await bench.hears(["a-0", "b-0"]);
    expect(await bench.hears([])).toEqual([]);
    expect(await bench.hears(["a-0"])).toEqual(["app-b-0"]);
  });

  test("what could not be ended within a generation is ended in the next one, unless its member is back", async () => {
    const bench = new Bench();
    await bench.hears(["a-0", "b-0", "c-0"]);
    expect(await bench.hears(["a-0"], {}, () => false)).toEqual(["app-b-0", "app-c-0"]);
    expect(await bench.hears(["a-0", "c-0"])).toEqual(["app-b-0"]);
    expect(await bench.hears(["a-0"])).toEqual(["app-c-0"]);
    expect(await bench.hears(["a-0"])).toEqual([]);
  });

  test("an answer that comes when the member is back forgets nothing: gone again, it is fenced again", async () => {
    const bench = new Bench();
    await bench.hears(["a-0", "b-0"]);
    const late = Promise.withResolvers<boolean>();
    bench.answer = () => late.promise;
    await bench.hears(["a-0"]);
    await bench.hears(["a-0", "b-0"]);
    late.resolve(true);
    await turnOfLoop();
    expect(await bench.hears(["a-0"])).toEqual(["app-b-0"]);
  });

  test("a right that is missing is told once, another failure each time, and neither is tried again", async () => {
    const bench = new Bench();
    await bench.hears(["a-0", "b-0", "c-0", "d-0", "e-0"]);
    bench.answer = () => Promise.reject(new LogError("LOG_FORBIDDEN", "no right"));
    await bench.hears(["a-0", "d-0", "e-0"]);
    expect(bench.told).toHaveLength(1);
    bench.answer = () => Promise.reject(new LogError("LOG_UNAVAILABLE", "away"));
    await bench.hears(["a-0"]);
    expect(bench.told).toHaveLength(3);
    expect(await bench.hears(["a-0"])).toEqual([]);
  });

  test("nothing is done where writers do not outlive their process", async () => {
    const gone = new GoneMembers({ applicationId: "app", log: {}, logger: silentLogger });
    gone.heard({ ...NOTHING, members: ["a-0", "b-0"], fencesGone: true }, () => true);
    gone.heard({ ...NOTHING, members: ["a-0"], fencesGone: true }, () => true);
    await turnOfLoop();
  });
});
