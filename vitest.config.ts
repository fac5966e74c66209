import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**"],
    // Pulumi's mocks live on a process-wide store: one process per file keeps them apart.
    pool: "forks",
    isolate: true,
    testTimeout: 20_000,
  },
});
