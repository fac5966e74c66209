/**
 * One rule set for the whole tree: type-aware checks, budgets that keep a function on one screen, and no
 * `process.env` where the outcome must depend on settings and catalog alone. Who may import whom is in
 * `.dependency-cruiser.cjs`.
 */
import js from "@eslint/js";
import vitest from "@vitest/eslint-plugin";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/** How large a function may grow before it must be split. */
const budgets = {
  // A switch over a closed set is one decision, however many members the set has.
  complexity: ["error", { max: 10, variant: "modified" }],
  "max-depth": ["error", 3],
  "max-params": ["error", 4],
  "max-statements": ["error", 20],
  "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
};

const typeAware = {
  "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
  "@typescript-eslint/consistent-type-imports": "error",
  "@typescript-eslint/no-explicit-any": "error",
  // `const { unwanted: _unwanted, ...rest } = object` is how a key is left out.
  "@typescript-eslint/no-unused-vars": [
    "error",
    { argsIgnorePattern: "^_", ignoreRestSiblings: true },
  ],
  "@typescript-eslint/switch-exhaustiveness-check": [
    "error",
    { considerDefaultExhaustiveForUnions: true },
  ],
};

const noEnvironment = {
  "no-restricted-properties": [
    "error",
    {
      object: "process",
      property: "env",
      message: "Settings and catalog decide here; read the environment in cli/ or sandbox/.",
    },
  ],
};

export default defineConfig(
  globalIgnores(["node_modules/", "coverage/", ".sandbox/"]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  { rules: { ...budgets, eqeqeq: "error", "no-console": "error" } },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: typeAware,
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    languageOptions: {
      globals: { process: "readonly", URL: "readonly", structuredClone: "readonly" },
    },
  },
  {
    files: ["**/*.cjs"],
    languageOptions: {
      sourceType: "commonjs",
      globals: { require: "readonly", module: "writable", __dirname: "readonly" },
    },
  },
  {
    files: [
      "index.ts",
      "{components,plan,compat,images,versions,problems,config,policies,program,registry,bundle}/**/*.{ts,mjs,cjs}",
    ],
    rules: noEnvironment,
  },
  {
    files: ["test/**/*.ts"],
    extends: [vitest.configs.recommended],
    rules: {
      "max-lines": "off",
      // A table of cases is one long function, and reads best as one.
      "max-statements": "off",
      // Every `?.` on the way to an asserted value counts as a branch.
      complexity: "off",
      "vitest/no-focused-tests": "error",
      "vitest/no-disabled-tests": "error",
      "vitest/valid-title": "error",
      // A second argument says in the report which case of a table failed.
      "vitest/valid-expect": ["error", { maxArgs: 2 }],
      "vitest/expect-expect": [
        "error",
        { assertFunctionNames: ["expect*", "assert*", "fc.assert"] },
      ],
      "vitest/warn-todo": "error",
    },
  },
);
