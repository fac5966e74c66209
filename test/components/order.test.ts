import { spawnSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import { PROJECT_ROOT } from "../../config/project-root.ts";

const SCRIPT = join(PROJECT_ROOT, "components", "charts", "arrange.mjs");
const DEPENDS_ON = "config.kubernetes.io/depends-on";
/** Each run starts a process; a chart of many objects says as much as many charts. */
const RUNS = { numRuns: 25 };

interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

type Kind = readonly [apiVersion: string, kind: string, namespaced: boolean];

/** Kinds by their place: what Helm installs before its first workload, workloads, what comes last. */
const KINDS: Readonly<Record<"first" | "workloads" | "last" | "others", readonly Kind[]>> = {
  first: [
    ["v1", "Namespace", false],
    ["v1", "ServiceAccount", true],
    ["v1", "Secret", true],
    ["v1", "ConfigMap", true],
    ["v1", "Service", true],
    ["policy/v1", "PodDisruptionBudget", true],
    ["rbac.authorization.k8s.io/v1", "ClusterRole", false],
    ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding", false],
    ["rbac.authorization.k8s.io/v1", "Role", true],
    ["rbac.authorization.k8s.io/v1", "RoleBinding", true],
    ["apiextensions.k8s.io/v1", "CustomResourceDefinition", false],
    ["cert-manager.io/v1", "Issuer", true],
    ["cert-manager.io/v1", "Certificate", true],
  ],
  workloads: [
    ["apps/v1", "Deployment", true],
    ["apps/v1", "DaemonSet", true],
    ["apps/v1", "StatefulSet", true],
    ["batch/v1", "Job", true],
    ["batch/v1", "CronJob", true],
    ["v1", "Pod", true],
  ],
  last: [
    ["admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", false],
    ["admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", false],
  ],
  // Of other groups, and what Helm puts behind workloads.
  others: [
    ["serving.knative.dev/v1", "Service", true],
    ["autoscaling/v2", "HorizontalPodAutoscaler", true],
    ["example.test/v1", "ConfigMap", true],
  ],
};
type Place = keyof typeof KINDS;
const PLACES = Object.keys(KINDS) as Place[];

function order(input: string): { out: string; status: number | null; error: string } {
  const run = spawnSync(process.execPath, [SCRIPT, "--namespace", "release"], {
    input,
    encoding: "utf8",
  });
  return { out: run.stdout, status: run.status, error: run.stderr };
}

function parse(text: string): Rendered[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

/** As cli-utils spells it (kubernetes-sigs/cli-utils@v0.37.2:pkg/object/dependson/strings.go). */
function reference({ apiVersion, kind, metadata }: Rendered): string {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
  const namespaced = Object.values(KINDS)
    .flat()
    .some((known) => known[0] === apiVersion && known[1] === kind && known[2]);
  return namespaced
    ? `${String(group)}/namespaces/${metadata.namespace ?? "release"}/${kind}/${metadata.name}`
    : `${String(group)}/${kind}/${metadata.name}`;
}

function dependencies({ metadata }: Rendered): string[] {
  const text = metadata.annotations?.[DEPENDS_ON];
  return text === undefined ? [] : text.split(",");
}

function placeOf({ apiVersion, kind }: Rendered): Place | undefined {
  return PLACES.find((place) =>
    KINDS[place].some((known) => known[0] === apiVersion && known[1] === kind),
  );
}

const word = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/);
const object = fc
  .tuple(
    fc.constantFrom(...PLACES.flatMap((place) => KINDS[place])),
    fc.record(
      {
        name: word.chain((name) => fc.constantFrom(name, `${name}:${name}`)),
        namespace: word,
        labels: fc.dictionary(word, word, { maxKeys: 2 }),
        annotations: fc.dictionary(word, fc.string(), { maxKeys: 2 }),
      },
      { requiredKeys: ["name"] },
    ),
    fc.dictionary(word, fc.oneof(fc.string(), fc.integer(), fc.array(fc.string())), { maxKeys: 3 }),
  )
  .map(([[apiVersion, kind, namespaced], { namespace, ...metadata }, spec]): Rendered => ({
    apiVersion,
    kind,
    metadata: {
      ...metadata,
      ...(namespaced && namespace !== undefined ? { namespace } : {}),
    },
    ...{ spec },
  }));
const chart = fc.array(object, { minLength: 1, maxLength: 40 });

function ordered(objects: readonly Rendered[]): Rendered[] {
  return parse(order(objects.map((item) => `---\n${stringify(item)}`).join("")).out);
}

describe("arrange, ordering", () => {
  it("names every object that comes before, each once, and none that is not there", () => {
    fc.assert(
      fc.property(chart, (objects) => {
        const result = ordered(objects);
        const all = (...places: Place[]): string[] => [
          ...new Set(
            result.filter((item) => places.includes(placeOf(item) ?? "others")).map(reference),
          ),
        ];
        const before = {
          first: [],
          others: [],
          workloads: all("first"),
          last: all("first", "workloads"),
        };
        for (const item of result)
          expect(dependencies(item).toSorted()).toEqual(
            before[placeOf(item) ?? "others"].toSorted(),
          );
      }),
      RUNS,
    );
  });

  it("makes no circle", () => {
    fc.assert(
      fc.property(chart, (objects) => {
        const waiting = new Map(
          ordered(objects).map((item) => [reference(item), dependencies(item)]),
        );
        for (let size = Infinity; waiting.size < size;) {
          size = waiting.size;
          for (const [name, needs] of waiting)
            if (needs.every((need) => !waiting.has(need))) waiting.delete(name);
        }
        expect([...waiting.keys()]).toEqual([]);
      }),
      RUNS,
    );
  });

  it("changes nothing else of any object", () => {
    fc.assert(
      fc.property(chart, (objects) => {
        const without = ordered(objects).map((item) => {
          const { [DEPENDS_ON]: _order, ...annotations } = item.metadata.annotations ?? {};
          return { ...item, metadata: { ...item.metadata, annotations } };
        });
        expect(without).toEqual(
          objects.map(({ metadata, ...item }) => ({
            ...item,
            metadata: { ...metadata, annotations: metadata.annotations ?? {} },
          })),
        );
      }),
      RUNS,
    );
  });

  const CONFIG =
    "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: istio-sidecar-injector\n";
  const deployment = (metadata: string): string =>
    `${CONFIG}---\n# Source: x\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n${metadata}spec:\n  annotations:\n    name: no\n`;
  const VALUE = "/namespaces/release/ConfigMap/istio-sidecar-injector";

  it.each([
    ["without annotations", "  name: a\n"],
    ["with some", "  name: a\n  annotations:\n    x: y\n  labels:\n    b: c\n"],
    ["with some, indented deeper", "    name: a\n    annotations:\n          x: y\n"],
    ["with none behind the key", "  name: a\n  annotations:\n  labels:\n    b: c\n"],
    ["with an empty mapping", "  annotations: {}\n  name: a\n"],
    ["with null", "  annotations: null # none\n  name: a\n"],
    ["with a flow mapping", '  annotations: {"x": "y", z: w}\n  name: a\n'],
    ["with a comment first", "  # why\n  name: a\n"],
    ["with a template's empty lines", "\n  name: a\n\n  annotations:\n\n    x: y\n"],
  ])("writes into metadata %s", (_name, metadata) => {
    const { out, status } = order(deployment(metadata));
    expect(status).toBe(0);
    const [, changed] = parse(out);
    const [, asked] = parse(deployment(metadata));
    expect(changed?.metadata.annotations).toEqual({
      ...asked?.metadata.annotations,
      [DEPENDS_ON]: VALUE,
    });
    expect({ ...changed, metadata: null }).toEqual({ ...asked, metadata: null });
  });

  it("names an object once that a chart holds twice: cli-utils refuses a second mention", () => {
    const [, changed] = parse(order(`${CONFIG}${deployment("  name: a\n")}`).out).slice(1);
    expect(changed?.metadata.annotations).toEqual({ [DEPENDS_ON]: VALUE });
  });

  it("leaves alone what a chart says itself", () => {
    const own = deployment(`  name: a\n  annotations:\n    ${DEPENDS_ON}: "/Namespace/x"\n`);
    expect(order(own).out).toBe(own);
  });

  it("ends with a message where it cannot write", () => {
    const flow = `${CONFIG}---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n`;
    expect(order(flow)).toMatchObject({
      status: 1,
      error: "arrange: cannot order a Deployment: its metadata is not a block of lines\n",
    });
  });
});
