import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/e2e/**/*.test.ts"],
    pool: "forks",
    // One cluster, one story: files run one after another, and a step of a story needs the ones before it.
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 1_800_000,
    bail: 1,
  },
});
