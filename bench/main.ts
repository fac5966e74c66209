/** `npm run bench`: this program and the script that people have, side by side, each on a cluster of its own. */
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { renderTable } from "../cli/table.ts";
import { PROJECT_ROOT } from "../config/project-root.ts";
import { inventory } from "../sandbox/session/inventory.ts";
import { openSession } from "../sandbox/session/session.ts";
import type { Session } from "../sandbox/session/session.ts";
import { acquireTools } from "../sandbox/toolchain/index.ts";
import type { ToolProgress } from "../sandbox/toolchain/index.ts";
import { loadCatalog } from "../versions/catalog.ts";
import { startAfresh } from "./afresh.ts";
import { planEverything } from "./catalog.ts";
import { measureGrowth } from "./growth.ts";
import { helmWay } from "./helm-way.ts";
import { pace } from "./pace.ts";
import { pulumiWay, STACK } from "./pulumi-way.ts";
import { median, ratio } from "./results.ts";
import type { Measured, Results } from "./results.ts";
import { weigh } from "./state.ts";
import type { Usage } from "./usage.ts";
import { OPERATIONS, SCENARIOS } from "./ways.ts";
import type { Operation, Scenario, Way } from "./ways.ts";

interface Options {
  readonly rounds: number;
  readonly charts?: string;
  readonly out: string;
  readonly growth: boolean;
}

interface Sample {
  readonly scenario: string;
  readonly operation: Operation;
  readonly way: Way["name"];
  readonly usage: Usage;
}

const phases = new Set<string>();
const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const command = new Command("bench")
  .description(
    "time this program and `helm install`, one after another, each on a new cluster of the sandbox",
  )
  .option("--rounds <number>", "how often each is measured; the median counts", wholeNumber, 3)
  .option("--charts <folder>", "real charts (default: PLATFORM_CHARTS, else as the sandbox does)")
  .option("--out <file>", "where the figures go", join(PROJECT_ROOT, "docs", "performance.json"))
  .option("--no-growth", "leave out the measurement with many stacks");
await bench(command.parse().opts<Options>());

async function bench(options: Options): Promise<void> {
  const charts = options.charts ?? process.env["PLATFORM_CHARTS"];
  const { kubectl } = await acquireTools({ report }, ["kubectl"]);
  const session = await openSession({
    name: "bench",
    report,
    ...(charts === undefined ? {} : { charts: resolve(charts) }),
  });
  const ways = [helmWay(session, kubectl), pulumiWay(session)];
  const samples: Sample[] = [];
  const stacks = new Map<string, Results["stacks"][number]>();
  const paces: number[] = [];
  const { rounds } = options;
  for (let round = 1; round <= rounds; round += 1) {
    for (const scenario of SCENARIOS) {
      for (const way of ways) {
        await startAfresh(session, STACK);
        const machine = pace();
        paces.push(machine);
        print(
          `\nround ${String(round)} of ${String(rounds)}: ${scenario.name}, ${way.name} (pace of the machine: ${machine.toFixed(2)} s)`,
        );
        samples.push(...(await oneRound(way, scenario, session, stacks)));
      }
    }
  }
  const growth = options.growth ? await grow(session, ways) : [];
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    rounds,
    paceSeconds: paces,
    environment: environmentOf(session),
    measured: summarize(samples),
    stacks: [...stacks.values()],
    catalog: planEverything(loadCatalog()),
    growth,
  };
  await writeFile(options.out, `${JSON.stringify(results, null, 2)}\n`);
  print(
    `\n${asTable(results)}\n\nwritten to ${options.out}; npm run docs makes docs/performance.md of it`,
  );
}

/** Refused before anything runs: a run without rounds would write figures without figures over the last ones. */
function wholeNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("a whole number from 1 on");
  return Number(text);
}

/** All operations of one way, in the order in which they build on each other. */
async function oneRound(
  way: Way,
  scenario: Scenario,
  session: Session,
  stacks: Map<string, Results["stacks"][number]>,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const operation of OPERATIONS) {
    const usage = await way.run(operation, scenario);
    if (usage === undefined) continue;
    print(`  ${operation}: ${usage.seconds.toFixed(1)} s, ${usage.cpuSeconds.toFixed(1)} s CPU`);
    if (usage.code !== 0)
      throw new Error(
        `${way.name}, ${scenario.name}, ${operation} failed:\n${usage.output.slice(-4000)}`,
      );
    samples.push({ scenario: scenario.name, operation, way: way.name, usage });
    if (way.name === "pulumi" && operation === "install")
      stacks.set(scenario.name, { scenario: scenario.name, ...(await weigh(session, STACK)) });
  }
  return samples;
}

async function grow(session: Session, ways: readonly Way[]): Promise<Results["growth"]> {
  const [scenario] = SCENARIOS;
  const way = ways.find(({ name }) => name === "pulumi");
  if (scenario === undefined || way === undefined) return [];
  await startAfresh(session, STACK);
  print("\none stack beside others");
  await way.run("install", scenario);
  const growth = await measureGrowth(session, way, scenario);
  await way.run("uninstall", scenario);
  return growth;
}

function summarize(samples: readonly Sample[]): Measured[] {
  const groups = Map.groupBy(samples, (item) => `${item.scenario}|${item.operation}|${item.way}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const seconds = group.map(({ usage }) => usage.seconds);
    const middle = group.find(({ usage }) => usage.seconds === median(seconds)) ?? first;
    return [
      {
        scenario: first.scenario,
        operation: first.operation,
        way: first.way,
        seconds,
        medianSeconds: median(seconds),
        medianCpuSeconds: median(group.map(({ usage }) => usage.cpuSeconds)),
        programs: [...middle.usage.programs],
      },
    ];
  });
}

function environmentOf(session: Session): string[] {
  return inventory(session).map(({ part, real, what }) => `${part}: ${what} (${real})`);
}

function asTable(results: Results): string {
  const rows = SCENARIOS.flatMap(({ name }) =>
    OPERATIONS.map((operation) => {
      const of = (way: string): Measured | undefined =>
        results.measured.find(
          (item) => item.scenario === name && item.operation === operation && item.way === way,
        );
      const seconds = (item: Measured | undefined): string => item?.medianSeconds.toFixed(1) ?? "-";
      return [
        name,
        operation,
        seconds(of("helm")),
        seconds(of("pulumi")),
        ratio(results, name, operation)?.toFixed(2) ?? "-",
        of("pulumi")?.medianCpuSeconds.toFixed(1) ?? "-",
      ];
    }),
  );
  return renderTable(["MODE", "OPERATION", "HELM s", "PULUMI s", "RATIO", "PULUMI CPU s"], rows);
}

/** The long first steps, a line per phase. */
function report({ phase }: ToolProgress): void {
  if (phases.has(phase)) return;
  phases.add(phase);
  process.stderr.write(`${phase}\n`);
}
