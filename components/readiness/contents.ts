import type { ObjectTransform } from "../transforms.ts";
import { CONFIGURATION_KINDS, WORKLOAD_KINDS } from "./part.ts";
import type {
  Cluster,
  ConfigurationKind,
  ConfigurationRef,
  PartContents,
  WorkloadKind,
  WorkloadRef,
} from "./part.ts";
import { readList } from "./read.ts";

interface Named {
  readonly metadata: { readonly name: string; readonly namespace: string };
}

/** Notes what a chart renders, as it passes by: workloads and webhook configurations. */
export class RenderedContents {
  readonly #namespace: string;
  readonly #workloads = new Map<string, WorkloadRef>();
  readonly #configurations = new Map<string, ConfigurationRef>();

  /** `namespace` is that of the release, for objects that name none. */
  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** Changes nothing. */
  readonly note: ObjectTransform = (object) => {
    const { kind = "", metadata: { name = "", namespace = this.#namespace } = {} } = object;
    const key = `${kind}/${namespace}/${name}`;
    if (isWorkload(kind)) this.#workloads.set(key, { kind, namespace, name });
    if (isConfiguration(kind)) this.#configurations.set(key, { kind, name });
    return undefined;
  };

  /** All that was noted; complete once the chart's objects are registered. */
  contents(): PartContents {
    return {
      workloads: [...this.#workloads.values()],
      configurations: [...this.#configurations.values()],
    };
  }
}

/** Deployments of a namespace and webhook configurations of the cluster that carry a label (`key=value`). */
export async function labelledContents(
  api: Cluster,
  namespace: string,
  label: string,
): Promise<PartContents> {
  const query = `?labelSelector=${encodeURIComponent(label)}`;
  const deployments = await readList<Named>(
    api,
    `/apis/apps/v1/namespaces/${namespace}/deployments${query}`,
  );
  const configurations = CONFIGURATION_KINDS.map(async (kind) => {
    const path = `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}s${query}`;
    const items = await readList<Named>(api, path);
    return items.map(({ metadata }) => ({ kind, name: metadata.name }));
  });
  return {
    workloads: deployments.map(({ metadata }) => ({
      kind: "Deployment",
      namespace,
      name: metadata.name,
    })),
    configurations: (await Promise.all(configurations)).flat(),
  };
}

function isWorkload(kind: string): kind is WorkloadKind {
  return (WORKLOAD_KINDS as readonly string[]).includes(kind);
}

function isConfiguration(kind: string): kind is ConfigurationKind {
  return (CONFIGURATION_KINDS as readonly string[]).includes(kind);
}
