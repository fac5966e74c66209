/**
 * Who may import whom. The program reads one way: index → components → plan → {versions, images, compat}; the policy
 * pack and the command line stand beside it, and nobody stands on them. Each rule says why.
 */

/** Folders whose outcome is decided by their arguments alone: usable, and testable, without an engine. */
const PURE = "^(plan|compat|images|versions)/|^problems/problem\\.ts$";

/** A rule "files matching `from` import, among the repository's own files, only those matching `to`". */
const only = (name, from, to, comment) => ({
  name,
  severity: "error",
  comment,
  from: { path: from },
  to: {
    path: "^(index\\.ts|components|program|startup|plan|compat|images|versions|problems|config|policies|registry|bundle|cli|bench|sandbox|test)(/|$)",
    pathNot: `^(${to.join("|")})/`,
  },
});

/** A rule "files matching `from` never import `to`". */
const never = (name, from, to, comment) => ({ name, severity: "error", comment, from, to });

module.exports = {
  forbidden: [
    never(
      "no-cycles",
      {},
      { circular: true },
      "Files that need each other are one file, or hide a third: move the shared part out.",
    ),
    never(
      "index-is-the-top",
      {},
      { path: "^index\\.ts$" },
      "index.ts runs the whole program when it is loaded; what others need belongs below it.",
    ),
    only(
      "problems-stand-alone",
      "^problems/",
      ["problems"],
      "Every folder reports problems, so problems import none of them.",
    ),
    only(
      "versions-stand-alone",
      "^versions/",
      ["versions", "problems"],
      "The catalog is data: it knows nothing of who reads it.",
    ),
    only(
      "images-below-plan",
      "^images/",
      ["images", "versions", "problems", "config"],
      "Image references are found and rewritten without knowing the plan they end up in.",
    ),
    only(
      "compat-below-plan",
      "^compat/",
      ["compat", "versions", "problems", "config"],
      "The rules have three callers; knowing one of them would exclude the others.",
    ),
    only(
      "config-below-plan",
      "^config/",
      ["config", "versions", "problems", "images"],
      "Settings are read before there is a plan.",
    ),
    only(
      "plan-in-the-middle",
      "^plan/",
      ["plan", "compat", "images", "versions", "problems", "config"],
      "The plan is computed from settings and catalog; components and commands read it.",
    ),
    only(
      "components-place-the-plan",
      "^components/",
      ["components", "plan", "images", "versions", "problems", "config"],
      "Components place what the plan says; they do not read stack files or check rules.",
    ),
    only(
      "program-loads-the-plan",
      "^program/",
      ["program", "plan", "compat", "images", "versions", "problems", "config"],
      "What runs before the first component knows no component.",
    ),
    only(
      "policies-beside-the-program",
      "^policies/",
      ["policies", "startup", "compat", "images", "versions", "problems", "config"],
      "The pack judges what the engine sees, whatever program made it: it knows neither plan nor components.",
    ),
    only(
      "startup-stands-alone",
      "^startup/",
      ["startup"],
      "It runs before anything else is loaded.",
    ),
    only(
      "registry-stands-alone",
      "^registry/",
      ["registry"],
      "A client of registries serves whoever has one to speak to.",
    ),
    only(
      "bundle-below-the-command-line",
      "^bundle/",
      ["bundle", "registry", "plan", "images", "versions", "problems", "config"],
      "What is carried follows from the plan; how it is shown is the command line's affair.",
    ),
    only(
      "cli-without-engine-code",
      "^cli/",
      [
        "cli",
        "bundle",
        "registry",
        "plan",
        "compat",
        "images",
        "versions",
        "problems",
        "config",
        "sandbox",
      ],
      "Commands read the plan; only the engine places it.",
    ),
    never(
      "sandbox-loaded-on-use",
      // These are themselves loaded on use, by cli/sandbox.ts.
      { path: "^cli/", pathNot: "^cli/sandbox-(up|airgap|output).ts$" },
      { path: "^sandbox/", dynamic: false, dependencyTypesNot: ["type-only"] },
      "Commands that need no sandbox must not pay for loading it: import() it where it is used.",
    ),
    never(
      "sandbox-out-of-the-way",
      { pathNot: "^(sandbox|cli|bench|test)/" },
      { path: "^sandbox/" },
      "The product runs without the sandbox.",
    ),
    never(
      "sandbox-installs-the-product-as-users-do",
      { path: "^sandbox/" },
      { path: "^(index\\.ts|components|program|startup|policies)(/|$)" },
      "The sandbox starts the program through Pulumi, like everyone else.",
    ),
    never(
      "stand-ins-know-no-product",
      { path: "^sandbox/plugins/(kubernetes|cert-manager)/" },
      { path: "^(components|program|startup|plan|compat|images|versions|config|policies|cli)/" },
      "A stand-in that knew the program could be made to fit it, and would prove nothing.",
    ),
    never(
      "no-engine-in-pure-folders",
      { path: PURE },
      { path: "^node_modules/@pulumi/", reachable: true },
      "Plan, rules, images and catalog serve the command line and tests, where no engine runs.",
    ),
    never(
      "tests-are-not-imported",
      { pathNot: "^test/" },
      { path: "^test/" },
      "Helpers that the product needs are not test helpers.",
    ),
    never(
      "declared-in-package-json",
      {},
      {
        dependencyTypes: ["npm-no-pkg", "npm-unknown"],
        // Messages for @pulumi/pulumi/proto have to be made by the very copy that it brings along.
        pathNot: "^node_modules/google-protobuf/",
      },
      "A package that only another one brings along can disappear with it: declare it.",
    ),
    never("resolvable", {}, { couldNotResolve: true }, "A path or package that is not there."),
    never(
      "product-without-dev-dependencies",
      { pathNot: "^test/|\\.config\\.(js|ts)$|^\\.dependency-cruiser\\.cjs$" },
      { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
      "`npm ci --omit=dev` must leave a working program.",
    ),
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    // Type-only imports count: they bind files together just as much.
    tsPreCompilationDeps: true,
    // policies/ has a package.json of its own, because the engine asks for one; its packages are the root's.
    combinedDependencies: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(\\.sandbox|coverage|\\.ci|docs)/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
