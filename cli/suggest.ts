import type { Command } from "commander";
import { suggest } from "../compat/suggest.ts";
import type { SuggestedSet } from "../compat/suggested-set.ts";
import type { Subject } from "../compat/rule.ts";
import { parseSettings } from "../config/parse.ts";
import type { Settings } from "../config/schema.ts";
import { checkIngress, resolveIngress } from "../plan/ingress.ts";
import { neededProducts } from "../plan/selection.ts";
import { formatProblems } from "../problems/problem.ts";
import type { Problem } from "../problems/problem.ts";
import { loadCatalog } from "../versions/catalog.ts";
import { asOfOption } from "./as-of.ts";
import type { Finish } from "./exit-code.ts";
import { ExitCode } from "./exit-code.ts";
import { renderTable } from "./table.ts";

interface Options {
  readonly kubernetes?: string;
  readonly kserve?: string;
  readonly istio?: string;
  readonly envoyGateway?: string;
  readonly knative?: string;
  readonly certManager?: string;
  readonly gatewayApi?: string;
  readonly mode: string;
  readonly ingress?: string;
  readonly asOf?: string;
  readonly limit: string;
  readonly json?: boolean;
}

/** Option of each wish, and what it wishes for. */
const WISHES: readonly (readonly [flag: string, subject: Subject, key: keyof Options])[] = [
  ["--kubernetes", "kubernetes", "kubernetes"],
  ["--kserve", "kserve", "kserve"],
  ["--istio", "istio", "istio"],
  ["--envoy-gateway", "envoy-gateway", "envoyGateway"],
  ["--knative", "knative-serving", "knative"],
  ["--cert-manager", "cert-manager", "certManager"],
  ["--gateway-api", "gateway-api", "gatewayApi"],
];

/** `platform suggest`: complete sets of versions that fit together, best evidence first. */
export function addSuggest(program: Command, finish: Finish): void {
  const command = program
    .command("suggest")
    .description("name complete sets of versions that fit together, best evidence first")
    .option("--mode <mode>", "Serverless, RawDeployment or ModelMesh", "Serverless")
    .option("--ingress <type>", "ingress type, as in kserve:ingress.type")
    .option("--limit <count>", "longest answer, in sets", "5")
    .addOption(asOfOption())
    .option("--json", "print the sets as JSON");
  for (const [flag, subject] of WISHES)
    command.option(`${flag} <version>`, `wanted ${subject}: a version, or its beginning (1.30)`);
  command.action((options: Options) => {
    finish(answer(options));
  });
}

function answer(options: Options): number {
  const settings = settingsOf(options);
  if ("problems" in settings) {
    process.stderr.write(`${formatProblems(settings.problems)}\n`);
    return ExitCode.WrongUse;
  }
  const sets = find(options, settings);
  const text = options.json === true ? JSON.stringify(sets, null, 2) : asText(sets, options);
  process.stdout.write(`${text}\n`);
  return sets.some((set) => set.breaks.length === 0) ? ExitCode.Fine : ExitCode.Problems;
}

function settingsOf(options: Options): Settings | { readonly problems: readonly Problem[] } {
  const { mode, ingress } = options;
  const parsed = parseSettings({
    mode,
    ...(ingress === undefined ? {} : { ingress: { type: ingress } }),
  });
  return parsed.settings ?? { problems: parsed.problems };
}

function find(options: Options, settings: Settings): SuggestedSet[] {
  const catalog = loadCatalog();
  const wanted = Object.fromEntries(
    WISHES.flatMap(([, subject, key]) =>
      options[key] === undefined ? [] : [[subject, options[key]]],
    ),
  ) as Partial<Record<Subject, string>>;
  const ingress = resolveIngress(settings, catalog);
  if (checkIngress(settings, ingress, catalog).length > 0) return [];
  return suggest(
    {
      wanted,
      mode: settings.mode,
      ingress: ingress.type,
      products: neededProducts(settings, ingress),
      limit: Math.max(1, Number(options.limit) || 1),
      ...(options.asOf === undefined ? {} : { asOf: options.asOf }),
    },
    catalog,
  );
}

const COLUMNS = [
  ["KSERVE", "kserve"],
  ["KNATIVE", "knative-serving"],
  ["OPERATOR", "knative-operator"],
  ["ISTIO", "istio"],
  ["ENVOY GATEWAY", "envoy-gateway"],
  ["GATEWAY API", "gateway-api"],
  ["CERT-MANAGER", "cert-manager"],
] as const;

function asText(sets: readonly SuggestedSet[], options: Options): string {
  if (sets.length === 0)
    return `No release in the catalog matches. Known: npx platform suggest --mode ${options.mode}`;
  const used = COLUMNS.filter(([, product]) =>
    sets.some((set) => set.versions[product] !== undefined),
  );
  const head = ["#", ...used.map(([title]) => title), "KUBERNETES", "EVIDENCE", "SET"];
  const rows = sets.map((set, index) => [
    String(index + 1),
    ...used.map(([, product]) => set.versions[product] ?? "-"),
    set.kubernetes.join(", "),
    set.evidence,
    set.name ?? "-",
  ]);
  const notes = remarks(sets);
  return [renderTable(head, rows), ...(notes.length === 0 ? [] : ["", ...notes])].join("\n");
}

/** What the sets break and warn of; sets with the same remark share a line. */
function remarks(sets: readonly SuggestedSet[]): string[] {
  const lines = new Map<string, number[]>();
  sets.forEach(({ breaks, warnings }, index) => {
    const found = [
      ...(breaks.length === 0
        ? []
        : [`breaks ${breaks.join(", ")}: acknowledge each, or choose otherwise`]),
      ...(warnings.length === 0 ? [] : [`warns: ${warnings.join(", ")}`]),
    ];
    for (const line of found) lines.set(line, [...(lines.get(line) ?? []), index + 1]);
  });
  return [...lines].map(([line, numbers]) =>
    numbers.length === sets.length ? line : `#${numbers.join(", #")} ${line}`,
  );
}
