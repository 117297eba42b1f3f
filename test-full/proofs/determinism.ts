import { checkDeterminism, type MdrpDayJob } from "#cli";
import { markdownTable } from "../markdown.ts";
import type { Proof } from "../proof.ts";
import { daysOf, fixture } from "./days-of.ts";

/** Spread over the folder's seeds, sizes and shifts. */
const instancesMax = 12;

export const determinism: Proof<MdrpDayJob> = {
  name: "determinism",
  claim:
    "D6: the same day twice gives all topics equal byte for byte, and a recorded matching input, replayed alone, gives byte-equal proposals",
  needs: "nothing",
  itemSecondsMax: 600,
  items({ instances }) {
    const step = Math.max(1, Math.ceil(instances.length / instancesMax));
    return daysOf({ instances: [fixture, ...instances.filter((_, index) => index % step === Math.floor(index / step) % step)] });
  },
  async prove(job) {
    const { twice, replayed } = await checkDeterminism(job);
    const broken = [...twice.violations, ...replayed.violations.map((sentence) => `replay: ${sentence}`)].join("; ");
    // Without records nothing would be shown.
    const ok = twice.ok && replayed.ok && twice.checked > 0 && replayed.checked > 0;
    return { ok, facts: { records: twice.checked, proposals: replayed.checked, broken } };
  },
  tell: (entries) =>
    markdownTable(
      ["day", "records compared", "proposals replayed", "equal"],
      entries.map(({ item, ok, facts }) => [item, String(facts["records"] ?? "-"), String(facts["proposals"] ?? "-"), ok ? "yes" : "NO"]),
    ),
};
