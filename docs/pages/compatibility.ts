import { CLOSING_HOSTS } from "../../compat/hosts.ts";
import { DISPLAY_NAMES } from "../../compat/rule.ts";
import type { Rule, Subject } from "../../compat/rule.ts";
import { rulesOf } from "../../compat/rules-of.ts";
import { UPGRADE_RULES } from "../../compat/upgrade.ts";
import type { UpgradeRule } from "../../compat/upgrade.ts";
import type { Catalog } from "../../versions/catalog.ts";
import { COLOURS, glance, setsTable } from "./glance.ts";
import { code, GENERATED, readable, table } from "./markdown.ts";

/** `docs/compatibility.md`: what goes together, who says so, and every rule that is applied. */
export function compatibilityPage(catalog: Catalog): string {
  return [
    GENERATED,
    "# What goes together",
    INTRODUCTION,
    "## At a glance",
    `The best complete set of the catalog per KServe release and Kubernetes minor, as Istio / Knative Serving, for ` +
      `Serverless with Istio. ${LEGEND}`,
    glance(catalog),
    "## Sets",
    "Versions that a stack file leaves out come from the set around its KServe version.",
    setsTable(catalog),
    "## Rules",
    RULES_INTRODUCTION,
    ...groups(rulesOf(catalog)).flatMap(([id, rules]) => [`### ${id}`, rulesTable(rules)]),
    "## The operator's window",
    WINDOW,
    windowTable(catalog),
    "## Steps between releases",
    "`npx platform check <stack> --from <installed stack>` applies these to the step from one stack file to another. " +
      "The policy pack cannot: it sees what is wanted, not what was there.",
    upgradeTable(UPGRADE_RULES),
    "## Registries and chart hosts that close",
    "A stack that takes a chart, an image or a chart value from one of them is warned before the day, and refused from " +
      "it on where the level says block.",
    hostsTable(),
    "## What is left out, and why",
    LEFT_OUT,
  ].join("\n\n");
}

const LEGEND = `${COLOURS.tested} run by us (real control plane, simulated nodes), ${COLOURS.upstream} inside what the projects publish, ${COLOURS["user-named"]} in use although outside it, ⚠ breaks rules that the stack has to acknowledge; empty: no set is known to fit.`;

const INTRODUCTION = `The rules are data in \`compat/rules/\` and in the release files of \`versions/\`. They are applied in three places: when
a stack file is read (\`npx platform check\`, \`pulumi preview\`), by the policy pack on what the engine really sees, and
here.

- \`npx platform suggest --kubernetes 1.30 --kserve 0.15\` names complete sets that fit, best evidence first.
- \`npx platform check online --as-of 2027-01-01\` shows what dated rules will say.
- A stack may break a rule on purpose: \`kserve:acknowledge\` names its id and a reason, covers nothing else, and is shown
  in every preview. An acknowledgement of a rule that the stack does not break is refused.`;

const RULES_INTRODUCTION = `Level \`block\` refuses the stack, \`warn\` is shown and goes on. A rule with a day warns (\`block\`) or is silent (\`warn\`)
before it. End of life never blocks: the newest minors in KServe's own rows are past theirs.`;

const WINDOW = `An operator carries the manifests of four Serving minors inside, and with each one release of the network plugins. Other
versions are refused (\`compat-knative-operator-carries\`). The newest operator of each minor:`;

const LEFT_OUT = `- **Schema of Istio's gateway chart.** Its charts 1.21.0 to 1.25.4, 1.26.0 to 1.26.3 and 1.27.0 cannot be rendered by
  Helm 3.18.5 and newer (istio/istio#57354, helm/helm#31160). It does not apply here: the ingress gateway is declared by
  this program, the gateway chart is not used.
- **Verdicts that need \`PILOT_ENABLE_ALPHA_GATEWAY_API\`** (Istio up to 1.30 with Gateway API 1.5 or 1.6). The switch is
  off here; who switches it on in \`kserve:istio.values\` is outside the rules.
- **Ends of life without a fixed day** (cert-manager 1.20 and 1.21, Istio 1.30 and 1.31, Knative 1.22 and 1.23).
- **Knative's Kubernetes floor with operator 1.22 and newer.** Its chart tells Serving to start on older clusters; the
  rule stays, because nobody tests that.
- **What depends on objects in the cluster** (services recorded under old mode names, stored versions of CRDs): rules
  know versions only, and warn.`;

function groups(rules: readonly Rule[]): [string, Rule[]][] {
  const byId = Map.groupBy(rules, (rule) => rule.id);
  return [...byId].sort(([a], [b]) => a.localeCompare(b));
}

function rulesTable(rules: readonly Rule[]): string {
  const dated = rules.some((rule) => rule.from !== undefined);
  const head = ["With", "Allowed", "Level", ...(dated ? ["From"] : []), "Why", "Source"];
  const rows = rules.map((rule) => [
    [conditions(rule.when), context(rule)].filter((part) => part !== "").join("; "),
    allowed(rule),
    rule.level,
    ...(dated ? [rule.from ?? ""] : []),
    rule.because,
    sources(rule.source),
  ]);
  return table(head, rows);
}

function conditions(when: Rule["when"]): string {
  return Object.entries(when)
    .map(([subject, range]) => `${DISPLAY_NAMES[subject as Subject]} ${readable(range)}`)
    .join(" and ");
}

function context(rule: Rule): string {
  const { modes, ingress, features } = rule;
  return [
    ...(modes === undefined ? [] : [`mode ${modes.join(" or ")}`]),
    ...(ingress === undefined ? [] : [`ingress ${ingress.join(" or ")}`]),
    ...(features === undefined ? [] : [`feature ${features.join(" or ")}`]),
  ].join(", ");
}

function allowed(rule: Rule): string {
  if (rule.requires !== undefined)
    return `${DISPLAY_NAMES[rule.requires.subject]} ${readable(rule.requires.range)}`;
  return rule.except === undefined ? "not at all" : `only ${conditions(rule.except)}`;
}

function sources(source: string): string {
  return source
    .split("; ")
    .map((part) => code(part))
    .join(" ");
}

function windowTable(catalog: Catalog): string {
  const newest = new Map<string, string>();
  for (const version of catalog.versions("knative-operator")) {
    const minor = version.split(".").slice(0, 2).join(".");
    if (!newest.has(minor)) newest.set(minor, version);
  }
  const rows = [...newest.values()].map((version) => {
    const { carries } = catalog.get("knative-operator", version);
    const items = Object.values(carries);
    const plugins = items.map((item) => `net-istio ${item.ingress.istio ?? "-"}`);
    return [version, items.map((item) => item.newest).join(", "), plugins.join(", ")];
  });
  return table(["Operator", "Serving up to", "With"], rows);
}

function upgradeTable(rules: readonly UpgradeRule[]): string {
  const step = (rule: UpgradeRule): string =>
    rule.minors === undefined
      ? `${readable(rule.from ?? "*")} to ${readable(rule.to ?? "*")}`
      : `more than ${String(rule.minors)} minor, up or down`;
  const rows = rules.map((rule) => [
    code(rule.id),
    DISPLAY_NAMES[rule.subject],
    step(rule),
    rule.level,
    rule.because,
    sources(rule.source),
  ]);
  return table(["Rule", "Product", "Step", "Level", "Why", "Source"], rows);
}

function hostsTable(): string {
  const rows = CLOSING_HOSTS.map((host) => [
    code(host.id),
    code(host.prefix),
    host.closes,
    host.level,
    host.instead,
    sources(host.source),
  ]);
  return table(["Rule", "Host", "Closes", "Level", "Instead", "Source"], rows);
}
