/** Every damage and every circumstance of one seed, one after the other. */
import { rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "#log/kafka/simulated";
import type { Answer } from "./answer.ts";
import { circumstances } from "./circumstances.ts";
import { DamagedState, type StateOptions } from "./damaged-state.ts";
import { damages } from "./damages.ts";

export interface CaseReport {
  readonly name: string;
  /** What was done to which file. */
  readonly did: string;
  readonly answer: Answer;
}

export interface CasesJob extends StateOptions {
  /** Default: all there are. */
  readonly only?: readonly string[];
}

const STDERR = 2;

/** Each case is told on standard error before it begins: should the process die of it, one knows of what. */
export async function runCases({ only, ...options }: CasesJob): Promise<readonly CaseReport[]> {
  const state = await DamagedState.make(options);
  const reports: CaseReport[] = [];
  const wanted = (name: string): boolean => only?.includes(name) ?? true;
  const seeded = (index: number): ReturnType<typeof seededRandom> => seededRandom(options.seed * 1_000 + index);
  const begin = (name: string): void => {
    writeSync(STDERR, `${name}, seed ${options.seed}, ${options.path}, ${options.kind}\n`);
  };
  for (const [index, damage] of damages.entries()) {
    if (!wanted(damage.name)) continue;
    begin(damage.name);
    const { location, did } = state.damaged(damage, seeded(index));
    const answer: Answer = did === undefined ? { kind: "skipped", why: "there is no such file" } : await state.answerTo(location);
    reports.push({ name: damage.name, did: did ?? "", answer });
  }
  for (const [index, { name, what, codes, meet }] of circumstances.entries()) {
    if (!wanted(name)) continue;
    begin(name);
    const location = join(options.directory, "around");
    state.copyTo(location);
    reports.push({ name, did: what, answer: expected(codes, await meet(state, location, seeded(100 + index))) });
  }
  rmSync(options.directory, { recursive: true, force: true });
  return reports;
}

function expected(codes: readonly string[], answer: Answer): Answer {
  if (answer.kind === "wrong" || answer.kind === "skipped") return answer;
  if (answer.kind === "refused" && codes.includes(answer.code)) return answer;
  const said = answer.kind === "refused" ? `${answer.code}: ${answer.message}` : answer.kind;
  return { kind: "wrong", what: `It should say ${codes.join(" or ")}, and it says ${said}` };
}
