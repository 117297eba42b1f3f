import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    exclude: ["node_modules/**", "**/*.broker.test.ts"],
    // Real databases and child processes on a loaded machine: a test that needs longer says so itself.
    testTimeout: 20_000,
    pool: "forks",
    setupFiles: ["vitest.setup.ts"],
  },
});
