/** `npm run check`: every static check, all of them even when one fails; exit 1 if any did. */
import { spawnSync } from "node:child_process";

const steps: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ["types", "tsc", ["-p", "tsconfig.json"]],
  ["lint", "oxlint", ["--type-aware", "--deny-warnings"]],
  ["format", "oxfmt", ["--check", "."]],
  ["unused", "knip", ["--no-progress"]],
  ["tidy", "vitest", ["run", "tidy.test.ts", "docs/", "--reporter=dot"]],
];

let failed = 0;
for (const [name, command, args] of steps) {
  const begun = performance.now();
  const result = spawnSync("npx", ["--no-install", command, ...args], { encoding: "utf8" });
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const ok = result.status === 0;
  console.log(`${ok ? "ok  " : "FAIL"} ${name.padEnd(7)} ${seconds} s`);
  if (!ok) {
    failed++;
    console.log(`${result.stdout}${result.stderr}`.trimEnd());
  }
}
process.exit(failed === 0 ? 0 : 1);
