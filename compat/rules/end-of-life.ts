import type { Rule, Subject } from "../rule.ts";

/** Last day of support of each minor: product minor, `YYYY-MM-DD`. */
interface EndOfLifeTable {
  readonly subject: Subject;
  readonly source: string;
  readonly minors: readonly (readonly [minor: string, day: string])[];
}

/**
 * Support ends as the projects publish them. Minors whose end is only expected have no row: cert-manager 1.20 and 1.21
 * end with the release of 1.22 and 1.23, Istio 1.30 and 1.31 and Knative 1.22 and 1.23 had no fixed day when this was
 * read. KServe and Gateway API publish no ends.
 */
export const END_OF_LIFE: readonly EndOfLifeTable[] = [
  {
    subject: "istio",
    source:
      "istio/istio.io@master:data/compatibility/supportStatus.yml; endoflife-date/endoflife.date@0118c3037fa9:products/istio.md; istio/istio.io@a6ad2a706c81:content/en/news/support/announcing-1.29-eol/index.md",
    minors: [
      ["1.17", "2023-10-27"],
      ["1.18", "2024-01-04"],
      ["1.19", "2024-04-24"],
      ["1.20", "2024-06-25"],
      ["1.21", "2024-09-27"],
      ["1.22", "2025-01-22"],
      ["1.23", "2025-04-16"],
      ["1.24", "2025-06-24"],
      ["1.25", "2025-09-30"],
      ["1.26", "2025-12-22"],
      ["1.27", "2026-04-07"],
      ["1.28", "2026-07-01"],
      ["1.29", "2026-10-12"],
    ],
  },
  {
    subject: "envoy-gateway",
    source: "envoyproxy/gateway@v1.9.0:site/content/en/news/releases/matrix.md",
    minors: [
      ["1.4", "2025-11-13"],
      ["1.5", "2026-02-13"],
      ["1.6", "2026-05-13"],
      ["1.7", "2026-08-05"],
      ["1.8", "2026-11-08"],
      ["1.9", "2027-02-14"],
    ],
  },
  {
    subject: "cert-manager",
    source: "cert-manager/website@776e5db:content/docs/releases/README.md",
    minors: [
      ["1.13", "2024-06-05"],
      ["1.14", "2024-10-03"],
      ["1.15", "2025-02-03"],
      ["1.16", "2025-06-10"],
      ["1.17", "2025-10-07"],
      ["1.18", "2026-03-10"],
      ["1.19", "2026-07-08"],
    ],
  },
  {
    subject: "knative-serving",
    source:
      "endoflife-date/endoflife.date@02ce42c26db5:products/knative.md; knative/community@main:mechanics/RELEASE-SCHEDULE.md",
    minors: [
      ["1.11", "2024-01-30"],
      ["1.12", "2024-04-30"],
      ["1.13", "2024-07-22"],
      ["1.14", "2024-10-22"],
      ["1.15", "2025-01-21"],
      ["1.16", "2025-04-22"],
      ["1.17", "2025-07-28"],
      ["1.18", "2025-10-28"],
      ["1.19", "2026-01-28"],
      ["1.20", "2026-04-21"],
      ["1.21", "2026-08-04"],
    ],
  },
];

/**
 * End of life only warns, whatever the day: the newest minors in KServe's own published rows (Istio 1.28, Knative 1.20)
 * are past theirs, so a block would leave no set at all.
 */
export const END_OF_LIFE_RULES: readonly Rule[] = END_OF_LIFE.flatMap(
  ({ subject, source, minors }) =>
    minors.map(([minor, day]) => ({
      id: `compat-${subject}-end-of-life`,
      when: { [subject]: `${minor}.x` },
      level: "warn",
      from: day,
      evidence: "upstream",
      source,
      because: "its project mends no more faults in this minor, security included",
    })),
);
