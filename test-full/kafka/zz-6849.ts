import { scenarios } from "./scenarios.ts";
const begun = performance.now();
try {
  console.log(
    "OK",
    JSON.stringify(
      await scenarios[process.argv[2]]({
        events: +process.argv[3],
        rounds: +process.argv[4],
        brokers: +process.argv[5],
        seed: +(process.argv[6] ?? 42),
      }),
      null,
      1,
    ),
  );
} catch (e) {
  console.log("FAILED", e);
  process.exitCode = 1;
}
console.log(((performance.now() - begun) / 1000).toFixed(0), "s");
process.exit();
