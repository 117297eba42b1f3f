/** `npm run test:kafka`: the tests that need a broker, one file after the other. */
import { defineConfig } from "vitest/config";

// oxlint-disable-next-line import/no-default-export -- vitest reads the default export.
export default defineConfig({
  test: {
    include: ["**/*.broker.test.ts"],
    exclude: ["node_modules/**"],
    // A broker answers when it can: what a test waits for is bounded by the test itself.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: "forks",
    setupFiles: ["vitest.setup.ts"],
    // One broker at a time, and its test.
    maxWorkers: 1,
    fileParallelism: false,
  },
});
