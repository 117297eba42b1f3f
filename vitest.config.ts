import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    exclude: ["node_modules/**", "**/*.broker.test.ts"],
    // Real databases and child processes on a loaded machine: a test that needs longer says so itself.
    testTimeout: 20_000,
    pool: "forks",
    // Many tests wait for child processes, disks and clocks: one more than there are cores fills the gaps.
    maxWorkers: availableParallelism() + 1,
    setupFiles: ["vitest.setup.ts"],
  },
});
